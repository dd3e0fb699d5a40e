//! Finding orders.

use app::App;
use app::orders as cases;
use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::OrderStatus;
use store::customers::Customer;
use store::orders::{OrderRow, Sort};
use store::saved_views::SavedView;

use crate::ApiError;
use crate::access::SignedIn;
use crate::api::orders::Listed;
use crate::pages::asked::{Asked, Filled};
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, Choice, Pager, View, When};
use crate::pages::words::{number, priced};
use crate::pages::{ORDERS, page};
use crate::query::Page;
use crate::server::Web;
use crate::stream::spill;

#[derive(Template)]
#[template(path = "orders/list.html")]
struct OrdersPage<'p> {
    frame: Frame<'p>,
    statuses: Vec<Choice>,
    sorts: Vec<Choice>,
    views: Vec<View>,
    own_views: Vec<OwnView>,
    /// The name under which this one is kept.
    shown_view: Option<String>,
    /// What this list asks for.
    query: String,
    rows: Vec<Row>,
    pager: Pager,
    /// Where the same is as CSV.
    csv: String,
    /// Whether it was found by more than is shown of the form at first.
    is_detailed: bool,
    filled: Filled,
}

/// A list that whoever looks keeps.
struct OwnView {
    name: String,
    address: String,
    is_shown: bool,
}

impl OwnView {
    fn new(view: SavedView, shown: &str) -> Self {
        let address = format!("{ORDERS}{}", view.query);
        OwnView { name: view.name, address, is_shown: view.query == shown }
    }
}

/// The fields that are folded away while nothing is in them.
const DETAILS: [&str; 7] = ["sku", "from", "to", "source", "import", "customer", "sort"];

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
    let Page { data, next } = Page::of_part(cases::list(&web.app, search).await?);
    let (own, query) = (cases::views(&web.app, &session.caller.actor).await?, filled.begun_again());
    let rows = data.into_iter().map(|(order, customer)| Row::new(&web.app, order, customer.as_ref()));
    page(
        StatusCode::OK,
        &OrdersPage {
            frame: Frame::new(&web.app, &session, ORDERS),
            statuses: Choice::among(&filled, "status", OrderStatus::ALL.iter().map(|one| one.as_str())),
            sorts: Choice::among(&filled, "sort", Sort::ALL.map(|(_, word)| word)),
            views: View::among(ORDERS, &filled, "status", &VIEWS),
            shown_view: own.iter().find(|view| view.query == query).map(|view| view.name.clone()),
            own_views: own.into_iter().map(|view| OwnView::new(view, &query)).collect(),
            rows: rows.collect(),
            pager: Pager::new(ORDERS, &filled, next.as_deref()),
            csv: format!("{ORDERS}.csv{query}"),
            query,
            is_detailed: DETAILS.iter().any(|name| !filled.value(name).is_empty()),
            filled,
        },
    )
}

/// `GET /orders.csv`: all that a list would show, to its end.
pub(in crate::pages) async fn export(
    State(web): State<Web>,
    asked: Asked<Listed>,
) -> Result<Response, ApiError> {
    let search = asked.fields.search(web.app.calendar())?;
    let file = spill(async |out| cases::export(&web.app, search, out).await.map(drop)).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"orders.csv\""),
    ];
    Ok((headers, file).into_response())
}

impl Row {
    fn new(app: &App, order: OrderRow, customer: Option<&Customer>) -> Self {
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
