//! People who sign in with an e-mail and a password.

use domain::{Email, Role};
use serde_json::json;
use store::operator_actions::{self, NewAction};
use store::users::{self, User};

use super::{Caller, Password};
use crate::{Actor, App, Error, Result};

/// Adds a person.
pub async fn create(app: &App, who: &Actor, email: Email, role: Role, password: Password) -> Result<User> {
    let hash = password.hash().await?;
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("create_user", move |tx| {
        let at = inner.now();
        if users::lock_by_email(tx, &email)?.is_some() {
            return Err(Error::Exists { what: "user", name: email.to_string() });
        }
        let id = users::insert(tx, &email, role, &hash, at)?;
        let action = NewAction {
            kind: "user_created",
            subject: email.as_str(),
            before: None,
            after: Some(json!({ "role": role })),
        };
        operator_actions::insert(tx, who.as_str(), &action, at)?;
        Ok(users::get(tx, id)?)
    })
    .await
}

/// From now on a person may not sign in, and tokens that are theirs are not taken.
pub async fn disable(app: &App, who: &Actor, email: Email) -> Result<User> {
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("disable_user", move |tx| {
        let at = inner.now();
        let user = users::lock_by_email(tx, &email)?.ok_or_else(|| store::Error::missing("user", &email))?;
        if user.disabled_at.is_none() {
            users::mark_disabled(tx, user.id, at)?;
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

/// Who signs in with this e-mail and password, if somebody may. Whoever may not takes as long as whoever may.
pub async fn sign_in(app: &App, email: &Email, password: Password) -> Result<Option<Caller>> {
    let wanted = email.clone();
    let find = move |tx: &mut sql::Tx<'_>| -> Result<_> { Ok(users::find_by_email(tx, &wanted)?) };
    let user = app.read("find_user", find).await?.filter(|user| user.disabled_at.is_none());
    let is_theirs = password.is(user.as_ref().map(|user| user.password_hash.clone())).await?;
    let user = user.filter(|_| is_theirs);
    Ok(user.map(|user| Caller { actor: Actor::user(&user.email), role: user.role }))
}
