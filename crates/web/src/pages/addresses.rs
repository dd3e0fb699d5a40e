//! Where everything of the dashboard is, and who may go there.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};
use domain::Role::{self, Admin, Operator, Viewer};

use super::{
    ACCOUNT, AUDIT, CUSTOMERS, HOME, IMPORTS, NEW_IMPORT, NEW_PRODUCT, NOTIFICATIONS, ORDERS, PEOPLE,
    PRODUCTS, QUEUES, REFUNDS, SYSTEM, TEMPLATES, WEBHOOKS, account, audit, customers, imports, login,
    notifications, orders, overview, people, products, queues, refunds, system, webhooks,
};
use crate::server::Web;

/// A page, a part of one, or what a form of one does, and what somebody must be for it.
pub(super) struct Address {
    method: Method,
    pub(super) path: &'static str,
    pub(super) needs: Role,
    pub(super) handler: MethodRouter<Web>,
}

fn shows<H: Handler<T, Web>, T: 'static>(path: &'static str, needs: Role, handler: H) -> Address {
    Address { method: Method::GET, path, needs, handler: get(handler) }
}

fn does<H: Handler<T, Web>, T: 'static>(path: &'static str, needs: Role, handler: H) -> Address {
    Address { method: Method::POST, path, needs, handler: post(handler) }
}

/// All that people can see and do once they have signed in, and who may. There is no other way in.
pub(super) fn addresses() -> Vec<Address> {
    [business(), machinery(), access()].into_iter().flatten().collect()
}

/// What the shop sells, and to whom.
fn business() -> Vec<Address> {
    vec![
        shows(HOME, Viewer, overview::show),
        shows("/overview/live", Viewer, overview::live),
        shows(ORDERS, Viewer, orders::list),
        shows("/orders.csv", Viewer, orders::export),
        // Which lists somebody comes back to is theirs.
        does("/orders/views", Viewer, orders::keep_view),
        does("/orders/views/forget", Viewer, orders::forget_view),
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
    ]
}

/// What it runs on.
fn machinery() -> Vec<Address> {
    vec![
        shows(WEBHOOKS, Viewer, webhooks::list),
        shows(SYSTEM, Viewer, system::show),
        shows("/system/settings", Admin, system::settings),
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
    ]
}

/// Who may come, and what they did.
fn access() -> Vec<Address> {
    vec![
        shows(PEOPLE, Admin, people::show),
        does("/people/new", Admin, people::create),
        shows("/people/disable", Admin, people::ask_disable),
        does("/people/disable", Admin, people::disable),
        does("/people/tokens/new", Admin, people::create_token),
        shows("/people/tokens/revoke", Admin, people::ask_revoke),
        does("/people/tokens/revoke", Admin, people::revoke),
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
