//! How the first person gets in: by a link that the server prints while it knows nobody.

use domain::{Email, Role};
use jiff::{SignedDuration, Timestamp};
use sql::Tx;
use store::users::User;
use store::{setup_links, users};

use super::{Password, secret};
use crate::{Actor, App, Result};

/// How long a link is good.
pub const GOOD_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Makes a link's secret, which ends every one before it; none where somebody is known already. It is given here and
/// never again: only its hash is kept.
pub async fn issue(app: &App) -> Result<Option<String>> {
    let text = secret::fresh();
    let (hash, inner) = (secret::hash(&text), app.clone());
    let is_issued = app
        .transaction("issue_setup_link", move |tx| -> Result<bool> {
            if users::is_anybody(tx)? {
                return Ok(false);
            }
            setup_links::replace(tx, &hash, after(inner.now()))?;
            Ok(true)
        })
        .await?;
    Ok(is_issued.then_some(text))
}

fn after(now: Timestamp) -> Timestamp {
    now.saturating_add(GOOD_FOR).unwrap_or(Timestamp::MAX)
}

/// Whether somebody with this secret may be let in.
pub async fn is_good(app: &App, text: &str) -> Result<bool> {
    let (hash, now) = (secret::hash(text), app.now());
    app.read("find_setup_link", move |tx: &mut Tx<'_>| {
        Ok(setup_links::find(tx, &hash)?.is_some_and(|end| now < end) && !users::is_anybody(tx)?)
    })
    .await
}

/// Makes the admin, once: of several who come with one secret, the first. None where it is not good.
pub async fn admit(app: &App, text: &str, email: Email, password: Password) -> Result<Option<User>> {
    super::users::check(&email)?;
    // Strangers do not make us hash.
    if !is_good(app, text).await? {
        return Ok(None);
    }
    let (hash, inner) = (secret::hash(text), app.clone());
    let password_hash = password.hash().await?;
    app.transaction("admit_first_admin", move |tx| {
        let now = inner.now();
        let is_good = setup_links::lock(tx, &hash)?.is_some_and(|end| now < end);
        if !is_good || users::is_anybody(tx)? {
            return Ok(None);
        }
        super::users::create_in(tx, &Actor::SETUP, &email, Role::Admin, &password_hash, now).map(Some)
    })
    .await
}
