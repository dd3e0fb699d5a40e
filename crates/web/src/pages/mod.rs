//! The dashboard: pages for people, from the same use cases as the API.

mod account;
mod addresses;
mod asked;
mod audit;
mod chart;
mod customers;
mod frame;
mod funnel;
mod icons;
mod imports;
mod links;
mod login;
mod notifications;
mod once;
mod orders;
mod overview;
mod parts;
mod people;
mod products;
mod queues;
mod refunds;
mod refusal;
mod setup;
mod system;
mod webhooks;
mod words;

use askama::Template;
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;

pub use addresses::{PageAccess, page_access};

use crate::access::guard_page;
use crate::server::Web;
use crate::{ApiError, assets};
use addresses::{Address, addresses};

/// Where people sign in.
pub(crate) const LOGIN: &str = "/login";
/// Where people are who have signed in.
const HOME: &str = "/";
/// The orders.
const ORDERS: &str = "/orders";
/// What went back, or is to.
const REFUNDS: &str = "/refunds";
/// What customers were told.
const NOTIFICATIONS: &str = "/notifications";
/// What they are told with.
const TEMPLATES: &str = "/notifications/templates";
/// Who buys.
const CUSTOMERS: &str = "/customers";
/// The catalogue, and its stock.
const PRODUCTS: &str = "/products";
/// Where a product is made.
const NEW_PRODUCT: &str = "/products/new";
/// What the payment gateway sent.
const WEBHOOKS: &str = "/webhooks";
/// How everything does.
const SYSTEM: &str = "/system";
/// Who may sign in, and with what.
const PEOPLE: &str = "/people";
/// The imports.
const IMPORTS: &str = "/imports";
/// Where one begins.
const NEW_IMPORT: &str = "/imports/new";
/// The queues.
const QUEUES: &str = "/queues";
/// What operators did.
const AUDIT: &str = "/audit";
/// What is theirs.
const ACCOUNT: &str = "/account";
/// The most that a form may have.
pub(crate) const FORM_LIMIT: usize = 16 * 1024;

pub(crate) fn routes(web: &Web) -> Router<Web> {
    let open = Router::new()
        .route(LOGIN, get(login::show).post(login::sign_in))
        .route("/setup/{link}", get(setup::show).post(setup::admit));
    let pages = addresses().into_iter().fold(open, |router, Address { path, needs, handler, .. }| {
        router.route(path, handler.route_layer(from_fn_with_state((web.clone(), needs), guard_page)))
    });
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

/// Sends a browser on to where the result of a form shows.
fn go_on(to: &str) -> Response {
    Redirect::to(to).into_response()
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
