//! People who sign in with an e-mail and a password.

use domain::{Email, Role};
use jiff::Timestamp;
use serde_json::json;
use sql::Tx;
use store::operator_actions::{self, NewAction};
use store::users::{self, User};
use store::{sessions, setup_links};

use super::Password;
use crate::{Actor, App, Error, Result};

/// The longest e-mail that one can sign in with, in bytes: with `user:` before it, it fits wherever who did something is
/// kept.
const LONGEST_EMAIL: usize = 250;

/// Adds a person.
pub async fn create(app: &App, who: &Actor, email: Email, role: Role, password: Password) -> Result<User> {
    check(&email)?;
    let hash = password.hash().await?;
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("create_user", move |tx| create_in(tx, &who, &email, role, &hash, inner.now())).await
}

/// Whether one may sign in with this e-mail.
pub(super) fn check(email: &Email) -> Result<()> {
    if email.as_str().len() > LONGEST_EMAIL {
        let text = format!("an e-mail to sign in with has at most {LONGEST_EMAIL} bytes");
        return Err(Error::Invalid(text));
    }
    Ok(())
}

pub(super) fn create_in(
    tx: &mut Tx<'_>,
    who: &Actor,
    email: &Email,
    role: Role,
    password_hash: &str,
    at: Timestamp,
) -> Result<User> {
    // Where somebody is known, nobody is let in by the link of the first one.
    setup_links::delete_all(tx)?;
    if users::lock_by_email(tx, email)?.is_some() {
        return Err(Error::Exists { what: "user", name: email.to_string() });
    }
    let id = users::insert(tx, email, role, password_hash, at)?;
    let after = Some(json!({ "role": role }));
    let action = NewAction { kind: "user_created", subject: email.as_str(), before: None, after };
    operator_actions::insert(tx, who.as_str(), &action, at)?;
    Ok(users::get(tx, id)?)
}

/// Gives somebody another password, and ends their sessions.
pub async fn set_password(app: &App, who: &Actor, email: Email, password: Password) -> Result<User> {
    let hash = password.hash().await?;
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("set_password", move |tx| {
        let user = users::lock_by_email(tx, &email)?.ok_or_else(|| store::Error::missing("user", &email))?;
        users::set_password(tx, user.id, &hash)?;
        sessions::delete_of(tx, user.id)?;
        let action =
            NewAction { kind: "password_changed", subject: email.as_str(), before: None, after: None };
        operator_actions::insert(tx, who.as_str(), &action, inner.now())?;
        Ok(users::get(tx, user.id)?)
    })
    .await
}

/// From now on a person may not sign in; their sessions end, and tokens that are theirs are not taken.
pub async fn disable(app: &App, who: &Actor, email: Email) -> Result<User> {
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("disable_user", move |tx| {
        let at = inner.now();
        let user = users::lock_by_email(tx, &email)?.ok_or_else(|| store::Error::missing("user", &email))?;
        if user.disabled_at.is_none() {
            users::mark_disabled(tx, user.id, at)?;
            sessions::delete_of(tx, user.id)?;
            let action = NewAction {
                kind: "user_disabled",
                subject: email.as_str(),
                before: Some(json!({ "role": user.role })),
                after: None,
            };
            operator_actions::insert(tx, who.as_str(), &action, at)?;
        }
        Ok(users::get(tx, user.id)?)
    })
    .await
}

/// Everybody, by e-mail.
pub async fn list(app: &App) -> Result<Vec<User>> {
    app.read("list_users", |tx| Ok(users::list(tx)?)).await
}

/// Who has this e-mail and password, if somebody may sign in with them. Whoever may not takes as long as whoever may.
pub async fn recognise(app: &App, email: Option<Email>, password: Password) -> Result<Option<User>> {
    let find = move |tx: &mut Tx<'_>| -> Result<Option<User>> {
        Ok(email.as_ref().map(|email| users::find_by_email(tx, email)).transpose()?.flatten())
    };
    let user = app.look_up("find_user", find).await?.filter(|user| user.disabled_at.is_none());
    let is_theirs = password.is(user.as_ref().map(|user| user.password_hash.clone())).await?;
    Ok(user.filter(|_| is_theirs))
}
