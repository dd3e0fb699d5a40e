//! The API: one file per noun, and one table of what is answered where to whom.

mod customers;
mod events;
mod figures;
mod imports;
mod notifications;
mod operators;
mod orders;
mod products;
mod queue;
mod refunds;
mod session;
mod system;
pub(crate) mod webhooks;

use axum::Router;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, delete, get, patch, post};
use domain::Role;

use crate::access::guard;
use crate::query::refuse_parameters;
use crate::server::Web;

/// A method of an address.
struct Endpoint {
    method: Method,
    path: &'static str,
    /// What a caller must be at least; none where the handler itself finds out who speaks.
    needs: Option<Role>,
    /// Whether anything may stand behind a `?`; the handler then says what.
    takes_parameters: bool,
    handler: MethodRouter<Web>,
}

impl Endpoint {
    fn new(method: Method, path: &'static str, needs: Option<Role>, handler: MethodRouter<Web>) -> Self {
        Endpoint { method, path, needs, takes_parameters: false, handler }
    }

    fn with_parameters(self) -> Self {
        Endpoint { takes_parameters: true, ..self }
    }
}

const VIEWER: Option<Role> = Some(Role::Viewer);
const OPERATOR: Option<Role> = Some(Role::Operator);
const ADMIN: Option<Role> = Some(Role::Admin);
/// What is signed needs no token.
const SIGNED: Option<Role> = None;

/// All that is answered under `/api`, and to whom. There is no other way in.
fn endpoints() -> Vec<Endpoint> {
    let reads = |path, needs, handler| Endpoint::new(Method::GET, path, needs, handler);
    let does = |path, needs, handler| Endpoint::new(Method::POST, path, needs, handler);
    vec![
        reads("/orders", VIEWER, get(orders::list)).with_parameters(),
        does("/orders", OPERATOR, post(orders::place)),
        reads("/orders/{order}", VIEWER, get(orders::show)).with_parameters(),
        does("/orders/{order}/cancel", OPERATOR, post(orders::cancel)).with_parameters(),
        does("/orders/{order}/ship", OPERATOR, post(orders::ship)).with_parameters(),
        does("/orders/{order}/deliver", OPERATOR, post(orders::deliver)).with_parameters(),
        does("/refunds", OPERATOR, post(refunds::request)),
        reads("/refunds", VIEWER, get(refunds::list)).with_parameters(),
        reads("/refunds/{id}", VIEWER, get(refunds::show)),
        reads("/analytics/kpis", VIEWER, get(figures::kpis)).with_parameters(),
        reads("/leaderboard", VIEWER, get(figures::leaderboard)).with_parameters(),
        reads("/leaderboard/customers/{id}", VIEWER, get(figures::standing)).with_parameters(),
        reads("/products", VIEWER, get(products::list)).with_parameters(),
        does("/products", OPERATOR, post(products::create)),
        reads("/products/{sku}", VIEWER, get(products::show)),
        Endpoint::new(Method::PATCH, "/products/{sku}", OPERATOR, patch(products::change)),
        does("/products/{sku}/stock", OPERATOR, post(products::stock)),
        reads("/customers", VIEWER, get(customers::list)).with_parameters(),
        reads("/customers/{id}", VIEWER, get(customers::show)),
        does("/orders/import", OPERATOR, post(imports::start)).with_parameters(),
        reads("/imports", VIEWER, get(imports::list)).with_parameters(),
        reads("/imports/{id}", VIEWER, get(imports::show)),
        reads("/imports/{id}/rejects.csv", VIEWER, get(imports::rejects)),
        does("/imports/{id}/pause", OPERATOR, post(imports::pause)),
        does("/imports/{id}/continue", OPERATOR, post(imports::resume)),
        does("/imports/{id}/cancel", OPERATOR, post(imports::cancel)),
        reads("/notifications", VIEWER, get(notifications::list)).with_parameters(),
        reads("/notifications/webhook", VIEWER, get(notifications::receiver)),
        does("/notifications/webhook/enable", OPERATOR, post(notifications::enable)),
        reads("/notifications/{id}", VIEWER, get(notifications::show)),
        does("/notifications/{id}/resend", OPERATOR, post(notifications::resend)),
        reads("/queues", VIEWER, get(queue::queues)),
        reads("/queues/{queue}/metrics", VIEWER, get(queue::metrics)).with_parameters(),
        does("/queues/{queue}/pause", OPERATOR, post(queue::pause)),
        does("/queues/{queue}/continue", OPERATOR, post(queue::resume)),
        reads("/jobs", VIEWER, get(queue::list)).with_parameters(),
        does("/jobs/retry", OPERATOR, post(queue::retry_all)),
        does("/jobs/cancel", OPERATOR, post(queue::cancel_all)),
        reads("/jobs/{id}", VIEWER, get(queue::show)),
        Endpoint::new(Method::DELETE, "/jobs/{id}", OPERATOR, delete(queue::forget)),
        does("/jobs/{id}/retry", OPERATOR, post(queue::retry)),
        does("/jobs/{id}/cancel", OPERATOR, post(queue::cancel)),
        reads("/failures", VIEWER, get(queue::failures)),
        reads("/batches", VIEWER, get(queue::batches)).with_parameters(),
        reads("/batches/{id}", VIEWER, get(queue::batch)),
        reads("/workers", VIEWER, get(queue::workers)),
        reads("/events", VIEWER, get(events::listen)).with_parameters(),
        reads("/session", VIEWER, get(session::show)),
        reads("/operator-actions", ADMIN, get(operators::list)).with_parameters(),
        reads("/webhooks", VIEWER, get(webhooks::list)).with_parameters(),
        reads("/system", VIEWER, get(system::show)),
        does("/webhooks/payments", SIGNED, post(webhooks::receive)),
    ]
}

/// Every method of every address under `/api` with the role it needs; none for what is signed instead.
pub fn access() -> Vec<(Method, &'static str, Option<Role>)> {
    endpoints().into_iter().map(|endpoint| (endpoint.method, endpoint.path, endpoint.needs)).collect()
}

/// Everything under `/api`.
pub(crate) fn routes(web: &Web) -> Router<Web> {
    endpoints().into_iter().fold(Router::new(), |router, endpoint| {
        let Endpoint { path, needs, takes_parameters, handler, .. } = endpoint;
        let handler =
            if takes_parameters { handler } else { handler.route_layer(from_fn(refuse_parameters)) };
        let guarded = match needs {
            Some(role) => handler.route_layer(from_fn_with_state((web.clone(), role), guard)),
            None => handler,
        };
        router.route(path, guarded)
    })
}
