//! The API: one file per noun, and one table of what is answered where to whom.

pub(crate) mod customers;
mod events;
mod figures;
mod imports;
pub(crate) mod notifications;
mod operators;
pub(crate) mod orders;
mod products;
pub(crate) mod queue;
pub(crate) mod refunds;
mod session;
mod system;
pub(crate) mod webhooks;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, MethodRouter, on};
use domain::Role;

use crate::access::guard;
use crate::openapi::{Operation, Signature};
use crate::query::refuse_parameters;
use crate::server::Web;
use crate::{docs, metrics, openapi};

/// A method of an address.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    /// Below what its table stands for.
    pub(crate) path: &'static str,
    /// What a caller must be at least; none where the handler itself finds out who speaks.
    pub(crate) needs: Option<Role>,
    /// What it does, in a few words.
    pub(crate) summary: &'static str,
    /// Where the handler is, by its path in the code.
    pub(crate) handler_name: &'static str,
    /// Whether anything may stand behind a `?`; the handler then says what.
    takes_parameters: bool,
    below: &'static str,
    signature: fn(&mut Operation<'_>),
    more: Option<fn(&mut Operation<'_>)>,
    handler: MethodRouter<Web>,
}

impl Endpoint {
    fn new<H, Extracted, Arguments>(
        method: Method,
        path: &'static str,
        needs: Option<Role>,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<Extracted, Web> + Signature<Arguments>,
        Extracted: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("a method that routers know");
        Endpoint {
            method,
            path,
            needs,
            summary,
            handler_name: std::any::type_name::<H>(),
            takes_parameters: H::TAKES_PARAMETERS,
            below: "/api",
            signature: H::describe,
            more: None,
            handler: on(filter, handler),
        }
    }

    /// Says what the handler's signature does not.
    fn with(self, more: fn(&mut Operation<'_>)) -> Self {
        Endpoint { more: Some(more), ..self }
    }

    /// Puts it beside what is below `/api`.
    fn at_the_root(self) -> Self {
        Endpoint { below: "", ..self }
    }

    /// Its whole address.
    pub(crate) fn address(&self) -> String {
        format!("{}{}", self.below, self.path)
    }

    /// Says everything that is known of it.
    pub(crate) fn describe(&self, operation: &mut Operation<'_>) {
        (self.signature)(operation);
        if let Some(more) = self.more {
            more(operation);
        }
    }
}

fn reads<H, Extracted, Arguments>(
    path: &'static str,
    needs: Option<Role>,
    summary: &'static str,
    handler: H,
) -> Endpoint
where
    H: Handler<Extracted, Web> + Signature<Arguments>,
    Extracted: 'static,
{
    Endpoint::new(Method::GET, path, needs, summary, handler)
}

fn does<H, Extracted, Arguments>(
    path: &'static str,
    needs: Option<Role>,
    summary: &'static str,
    handler: H,
) -> Endpoint
where
    H: Handler<Extracted, Web> + Signature<Arguments>,
    Extracted: 'static,
{
    Endpoint::new(Method::POST, path, needs, summary, handler)
}

const VIEWER: Option<Role> = Some(Role::Viewer);
const OPERATOR: Option<Role> = Some(Role::Operator);
const ADMIN: Option<Role> = Some(Role::Admin);
/// What is signed needs no token.
const SIGNED: Option<Role> = None;

/// All that is answered under `/api`, and to whom. There is no other way in.
#[expect(clippy::too_many_lines, reason = "a table: a line for each address")]
fn below_api() -> Vec<Endpoint> {
    vec![
        reads("/orders", VIEWER, "Lists orders", orders::list).with(orders::listed),
        does("/orders", OPERATOR, "Places an order", orders::place).with(orders::placed),
        reads("/orders/{order}", VIEWER, "Shows an order with all that belongs to it", orders::show)
            .with(orders::shown),
        does("/orders/{order}/cancel", OPERATOR, "Cancels an order", orders::cancel).with(orders::moved),
        does("/orders/{order}/ship", OPERATOR, "Ships an order, or units of it", orders::ship)
            .with(orders::moved),
        does("/orders/{order}/deliver", OPERATOR, "Marks an order as delivered", orders::deliver)
            .with(orders::moved),
        does("/refunds", OPERATOR, "Asks for a refund", refunds::request).with(refunds::requested),
        reads("/refunds", VIEWER, "Lists refunds, newest first", refunds::list),
        reads("/refunds/{id}", VIEWER, "Shows a refund", refunds::show),
        reads("/analytics/kpis", VIEWER, "Key figures of days, weeks or months", figures::kpis),
        reads("/leaderboard", VIEWER, "The best customers or products", figures::leaderboard),
        reads("/leaderboard/customers/{id}", VIEWER, "Where a customer stands", figures::standing),
        reads("/products", VIEWER, "Lists products by SKU", products::list),
        does("/products", OPERATOR, "Makes a product, without stock", products::create)
            .with(products::created),
        reads("/products/{sku}", VIEWER, "Shows a product with its stock", products::show)
            .with(products::shown),
        Endpoint::new(
            Method::PATCH,
            "/products/{sku}",
            OPERATOR,
            "Changes what the catalogue says",
            products::change,
        )
        .with(products::changed),
        does("/products/{sku}/stock", OPERATOR, "Receives goods, or puts a count right", products::stock)
            .with(products::stocked),
        reads("/customers", VIEWER, "Lists customers, newest first", customers::list),
        reads("/customers/{id}", VIEWER, "Shows a customer", customers::show),
        does("/orders/import", OPERATOR, "Imports a file of orders", imports::start).with(imports::started),
        reads("/imports", VIEWER, "Lists imports, newest first", imports::list),
        reads("/imports/{id}", VIEWER, "Shows how far an import is", imports::show),
        reads("/imports/{id}/rejects.csv", VIEWER, "The rows that were not imported", imports::rejects)
            .with(imports::rejected),
        does("/imports/{id}/pause", OPERATOR, "Pauses an import", imports::pause).with(imports::steered),
        does("/imports/{id}/continue", OPERATOR, "Lets a paused import go on", imports::resume)
            .with(imports::steered),
        does("/imports/{id}/cancel", OPERATOR, "Ends an import; what is imported stays", imports::cancel)
            .with(imports::steered),
        reads("/notifications", VIEWER, "Lists what customers were told, newest first", notifications::list),
        reads(
            "/notifications/webhook",
            VIEWER,
            "Shows how the shop's own receiver does",
            notifications::receiver,
        )
        .with(notifications::received),
        does(
            "/notifications/webhook/enable",
            OPERATOR,
            "Calls the shop's own receiver again",
            notifications::enable,
        )
        .with(notifications::enabled),
        reads("/notifications/{id}", VIEWER, "Shows a notification with its words", notifications::show),
        does("/notifications/{id}/resend", OPERATOR, "Sends a notification again", notifications::resend)
            .with(notifications::resent),
        reads("/queues", VIEWER, "Lists queues with what they hold", queue::queues),
        reads(
            "/queues/{queue}/metrics",
            VIEWER,
            "Throughput, waits and run times of a queue",
            queue::metrics,
        ),
        does("/queues/{queue}/pause", OPERATOR, "Holds a queue's jobs back", queue::pause),
        does("/queues/{queue}/continue", OPERATOR, "Lets a queue hand out its jobs", queue::resume),
        reads("/jobs", VIEWER, "Lists jobs", queue::list),
        does("/jobs/retry", OPERATOR, "Retries many jobs", queue::retry_all),
        does("/jobs/cancel", OPERATOR, "Cancels many jobs", queue::cancel_all),
        reads("/jobs/{id}", VIEWER, "Shows a job with its errors", queue::show),
        Endpoint::new(Method::DELETE, "/jobs/{id}", OPERATOR, "Deletes a job that has ended", queue::forget),
        does("/jobs/{id}/retry", OPERATOR, "Retries a job", queue::retry),
        does("/jobs/{id}/cancel", OPERATOR, "Cancels a job", queue::cancel),
        reads("/failures", VIEWER, "What fails, grouped by error, the most frequent first", queue::failures),
        reads("/batches", VIEWER, "Lists batches of jobs, newest first", queue::batches),
        reads("/batches/{id}", VIEWER, "Shows how far a batch of jobs is", queue::batch),
        reads("/workers", VIEWER, "Lists the supervisors that were heard of lately", queue::workers),
        reads("/events", VIEWER, "Tells what happens, while it happens", events::listen)
            .with(events::listening),
        reads("/session", VIEWER, "Tells who asks", session::show),
        reads("/operator-actions", ADMIN, "Lists what operators did, newest first", operators::list),
        reads("/webhooks", VIEWER, "Lists what the gateway sent, and what was done about it", webhooks::list),
        reads("/system", VIEWER, "Shows how everything stands", system::show),
        does("/webhooks/payments", SIGNED, "Takes a callback of the payment gateway", webhooks::receive)
            .with(webhooks::received),
    ]
}

/// What tells of the API, beside it.
fn beside_api() -> Vec<Endpoint> {
    vec![
        reads("/metrics", VIEWER, "Figures for Prometheus", metrics::scrape)
            .with(metrics::scraped)
            .at_the_root(),
        reads("/openapi.json", VIEWER, "Describes the API", openapi::show).with(openapi::shown).at_the_root(),
        reads("/docs", VIEWER, "Describes the API as a page", docs::show).with(docs::shown).at_the_root(),
    ]
}

/// Everything that needs a role or a signature.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = below_api();
    endpoints.extend(beside_api());
    endpoints
}

/// An endpoint as tests and documents see it.
pub struct Access {
    /// Its method.
    pub method: Method,
    /// Its whole address.
    pub address: String,
    /// What a caller must be at least; none for what is signed instead.
    pub needs: Option<Role>,
    /// What it does, in a few words.
    pub summary: &'static str,
}

/// Every method of every address with the role that it needs.
pub fn access() -> Vec<Access> {
    let seen = |endpoint: Endpoint| Access {
        address: endpoint.address(),
        method: endpoint.method,
        needs: endpoint.needs,
        summary: endpoint.summary,
    };
    endpoints().into_iter().map(seen).collect()
}

/// Everything under `/api`.
pub(crate) fn routes(web: &Web) -> Router<Web> {
    route(web, below_api())
}

/// What stands beside `/api`.
pub(crate) fn about(web: &Web) -> Router<Web> {
    route(web, beside_api())
}

fn route(web: &Web, endpoints: Vec<Endpoint>) -> Router<Web> {
    endpoints.into_iter().fold(Router::new(), |router, endpoint| {
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
