//! A customer with what they bought.

use app::{App, figures};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{CustomerId, Money};
use serde::Deserialize;
use sql::Tx;
use store::customers::Customer;
use store::orders::{OrderRow, Search};
use store::refunds::Refund;

use super::list::in_source;
use super::rank::Rank;
use crate::ApiError;
use crate::access::SignedIn;
use crate::address::Path;
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, When};
use crate::pages::words::{number, priced};
use crate::pages::{CUSTOMERS, page};
use crate::query::Query;
use crate::server::Web;

/// Orders that are shown here; the list of orders shows all.
const ORDERS: u32 = 10;

#[derive(Template)]
#[template(path = "customers/show.html")]
struct CustomerPage<'p> {
    frame: Frame<'p>,
    customer: Customer,
    called: String,
    in_source: String,
    orders_counted: String,
    net: String,
    other_currencies: String,
    rank: Option<Rank>,
    orders: Vec<Order>,
    refunds: Vec<RefundRow>,
}

struct Order {
    id: i64,
    name: String,
    placed: When,
    status: Badge,
    payment: Badge,
    fulfilment: Badge,
    total: String,
}

struct RefundRow {
    id: i64,
    order: i64,
    requested: When,
    amount: String,
    status: Badge,
    reason: String,
}

/// What is shown besides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Shown {
    /// Where they stand, at once: for browsers that run no script.
    #[serde(default)]
    rank: bool,
}

/// `GET /customers/{id}`
pub(in crate::pages) async fn show(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path(id): Path<CustomerId>,
    Query(Shown { rank }): Query<Shown>,
) -> Result<Response, ApiError> {
    let app = &web.app;
    let read = move |tx: &mut Tx<'_>| -> app::Result<_> {
        let customer = store::customers::get(tx, id)?;
        let search = Search { customer: Some(id), limit: ORDERS, ..Search::default() };
        let orders = store::orders::search(tx, &search)?.rows;
        let mut refunds = Vec::new();
        for order in orders.iter().filter(|order| order.refunded.amount + order.refund_pending.amount > 0) {
            refunds.extend(store::refunds::list_of_order(tx, order.id)?);
        }
        Ok((customer, orders, refunds))
    };
    let (customer, orders, refunds) = app.read("show_customer", read).await?;
    let scores = figures::customer_scores(app, vec![id]).await?;
    let score = scores.scores.get(&id.get()).copied().unwrap_or_default();
    page(
        StatusCode::OK,
        &CustomerPage {
            frame: Frame::new(app, &session, CUSTOMERS),
            called: customer.called(),
            in_source: in_source(&customer),
            customer,
            orders_counted: number(score.count),
            net: priced(Money::new(score.net, scores.currency)),
            other_currencies: scores
                .other_currencies
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", "),
            rank: if rank { Some(Rank::read(app, id).await?) } else { None },
            orders: orders.into_iter().map(|order| Order::new(app, order)).collect(),
            refunds: refunds.into_iter().map(|refund| RefundRow::new(app, refund)).collect(),
        },
    )
}

impl Order {
    fn new(app: &App, order: OrderRow) -> Self {
        Order {
            id: order.id.get(),
            name: format!("{}/{}", order.source, order.external_id),
            placed: When::new(app, order.placed_at),
            status: Badge::new(order.fail_reason.unwrap_or(order.status)),
            payment: Badge::new(order.payment),
            fulfilment: Badge::new(order.fulfilment),
            total: priced(order.total),
        }
    }
}

impl RefundRow {
    fn new(app: &App, refund: Refund) -> Self {
        RefundRow {
            id: refund.id.get(),
            order: refund.order.get(),
            requested: When::new(app, refund.requested_at),
            amount: priced(refund.amount),
            status: Badge::new(refund.status.as_str()),
            reason: refund.reason.unwrap_or_default(),
        }
    }
}
