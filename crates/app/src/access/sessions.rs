//! Sessions of people who have signed in.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Email;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::Sha256;
use sql::Tx;
use store::operator_actions::{self, NewAction};
use store::users::User;
use store::{sessions, users};

use super::{Caller, Password, secret};
use crate::{Actor, App, Result};

/// How exactly it is kept when a session was seen last.
const SEEN_WITHIN: Duration = Duration::from_mins(1);
/// How many sessions one transaction forgets.
const FORGET_AT_ONCE: u32 = 500;

/// Somebody who has signed in.
#[derive(Clone)]
pub struct Session {
    /// Who, and what they may do today.
    pub caller: Caller,
    /// What they sign in with.
    pub email: Email,
    secret: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl Session {
    /// What a page of ours sends along with everything that changes something: other sites cannot read it. It belongs to
    /// this session alone, and does not tell its secret.
    pub fn csrf_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.csrf().finalize().into_bytes())
    }

    /// Whether that is what came along, compared in constant time.
    pub fn is_csrf_token(&self, given: &str) -> bool {
        URL_SAFE_NO_PAD.decode(given).is_ok_and(|given| self.csrf().verify_slice(&given).is_ok())
    }

    fn csrf(&self) -> Hmac<Sha256> {
        let keyed = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes());
        keyed.expect("HMAC takes keys of any length").chain_update(b"csrf")
    }
}

/// Signs somebody in who has this e-mail and password, if somebody may. Whoever may not, or is not known, is answered as
/// slowly. The answer is a fresh secret for their browser: whatever it showed before is no session any more.
pub async fn sign_in(
    app: &App,
    email: &str,
    password: Password,
    shown_before: Option<&str>,
    from: IpAddr,
) -> Result<Option<String>> {
    let user = super::users::recognise(app, Email::parse(email).ok(), password).await?;
    let Some(user) = user else {
        return Ok(None);
    };
    begin(app, user, shown_before, from).await
}

/// Begins the session of somebody who has just shown who they are.
pub async fn begin(
    app: &App,
    user: User,
    shown_before: Option<&str>,
    from: IpAddr,
) -> Result<Option<String>> {
    let text = secret::fresh();
    let (inner, hash, before) = (app.clone(), secret::hash(&text), shown_before.map(secret::hash));
    let begun = app
        .transaction("begin_session", move |tx| -> Result<bool> {
            // They may have been disabled, or have another password, since it was compared.
            let known = users::lock_by_email(tx, &user.email)?;
            let is_same = |known: &User| {
                known.id == user.id
                    && known.disabled_at.is_none()
                    && known.password_hash == user.password_hash
            };
            if !known.as_ref().is_some_and(is_same) {
                return Ok(false);
            }
            if let Some(before) = &before {
                sessions::delete(tx, before)?;
            }
            let now = inner.now();
            sessions::insert(tx, &hash, user.id, now, later(now, inner.config().web.session_lifetime))?;
            record(tx, &Actor::user(&user.email), "signed_in", &user.email, from, now)?;
            Ok(true)
        })
        .await?;
    Ok(begun.then_some(text))
}

/// Whose session this is, if it is one that goes on.
pub async fn authenticate(app: &App, text: &str) -> Result<Option<Session>> {
    let (found, now) = (find(app, text).await?, app.now());
    let Some((session, last_seen_at)) = found else {
        return Ok(None);
    };
    if now.duration_since(last_seen_at).unsigned_abs() >= SEEN_WITHIN {
        // Whoever only reads is answered also while nothing can be written.
        let (app, hash) = (app.clone(), secret::hash(text));
        tokio::spawn(async move {
            let mark = move |tx: &mut Tx<'_>| -> Result<()> { Ok(sessions::mark_seen(tx, &hash, now)?) };
            if let Err(error) = app.transaction("mark_session_seen", mark).await {
                tracing::warn!(%error, "it was not kept that a session was seen");
            }
        });
    }
    Ok(Some(session))
}

/// The same, without its being a use of the session.
pub async fn look(app: &App, text: &str) -> Result<Option<Session>> {
    Ok(find(app, text).await?.map(|(session, _)| session))
}

/// A session that goes on, and when it was seen last.
async fn find(app: &App, text: &str) -> Result<Option<(Session, Timestamp)>> {
    let (wanted, now, idle) = (secret::hash(text), app.now(), app.config().web.session_idle);
    let found = app
        .look_up("find_session", move |tx: &mut Tx<'_>| -> Result<_> {
            let Some(session) = sessions::find(tx, &wanted)? else {
                return Ok(None);
            };
            let user = users::get(tx, session.user)?;
            Ok(Some((session, user)))
        })
        .await?;
    let Some((session, user)) = found else {
        return Ok(None);
    };
    if session.expires_at <= now || later(session.last_seen_at, idle) <= now || user.disabled_at.is_some() {
        return Ok(None);
    }
    let caller = Caller { actor: Actor::user(&user.email), role: user.role };
    let email = user.email;
    Ok(Some((Session { caller, email, secret: text.to_owned() }, session.last_seen_at)))
}

/// Ends a session.
pub async fn end(app: &App, session: &Session, from: IpAddr) -> Result<()> {
    let (inner, hash, email) = (app.clone(), secret::hash(&session.secret), session.email.clone());
    app.transaction("end_session", move |tx| -> Result<()> {
        if sessions::delete(tx, &hash)? {
            record(tx, &Actor::user(&email), "signed_out", &email, from, inner.now())?;
        }
        Ok(())
    })
    .await
}

/// Records that somebody from there did not get in. What is no e-mail is not kept: it may be a password in the wrong
/// field.
pub async fn record_refusal(app: &App, email: &str, from: IpAddr) -> Result<()> {
    let Ok(email) = Email::parse(email) else {
        return Ok(());
    };
    let inner = app.clone();
    app.transaction("record_refusal", move |tx| {
        record(tx, &Actor::STRANGER, "sign_in_refused", &email, from, inner.now())
    })
    .await
}

fn record(
    tx: &mut Tx<'_>,
    who: &Actor,
    kind: &'static str,
    email: &Email,
    from: IpAddr,
    at: Timestamp,
) -> Result<()> {
    let after = Some(json!({ "from": from }));
    let action = NewAction { kind, subject: email.as_str(), before: None, after };
    Ok(operator_actions::insert(tx, who.as_str(), &action, at)?)
}

/// Forgets sessions that have ended.
pub async fn forget_ended(app: &App) -> Result<u64> {
    let now = app.now();
    let idle = SignedDuration::try_from(app.config().web.session_idle).unwrap_or(SignedDuration::MAX);
    let seen_before = now.saturating_sub(idle).unwrap_or(Timestamp::MIN);
    let mut forgotten = 0;
    loop {
        let delete = move |tx: &mut Tx<'_>| sessions::delete_ended(tx, now, seen_before, FORGET_AT_ONCE);
        let deleted = app.transaction("forget_sessions", delete).await?;
        forgotten += deleted;
        if deleted < u64::from(FORGET_AT_ONCE) {
            return Ok(forgotten);
        }
    }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| at.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}
