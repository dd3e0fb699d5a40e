//! The dashboard: pages for people, from the same use cases as the API.

mod account;
mod asked;
mod audit;
mod chart;
mod frame;
mod icons;
mod login;
mod orders;
mod overview;
mod parts;
mod queues;
mod refusal;
mod setup;
mod words;

use askama::Template;
use axum::Router;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use domain::Role;

use crate::access::guard_page;
use crate::server::Web;
use crate::{ApiError, assets};

/// Where people sign in.
pub(crate) const LOGIN: &str = "/login";
/// Where people are who have signed in.
const HOME: &str = "/";
/// The orders.
const ORDERS: &str = "/orders";
/// The queues.
const QUEUES: &str = "/queues";
/// What operators did.
const AUDIT: &str = "/audit";
/// What is theirs.
const ACCOUNT: &str = "/account";
/// The most that a form may have.
pub(crate) const FORM_LIMIT: usize = 16 * 1024;

/// A page, a part of one, or what a form of one does, and what somebody must be for it.
struct Address {
    method: Method,
    path: &'static str,
    needs: Role,
    handler: MethodRouter<Web>,
}

fn shows<H: Handler<T, Web>, T: 'static>(path: &'static str, needs: Role, handler: H) -> Address {
    Address { method: Method::GET, path, needs, handler: get(handler) }
}

fn does<H: Handler<T, Web>, T: 'static>(path: &'static str, needs: Role, handler: H) -> Address {
    Address { method: Method::POST, path, needs, handler: post(handler) }
}

/// All that people can see and do once they have signed in, and who may. There is no other way in.
fn addresses() -> Vec<Address> {
    use Role::{Admin, Operator, Viewer};
    vec![
        shows(HOME, Viewer, overview::show),
        shows("/overview/live", Viewer, overview::live),
        shows(ORDERS, Viewer, orders::list),
        shows(QUEUES, Viewer, queues::monitor),
        shows("/queues/live", Viewer, queues::live),
        shows("/queues/work", Viewer, queues::work),
        shows("/queues/failures", Viewer, queues::failures),
        does("/queues/pause", Operator, queues::pause_queue),
        does("/queues/continue", Operator, queues::continue_queue),
        shows(queues::JOBS, Viewer, queues::jobs),
        shows("/queues/jobs/change", Operator, queues::ask),
        does("/queues/jobs/change", Operator, queues::change),
        shows("/queues/jobs/{id}", Viewer, queues::job),
        shows(queues::BATCHES, Viewer, queues::batches),
        shows("/queues/batches/{id}", Viewer, queues::batch),
        shows(queues::WORKERS, Viewer, queues::workers),
        does("/queues/workers/pause", Operator, queues::pause_supervisor),
        does("/queues/workers/continue", Operator, queues::continue_supervisor),
        shows("/queues/workers/terminate", Operator, queues::ask_to_terminate),
        does("/queues/workers/terminate", Operator, queues::terminate),
        shows(AUDIT, Admin, audit::show),
        shows(ACCOUNT, Viewer, account::show),
        // What is somebody's own is theirs whatever they may do else.
        does("/account/password", Viewer, account::change_password),
        does("/logout", Viewer, login::sign_out),
    ]
}

/// An address of the dashboard as tests see it.
pub struct PageAccess {
    /// Its method.
    pub method: Method,
    /// The address.
    pub address: &'static str,
    /// What somebody must be at least.
    pub needs: Role,
}

/// Every address of the dashboard with the role that it needs.
pub fn page_access() -> Vec<PageAccess> {
    let seen = |Address { method, path, needs, .. }| PageAccess { method, address: path, needs };
    addresses().into_iter().map(seen).collect()
}

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
