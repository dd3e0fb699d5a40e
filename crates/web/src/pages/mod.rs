//! The pages for people who come in: the first one, whoever signs in, and what is theirs.

mod account;
mod login;
mod setup;

use askama::Template;
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use crate::ApiError;
use crate::server::Web;

/// Where people sign in.
pub(crate) const LOGIN: &str = "/login";
/// Where people are who have signed in.
const HOME: &str = "/account";
/// The most that a form may have.
pub(crate) const FORM_LIMIT: usize = 16 * 1024;

const STYLE: &str = include_str!("../../assets/ordermill.css");

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route(LOGIN, get(login::show).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/setup/{link}", get(setup::show).post(setup::admit))
        .route(HOME, get(account::show))
        .route("/account/password", post(account::change_password))
        .route("/assets/ordermill.css", get(style))
}

async fn style() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (headers, STYLE).into_response()
}

/// A page with this status.
fn page(status: StatusCode, page: &impl Template) -> Result<Response, ApiError> {
    let text =
        page.render().map_err(|error| app::Error::Internal(format!("a page cannot be written: {error}")))?;
    Ok((status, Html(text)).into_response())
}

/// Sends a browser elsewhere, and tells it what to show from then on.
fn redirect(to: &str, cookie: HeaderValue) -> Response {
    ([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response()
}

/// Asks for patience, on a page that says so.
fn patience(after: std::time::Duration, mut response: Response) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, crate::problem::seconds(after).into());
    response
}
