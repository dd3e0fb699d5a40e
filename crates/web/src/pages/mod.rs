//! The dashboard: pages for people, from the same use cases as the API.

mod account;
mod chart;
mod frame;
mod login;
mod overview;
mod refusal;
mod setup;
mod words;

use askama::Template;
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use crate::server::Web;
use crate::{ApiError, assets};

/// Where people sign in.
pub(crate) const LOGIN: &str = "/login";
/// Where people are who have signed in.
const HOME: &str = "/";
/// What is theirs.
const ACCOUNT: &str = "/account";
/// The most that a form may have.
pub(crate) const FORM_LIMIT: usize = 16 * 1024;

pub(crate) fn routes(web: &Web) -> Router<Web> {
    let pages = Router::new()
        .route(LOGIN, get(login::show).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/setup/{link}", get(setup::show).post(setup::admit))
        .route(HOME, get(overview::show))
        .route("/overview/live", get(overview::live))
        .route(ACCOUNT, get(account::show))
        .route("/account/password", post(account::change_password));
    for_people(web, pages).merge(assets::routes())
}

/// Has what goes wrong on these pages be told to browsers in a way that people read.
pub(crate) fn for_people(web: &Web, pages: Router<Web>) -> Router<Web> {
    pages.layer(from_fn_with_state(web.clone(), refusal::tell_people))
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
