//! Tokens that are made, and taken no more.

use app::App;
use app::access::tokens::{self, Wanted};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::{Email, Role, TokenName};
use jiff::civil::Date;
use serde::Deserialize;

use super::show::{Refused, people};
use crate::ApiError;
use crate::access::{SignedForm, SignedIn};
use crate::pages::frame::Frame;
use crate::pages::{PEOPLE, page};
use crate::query::Query;
use crate::server::Web;

/// A token to be made, as somebody types it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct NewToken {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) owner: String,
    /// The day that it ends at the beginning of.
    pub(super) expires: String,
}

impl NewToken {
    fn wanted(&self, app: &App) -> Result<Wanted, String> {
        let name = TokenName::parse(&self.name).map_err(|error| error.to_string())?;
        let owner = Some(self.owner.trim()).filter(|owner| !owner.is_empty()).map(Email::parse);
        let owner = owner.transpose().map_err(|error| error.to_string())?;
        let day = Some(self.expires.trim()).filter(|day| !day.is_empty()).map(str::parse::<Date>);
        let day = day.transpose().map_err(|_| format!("“{}” is no day such as 2030-01-31", self.expires))?;
        let expires_at = day.and_then(|day| app.calendar().day_start(day));
        Ok(Wanted { name, role: self.role, owner, expires_at })
    }
}

#[derive(Template)]
#[template(path = "people/token.html")]
struct TokenPage<'p> {
    frame: Frame<'p>,
    name: String,
    role: Role,
    /// The token itself.
    text: String,
}

/// `POST /people/tokens/new`: the one page that shows it.
pub(in crate::pages) async fn create_token(
    State(web): State<Web>,
    SignedForm { session, fields: form }: SignedForm<NewToken>,
) -> Result<Response, ApiError> {
    let made = match form.wanted(&web.app) {
        Ok(wanted) => tokens::create(&web.app, &session.caller.actor, wanted).await,
        Err(refusal) => Err(app::Error::Invalid(refusal)),
    };
    match made {
        Ok((text, token)) => {
            let frame = Frame::new(&web.app, &session, PEOPLE);
            page(StatusCode::CREATED, &TokenPage { frame, name: token.name, role: token.role, text })
        }
        Err(error) => {
            let refusal = match error {
                app::Error::Ledger(store::Error::Missing { .. }) => {
                    "Nobody has the owner's e-mail.".to_owned()
                }
                other => ApiError::from(other).mendable()?,
            };
            let refused = Refused { token: Some((&form, &refusal)), ..Refused::default() };
            people(&web, &session, StatusCode::UNPROCESSABLE_ENTITY, refused).await
        }
    }
}

/// Which token it is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Named {
    name: TokenName,
}

#[derive(Template)]
#[template(path = "people/revoke.html")]
struct RevokePage<'p> {
    frame: Frame<'p>,
    name: String,
    role: Role,
}

/// `GET /people/tokens/revoke?name=…`: what would happen.
pub(in crate::pages) async fn ask_revoke(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Query(Named { name }): Query<Named>,
) -> Result<Response, ApiError> {
    let missing = || ApiError::Missing { what: "token", name: name.to_string() };
    let tokens = tokens::list(&web.app).await?;
    let token = tokens.into_iter().find(|token| token.name == name.as_str()).ok_or_else(missing)?;
    let frame = Frame::new(&web.app, &session, PEOPLE);
    page(StatusCode::OK, &RevokePage { frame, name: token.name, role: token.role })
}

/// `POST /people/tokens/revoke`: done twice it is done once.
pub(in crate::pages) async fn revoke(
    State(web): State<Web>,
    SignedForm { session, fields: Named { name } }: SignedForm<Named>,
) -> Result<Response, ApiError> {
    tokens::revoke(&web.app, &session.caller.actor, name).await?;
    Ok(Redirect::to(PEOPLE).into_response())
}
