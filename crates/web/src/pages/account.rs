//! What belongs to whoever has signed in.

use app::access::sessions::Session;
use app::access::{Password, users};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::frame::Frame;
use super::{LOGIN, page, patience, redirect};
use crate::access::{SignedForm, SignedIn};
use crate::problem::seconds;
use crate::server::Web;
use crate::visitor::Visitor;
use crate::{ApiError, cookie};

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'p> {
    frame: Frame<'p>,
    role: &'p str,
    refusal: &'p str,
}

/// `GET /account`
pub(crate) async fn show(State(web): State<Web>, SignedIn(session): SignedIn) -> Result<Response, ApiError> {
    account(&web, &session, StatusCode::OK, "")
}

fn account(web: &Web, session: &Session, status: StatusCode, refusal: &str) -> Result<Response, ApiError> {
    page(
        status,
        &AccountPage {
            frame: Frame::new(&web.app, session, super::ACCOUNT),
            role: session.caller.role.as_str(),
            refusal,
        },
    )
}

/// The password there is, and the one there is to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Passwords {
    current: String,
    new: String,
}

/// `POST /account/password`: ends every session of theirs, this one too.
pub(crate) async fn change_password(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    SignedForm { session, fields }: SignedForm<Passwords>,
) -> Result<Response, ApiError> {
    let refused = |status, text: &str| account(&web, &session, status, text);
    let new = match Password::choose(&fields.new) {
        Ok(new) => new,
        Err(error) => return refused(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    };
    let this_try = match web.limits.try_password(session.email.as_str(), visitor) {
        Ok(this_try) => this_try,
        Err(after) => {
            let text = format!("Too many tries. The next one is possible in {} s.", seconds(after));
            return Ok(patience(after, refused(StatusCode::TOO_MANY_REQUESTS, &text)?));
        }
    };
    let current = Password::given(&fields.current);
    if users::recognise(&web.app, Some(session.email.clone()), current).await?.is_none() {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "This is not your current password.");
    }
    this_try.was_right();
    users::set_password(&web.app, &session.caller.actor, session.email.clone(), new).await?;
    Ok(redirect(LOGIN, cookie::taken_back(visitor)))
}
