//! People who are let in, and who are not let in any more.

use app::access::{Password, users};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::{Email, Role};
use serde::Deserialize;

use super::show::{Refused, people};
use crate::ApiError;
use crate::access::{SignedForm, SignedIn};
use crate::pages::frame::Frame;
use crate::pages::{LOGIN, PEOPLE, page};
use crate::query::Query;
use crate::server::Web;

/// Who is to be let in, as somebody types it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct NewPerson {
    pub(super) email: String,
    pub(super) role: Role,
    password: String,
}

impl NewPerson {
    fn wanted(&self) -> Result<(Email, Password), String> {
        let email = Email::parse(&self.email).map_err(|error| error.to_string())?;
        let password = Password::choose(&self.password).map_err(|error| error.to_string())?;
        Ok((email, password))
    }
}

/// `POST /people/new`
pub(in crate::pages) async fn create(
    State(web): State<Web>,
    SignedForm { session, fields: form }: SignedForm<NewPerson>,
) -> Result<Response, ApiError> {
    let made = match form.wanted() {
        Ok((email, password)) => {
            users::create(&web.app, &session.caller.actor, email, form.role, password).await
        }
        Err(refusal) => Err(app::Error::Invalid(refusal)),
    };
    match made {
        Ok(_) => Ok(Redirect::to(PEOPLE).into_response()),
        Err(error) => {
            let refusal = ApiError::from(error).mendable()?;
            let refused = Refused { person: Some((&form, &refusal)), ..Refused::default() };
            people(&web, &session, StatusCode::UNPROCESSABLE_ENTITY, refused).await
        }
    }
}

/// Whom it is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Somebody {
    email: Email,
}

#[derive(Template)]
#[template(path = "people/disable.html")]
struct DisablePage<'p> {
    frame: Frame<'p>,
    email: String,
    role: Role,
    is_self: bool,
    is_last_admin: bool,
}

/// `GET /people/disable?email=…`: what would happen.
pub(in crate::pages) async fn ask_disable(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Query(Somebody { email }): Query<Somebody>,
) -> Result<Response, ApiError> {
    let people = users::list(&web.app).await?;
    let missing = || ApiError::Missing { what: "user", name: email.to_string() };
    let user = people.iter().find(|user| user.email == email).ok_or_else(missing)?;
    let is_admin = |role: Role| role.covers(Role::Admin);
    let other_admins = people
        .iter()
        .any(|other| other.email != email && other.disabled_at.is_none() && is_admin(other.role));
    page(
        StatusCode::OK,
        &DisablePage {
            frame: Frame::new(&web.app, &session, PEOPLE),
            email: email.to_string(),
            role: user.role,
            is_self: session.email == email,
            is_last_admin: is_admin(user.role) && !other_admins,
        },
    )
}

/// `POST /people/disable`: done twice it is done once.
pub(in crate::pages) async fn disable(
    State(web): State<Web>,
    SignedForm { session, fields: Somebody { email } }: SignedForm<Somebody>,
) -> Result<Response, ApiError> {
    let is_self = session.email == email;
    users::disable(&web.app, &session.caller.actor, email).await?;
    Ok(Redirect::to(if is_self { LOGIN } else { PEOPLE }).into_response())
}
