//! Signatures of webhooks after the Standard Webhooks scheme (standardwebhooks.com): `v1,` and the base64 of the
//! HMAC-SHA256 over `id.timestamp.body`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

/// How far a delivery's time may be from ours, in either direction.
pub const TOLERANCE: Duration = Duration::from_mins(5);

/// The secrets that are alive. The first one signs.
#[derive(Clone)]
pub struct Secrets(Vec<Vec<u8>>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// The three headers that come with a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// `webhook-id`: the event's id.
    pub id: String,
    /// `webhook-timestamp`: seconds since 1970.
    pub timestamp: String,
    /// `webhook-signature`: one or several signatures, divided by spaces.
    pub signature: String,
}

impl Headers {
    /// Puts them on a request.
    pub fn sign(self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        request
            .header("webhook-id", self.id)
            .header("webhook-timestamp", self.timestamp)
            .header("webhook-signature", self.signature)
    }
}

/// Why a delivery is not taken for genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotGenuine {
    /// No usable time.
    #[error("`webhook-timestamp` is not a number of seconds since 1970")]
    BadTimestamp,
    /// Replayed, or a clock is wrong.
    #[error("`webhook-timestamp` is more than 5 minutes from our clock")]
    TooFarInTime,
    /// Signed by nobody we know.
    #[error("no signature in `webhook-signature` was made with a secret of ours over these bytes")]
    WrongSignature,
}

impl Secrets {
    /// Takes secrets as they are configured: `whsec_` and base64, or plain text.
    pub fn new(configured: &[String]) -> Self {
        let bytes = |secret: &String| {
            let encoded = secret.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok());
            encoded.unwrap_or_else(|| secret.as_bytes().to_vec())
        };
        Secrets(configured.iter().map(bytes).collect())
    }

    /// The signed headers of a delivery; none without a secret.
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> Option<Headers> {
        let timestamp = at.as_second().to_string();
        let signed = mac(self.0.first()?, id, &timestamp, body).finalize().into_bytes();
        let signature = format!("v1,{}", STANDARD.encode(signed));
        Some(Headers { id: id.to_owned(), timestamp, signature })
    }

    /// The headers of a delivery, signed by all secrets: whoever receives it can exchange theirs whenever they like.
    pub fn sign_by_all(&self, id: &str, at: Timestamp, body: &[u8]) -> Option<Headers> {
        let timestamp = at.as_second().to_string();
        let sign = |secret: &Vec<u8>| {
            let signed = mac(secret, id, &timestamp, body).finalize().into_bytes();
            format!("v1,{}", STANDARD.encode(signed))
        };
        let signatures: Vec<String> = self.0.iter().map(sign).collect();
        let signature = signatures.join(" ");
        (!signatures.is_empty()).then(|| Headers { id: id.to_owned(), timestamp, signature })
    }

    /// Checks a delivery over its raw bytes, in constant time.
    pub fn check(&self, headers: &Headers, body: &[u8], now: Timestamp) -> Result<(), NotGenuine> {
        let sent: i64 = headers.timestamp.trim().parse().map_err(|_| NotGenuine::BadTimestamp)?;
        if now.as_second().abs_diff(sent) > TOLERANCE.as_secs() {
            return Err(NotGenuine::TooFarInTime);
        }
        let given = headers.signature.split_ascii_whitespace().filter_map(|one| one.strip_prefix("v1,"));
        let genuine = given.filter_map(|text| STANDARD.decode(text).ok()).any(|signature| {
            let signed_with = |secret: &Vec<u8>| {
                mac(secret, &headers.id, &headers.timestamp, body).verify_slice(&signature).is_ok()
            };
            self.0.iter().any(signed_with)
        });
        if genuine { Ok(()) } else { Err(NotGenuine::WrongSignature) }
    }
}

fn mac(secret: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    /// The example of the scheme's own reference libraries.
    #[test]
    fn the_published_example_is_signed_as_published() {
        let secrets = Secrets::new(&["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()]);
        let headers = secrets
            .sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at(1_614_265_330), br#"{"test": 2432232314}"#)
            .unwrap();
        assert_eq!(headers.signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_all_secrets_sign_is_genuine_to_whoever_has_one_of_them() {
        let [old, new, other] = ["old", "new", "other"].map(|secret| vec![secret.to_owned()]);
        let both = Secrets::new(&[new.clone(), old.clone()].concat());
        let headers = both.sign_by_all("e1", at(1_000), b"body").unwrap();
        for (secrets, is_genuine) in [(old, true), (new, true), (other, false)] {
            assert_eq!(
                Secrets::new(&secrets).check(&headers, b"body", at(1_000)).is_ok(),
                is_genuine,
                "{secrets:?}"
            );
        }
        assert!(Secrets::new(&[]).sign_by_all("e1", at(1), b"body").is_none());
    }

    #[test]
    fn only_what_a_live_secret_signed_in_time_is_genuine() {
        let [old, new] = ["old", "new"].map(str::to_owned);
        let headers = Secrets::new(std::slice::from_ref(&old)).sign("e1", at(1_000), b"body").unwrap();
        let both = Secrets::new(&[new.clone(), old]);
        assert_eq!(both.check(&headers, b"body", at(1_000)), Ok(()));
        assert_eq!(both.check(&headers, b"body", at(1_300)), Ok(()));
        assert_eq!(both.check(&headers, b"body", at(1_301)), Err(NotGenuine::TooFarInTime));
        assert_eq!(both.check(&headers, b"body", at(699)), Err(NotGenuine::TooFarInTime));
        assert_eq!(both.check(&headers, b"Body", at(1_000)), Err(NotGenuine::WrongSignature));
        let rotated = Secrets::new(&[new]);
        assert_eq!(rotated.check(&headers, b"body", at(1_000)), Err(NotGenuine::WrongSignature));
        let replayed = Headers { id: "e2".to_owned(), ..headers.clone() };
        assert_eq!(both.check(&replayed, b"body", at(1_000)), Err(NotGenuine::WrongSignature));
        let no_time = Headers { timestamp: "now".to_owned(), ..headers };
        assert_eq!(both.check(&no_time, b"body", at(1_000)), Err(NotGenuine::BadTimestamp));
        assert!(Secrets::new(&[]).sign("e", at(1), b"").is_none());
    }
}
