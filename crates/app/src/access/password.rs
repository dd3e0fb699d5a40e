use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::{Error, Result};

/// NIST SP 800-63B asks for at least 8 characters where a second factor is used, and for 15 where it is not; 12 is between.
const SHORTEST: usize = 12;
/// Hashing takes longer the longer a password is.
const LONGEST: usize = 1_024;
/// What a password is compared with where nobody is known: as slow as with a real one, and never right.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm8$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password that is about to be set or compared. It is never printed.
#[derive(Clone)]
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Password {
    /// Takes a password that somebody chose.
    pub fn choose(text: &str) -> Result<Self> {
        let length = text.chars().count();
        if length < SHORTEST || text.len() > LONGEST {
            return Err(Error::Invalid(format!(
                "a password has at least {SHORTEST} characters and at most {LONGEST} bytes; this one has {length} characters"
            )));
        }
        Ok(Password(text.to_owned()))
    }

    /// Takes a password that somebody signs in with.
    pub fn given(text: &str) -> Self {
        Password(text.to_owned())
    }

    /// What it is recognised by later: a PHC string, argon2id. It takes tens of milliseconds.
    pub(super) async fn hash(self) -> Result<String> {
        at_length(move || {
            let hash = Argon2::default().hash_password(self.0.as_bytes());
            hash.map(|hash: PasswordHash| hash.to_string())
        })
        .await?
        .map_err(|error| Error::Internal(format!("the password cannot be hashed: {error}")))
    }

    /// Whether it is the one that was hashed. It takes as long where there is no hash.
    pub(super) async fn is(self, hash: Option<String>) -> Result<bool> {
        at_length(move || {
            let (known, hash) = (hash.is_some(), hash.unwrap_or_else(|| NOBODY.to_owned()));
            let fits = self.0.len() <= LONGEST
                && PasswordHash::new(&hash)
                    .is_ok_and(|hash| Argon2::default().verify_password(self.0.as_bytes(), &hash).is_ok());
            known && fits
        })
        .await
    }
}

/// How many passwords are hashed at once: each takes 19 MiB meanwhile, and a processor.
static TURNS: Semaphore = Semaphore::const_new(4);

/// Runs what would hold other requests up.
async fn at_length<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let _turn = TURNS.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_nobody_is_a_hash_like_any_other() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let real: PasswordHash = Argon2::default().hash_password(b"correct horse battery").unwrap();
        let cost = |hash: &PasswordHash| (hash.algorithm.to_string(), hash.version, hash.params.to_string());
        assert_eq!(cost(&nobody), cost(&real));
    }

    #[tokio::test]
    async fn a_password_is_recognised_and_no_other() {
        let chosen = Password::choose("correct horse battery").unwrap();
        let hash = chosen.clone().hash().await.unwrap();
        assert!(chosen.clone().is(Some(hash.clone())).await.unwrap());
        assert!(!Password::given("correct horse batterz").is(Some(hash)).await.unwrap());
        assert!(!chosen.is(None).await.unwrap());
    }

    #[test]
    fn a_password_that_is_too_short_or_too_long_is_refused_without_being_told() {
        for wrong in ["eleven char", &"x".repeat(1_025)] {
            let refused = Password::choose(wrong).unwrap_err().to_string();
            assert!(!refused.contains(wrong), "{refused}");
        }
        assert_eq!(format!("{:?}", Password::given("secret")), "Password(…)");
    }
}
