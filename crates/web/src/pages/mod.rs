//! The dashboard: pages for people, from the same use cases as the API.

mod account;
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
        shows("/orders.csv", Viewer, orders::export),
        shows("/orders/many", Operator, orders::ask_of_many),
        does("/orders/many", Operator, orders::act_on_many),
        shows("/orders/{id}", Viewer, orders::show),
        shows("/orders/{id}/live", Viewer, orders::live),
        shows("/orders/{id}/refund", Operator, orders::ask_refund),
        does("/orders/{id}/refund", Operator, orders::refund),
        shows("/orders/{id}/{deed}", Operator, orders::ask),
        does("/orders/{id}/{deed}", Operator, orders::act),
        shows(REFUNDS, Viewer, refunds::list),
        shows("/refunds/{id}", Viewer, refunds::show),
        shows(NOTIFICATIONS, Viewer, notifications::list),
        does("/notifications/webhook/enable", Operator, notifications::enable),
        shows(TEMPLATES, Viewer, notifications::templates),
        shows("/notifications/templates/{kind}", Viewer, notifications::preview),
        shows("/notifications/templates/{kind}/html", Viewer, notifications::preview_html),
        shows("/notifications/{id}", Viewer, notifications::show),
        shows("/notifications/{id}/html", Viewer, notifications::html),
        shows("/notifications/{id}/resend", Operator, notifications::ask),
        does("/notifications/{id}/resend", Operator, notifications::resend),
        shows(CUSTOMERS, Viewer, customers::list),
        shows("/customers/{id}", Viewer, customers::show),
        shows("/customers/{id}/rank", Viewer, customers::rank),
        shows(PRODUCTS, Viewer, products::list),
        shows(NEW_PRODUCT, Operator, products::new),
        does(NEW_PRODUCT, Operator, products::create),
        shows("/products/{sku}", Viewer, products::show),
        does("/products/{sku}/change", Operator, products::change),
        shows("/products/{sku}/receive", Operator, products::ask_receive),
        does("/products/{sku}/receive", Operator, products::receive),
        shows("/products/{sku}/adjust", Operator, products::ask_adjust),
        does("/products/{sku}/adjust", Operator, products::adjust),
        shows(WEBHOOKS, Viewer, webhooks::list),
        shows(SYSTEM, Viewer, system::show),
        shows("/system/settings", Admin, system::settings),
        shows(PEOPLE, Admin, people::show),
        does("/people/new", Admin, people::create),
        shows("/people/disable", Admin, people::ask_disable),
        does("/people/disable", Admin, people::disable),
        does("/people/tokens/new", Admin, people::create_token),
        shows("/people/tokens/revoke", Admin, people::ask_revoke),
        does("/people/tokens/revoke", Admin, people::revoke),
        shows(IMPORTS, Viewer, imports::list),
        shows(NEW_IMPORT, Operator, imports::begin),
        does(NEW_IMPORT, Operator, imports::upload),
        does("/imports/named", Operator, imports::name),
        shows("/imports/new/{draft}", Operator, imports::look),
        does("/imports/new/{draft}", Operator, imports::decide),
        shows("/imports/{id}", Viewer, imports::show),
        does("/imports/{id}/pause", Operator, imports::pause),
        does("/imports/{id}/continue", Operator, imports::resume),
        shows("/imports/{id}/cancel", Operator, imports::ask_to_cancel),
        does("/imports/{id}/cancel", Operator, imports::cancel),
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
