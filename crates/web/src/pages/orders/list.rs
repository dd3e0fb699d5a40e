//! Finding orders.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{CustomerId, OrderStatus};
use sql::Tx;
use store::customers::Customer;
use store::orders::{OrderRow, Sort};

use crate::ApiError;
use crate::access::SignedIn;
use crate::api::orders::Listed;
use crate::pages::asked::{Asked, Filled};
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, Choice, Pager, When};
use crate::pages::words::{number, priced};
use crate::pages::{ORDERS, page};
use crate::query::Page;
use crate::server::Web;

#[derive(Template)]
#[template(path = "orders/list.html")]
struct OrdersPage<'p> {
    frame: Frame<'p>,
    statuses: Vec<Choice>,
    sorts: Vec<Choice>,
    views: Vec<View>,
    rows: Vec<Row>,
    pager: Pager,
    filled: Filled,
}

/// A list that somebody comes back to.
struct View {
    told: &'static str,
    address: String,
    is_shown: bool,
}

/// What shops look at every day, and the statuses that it takes.
const VIEWS: [(&str, &str); 4] =
    [("All", ""), ("To be shipped", "confirmed"), ("In progress", "pending,reserved"), ("Failed", "failed")];

struct Row {
    id: i64,
    name: String,
    placed: When,
    customer: String,
    customer_id: i64,
    status: Badge,
    payment: Badge,
    fulfilment: Badge,
    units: String,
    total: String,
}

/// `GET /orders`
pub(in crate::pages) async fn list(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    asked: Asked<Listed>,
) -> Result<Response, ApiError> {
    let (listed, filled) = asked.parts();
    let search = listed.search(web.app.calendar())?;
    let read = move |tx: &mut Tx<'_>| -> app::Result<_> {
        let part = store::orders::search(tx, &search)?;
        let customers = customers_of(tx, &part.rows)?;
        Ok((part, customers))
    };
    let (part, customers) = web.app.read("list_orders", read).await?;
    let Page { data, next } = Page::of_part(part);
    let row = |order: OrderRow| Row::new(&web.app, order, &customers);
    page(
        StatusCode::OK,
        &OrdersPage {
            frame: Frame::new(&web.app, &session, ORDERS),
            statuses: Choice::among(&filled, "status", OrderStatus::ALL.iter().map(|one| one.as_str())),
            sorts: Choice::among(&filled, "sort", Sort::ALL.map(|(_, word)| word)),
            views: views(&filled),
            rows: data.into_iter().map(row).collect(),
            pager: Pager::new(ORDERS, &filled, next.as_deref()),
            filled,
        },
    )
}

/// Whose these orders are.
fn customers_of(tx: &mut Tx<'_>, orders: &[OrderRow]) -> store::Result<HashMap<i64, Customer>> {
    let mut ids: Vec<i64> = orders.iter().map(|order| order.customer_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let ids: Vec<CustomerId> = ids.into_iter().map(CustomerId::from_ledger).collect();
    let customers = store::customers::list(tx, &ids)?;
    Ok(customers.into_iter().map(|customer| (customer.id.get(), customer)).collect())
}

fn views(filled: &Filled) -> Vec<View> {
    let view = |(told, statuses)| View {
        told,
        address: format!("{ORDERS}{}", filled.with("status", statuses)),
        is_shown: filled.is("status", statuses),
    };
    VIEWS.map(view).into()
}

impl Row {
    fn new(app: &app::App, order: OrderRow, customers: &HashMap<i64, Customer>) -> Self {
        let customer = customers.get(&order.customer_id);
        Row {
            id: order.id.get(),
            name: format!("{}/{}", order.source, order.external_id),
            placed: When::new(app, order.placed_at),
            customer: customer.map(Customer::called).unwrap_or_default(),
            customer_id: order.customer_id,
            status: Badge::new(order.fail_reason.unwrap_or(order.status)),
            payment: Badge::new(order.payment),
            fulfilment: Badge::new(order.fulfilment),
            units: number(order.units),
            total: priced(order.total),
        }
    }
}
