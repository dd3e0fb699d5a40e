//! Signing in and out.

use app::access::{Password, sessions};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::{FORM_LIMIT, HOME, LOGIN, page, patience, redirect};
use crate::access::{self, SignedForm};
use crate::body::UrlEncoded;
use crate::problem::seconds;
use crate::server::Web;
use crate::visitor::Visitor;
use crate::{ApiError, cookie, same_origin};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'p> {
    shop: &'p str,
    email: &'p str,
    refusal: &'p str,
}

/// What somebody signs in with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    email: String,
    password: String,
}

/// `GET /login`
pub(crate) async fn show(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if access::session(&web.app, &headers, visitor).await?.is_some() {
        return Ok(Redirect::to(HOME).into_response());
    }
    page(StatusCode::OK, &LoginPage { shop: &web.app.config().shop.name, email: "", refusal: "" })
}

/// `POST /login`: whoever is not let in is not told whether the account is known.
pub(crate) async fn sign_in(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    UrlEncoded(Credentials { email, password }): UrlEncoded<Credentials, FORM_LIMIT>,
) -> Result<Response, ApiError> {
    same_origin::check(&web.front, &headers)?;
    let again = |status, refusal: &str| {
        page(status, &LoginPage { shop: &web.app.config().shop.name, email: &email, refusal })
    };
    let this_try = match web.limits.try_password(&email, visitor) {
        Ok(this_try) => this_try,
        Err(after) => {
            let text = format!("Too many tries. The next one is possible in {} s.", seconds(after));
            return Ok(patience(after, again(StatusCode::TOO_MANY_REQUESTS, &text)?));
        }
    };
    let shown = cookie::shown(&headers, visitor);
    let password = Password::given(&password);
    let begun = sessions::sign_in(&web.app, &email, password, shown.as_deref(), visitor.address).await?;
    if let Some(secret) = begun {
        this_try.was_right();
        return Ok(redirect(HOME, cookie::given(&secret, visitor)));
    }
    if web.limits.is_refusal_kept() {
        sessions::record_refusal(&web.app, &email, visitor.address).await?;
    }
    let mut refused = again(StatusCode::UNAUTHORIZED, "This e-mail and password are not known together.")?;
    refused.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    Ok(refused)
}

/// Nothing but the token that every form has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// `POST /logout`
pub(crate) async fn sign_out(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    SignedForm { session, fields: Nothing {} }: SignedForm<Nothing>,
) -> Result<Response, ApiError> {
    sessions::end(&web.app, &session, visitor.address).await?;
    Ok(redirect(LOGIN, cookie::taken_back(visitor)))
}
