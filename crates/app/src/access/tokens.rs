//! Tokens that programs sign in with.

use std::time::Duration;

use domain::{Email, Role, TokenName};
use jiff::Timestamp;
use serde_json::json;
use sql::Tx;
use store::operator_actions::{self, NewAction};
use store::tokens::{self, NewToken, Token};
use store::users;

use super::{Caller, secret};
use crate::{Actor, App, Error, Result};

/// So that a token that leaked is told from other texts, by people and by scanners.
const PREFIX: &str = "om_";
/// How exactly the last use of a token is kept.
const USES_WITHIN: Duration = Duration::from_mins(1);

/// A token to be made.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What people call it; never given to another.
    pub name: TokenName,
    /// What it may do.
    pub role: Role,
    /// Whose it is, where it is a person's: it may not do more than they may, and ends when they are disabled.
    pub owner: Option<Email>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// Makes a token. Its text is given here and never again: only its hash is kept.
pub async fn create(app: &App, who: &Actor, wanted: Wanted) -> Result<(String, Token)> {
    let text = format!("{PREFIX}{}", secret::fresh());
    let (inner, who, hash) = (app.clone(), who.clone(), secret::hash(&text));
    let token =
        app.transaction("create_token", move |tx| create_in(tx, &who, &wanted, &hash, inner.now())).await?;
    Ok((text, token))
}

fn create_in(tx: &mut Tx<'_>, who: &Actor, wanted: &Wanted, hash: &str, at: Timestamp) -> Result<Token> {
    let Wanted { name, role, owner, expires_at } = wanted;
    if expires_at.is_some_and(|end| end <= at) {
        return Err(Error::Invalid("a token must end in the future".to_owned()));
    }
    if tokens::lock_by_name(tx, name.as_str())?.is_some() {
        return Err(Error::Exists { what: "token", name: name.to_string() });
    }
    let user = match owner {
        None => None,
        Some(email) => {
            let user = users::lock_by_email(tx, email)?.filter(|user| user.disabled_at.is_none());
            let user = user.ok_or_else(|| store::Error::missing("user", email))?;
            if !user.role.covers(*role) {
                return Err(Error::Invalid(format!(
                    "{email} is {}, so a token of theirs cannot be {role}",
                    user.role
                )));
            }
            Some(user.id)
        }
    };
    let new = NewToken { name: name.as_str(), user, role: *role, hash, expires_at: *expires_at };
    tokens::insert(tx, &new, at)?;
    let after = json!({ "role": role, "owner": owner, "expires_at": expires_at });
    let action =
        NewAction { kind: "token_created", subject: name.as_str(), before: None, after: Some(after) };
    operator_actions::insert(tx, who.as_str(), &action, at)?;
    tokens::find_by_hash(tx, hash)?.ok_or_else(|| store::Error::missing("token", name).into())
}

/// From now on a token is not taken any more.
pub async fn revoke(app: &App, who: &Actor, name: TokenName) -> Result<()> {
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("revoke_token", move |tx| {
        let token = tokens::lock_by_name(tx, name.as_str())?;
        let token = token.ok_or_else(|| store::Error::missing("token", &name))?;
        if token.revoked_at.is_some() {
            return Ok(());
        }
        let at = inner.now();
        tokens::mark_revoked(tx, token.id, at)?;
        let before = Some(json!({ "role": token.role }));
        let action = NewAction { kind: "token_revoked", subject: name.as_str(), before, after: None };
        Ok(operator_actions::insert(tx, who.as_str(), &action, at)?)
    })
    .await
}

/// All tokens, by name.
pub async fn list(app: &App) -> Result<Vec<Token>> {
    app.read("list_tokens", |tx| Ok(tokens::list(tx)?)).await
}

/// Who comes with this token, if it is one that is taken.
pub async fn authenticate(app: &App, text: &str) -> Result<Option<Caller>> {
    if !text.starts_with(PREFIX) {
        return Ok(None);
    }
    let (hash, now) = (secret::hash(text), app.now());
    let found = app.look_up("find_token", move |tx| find(tx, &hash, now)).await?;
    let Some((token, caller)) = found else {
        return Ok(None);
    };
    let is_fresh = |at: Timestamp| now.duration_since(at).unsigned_abs() < USES_WITHIN;
    if !token.last_used_at.is_some_and(is_fresh) {
        // Whoever only reads is answered also while nothing can be written.
        let app = app.clone();
        tokio::spawn(async move {
            let mark = move |tx: &mut Tx<'_>| -> Result<()> { Ok(tokens::mark_used(tx, token.id, now)?) };
            if let Err(error) = app.transaction("mark_token_used", mark).await {
                tracing::warn!(%error, token = token.name, "the last use of a token was not kept");
            }
        });
    }
    Ok(Some(caller))
}

fn find(tx: &mut Tx<'_>, hash: &str, now: Timestamp) -> Result<Option<(Token, Caller)>> {
    let is_taken = |token: &Token| token.revoked_at.is_none() && token.expires_at.is_none_or(|end| now < end);
    let Some(token) = tokens::find_by_hash(tx, hash)?.filter(is_taken) else {
        return Ok(None);
    };
    let owner = token.user.map(|id| users::get(tx, id)).transpose()?;
    if owner.as_ref().is_some_and(|owner| owner.disabled_at.is_some()) {
        return Ok(None);
    }
    // Whoever may do less today than on the day they got their token may not do more by it.
    let role = owner.as_ref().map_or(token.role, |owner| owner.role.min(token.role));
    let actor = Actor::token(&token.name, owner.as_ref().map(|owner| &owner.email));
    Ok(Some((token, Caller { actor, role })))
}
