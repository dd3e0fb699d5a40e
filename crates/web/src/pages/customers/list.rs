//! Finding customers.

use analytics::CustomerScores;
use app::figures;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::Money;
use store::customers::Customer;

use crate::ApiError;
use crate::access::SignedIn;
use crate::api::customers::Listed;
use crate::pages::asked::{Asked, Filled};
use crate::pages::frame::Frame;
use crate::pages::parts::Pager;
use crate::pages::words::{number, priced};
use crate::pages::{CUSTOMERS, page};
use crate::query::Page;
use crate::server::Web;

#[derive(Template)]
#[template(path = "customers/list.html")]
struct CustomersPage<'p> {
    frame: Frame<'p>,
    rows: Vec<Row>,
    pager: Pager,
    filled: Filled,
}

struct Row {
    id: i64,
    called: String,
    email: String,
    in_source: String,
    orders: String,
    net: String,
}

/// `GET /customers`
pub(in crate::pages) async fn list(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    asked: Asked<Listed>,
) -> Result<Response, ApiError> {
    let (listed, filled) = asked.parts();
    let Page { data, next } = listed.read(&web.app).await?;
    let ids = data.iter().map(|customer| customer.id).collect();
    let scores = figures::customer_scores(&web.app, ids).await?;
    page(
        StatusCode::OK,
        &CustomersPage {
            frame: Frame::new(&web.app, &session, CUSTOMERS),
            rows: data.into_iter().map(|customer| Row::new(customer, &scores)).collect(),
            pager: Pager::new(CUSTOMERS, &filled, next.as_deref()),
            filled,
        },
    )
}

impl Row {
    fn new(customer: Customer, scores: &CustomerScores) -> Self {
        let score = scores.scores.get(&customer.id.get()).copied().unwrap_or_default();
        Row {
            id: customer.id.get(),
            called: customer.called(),
            in_source: in_source(&customer),
            email: customer.email.unwrap_or_default(),
            orders: number(score.count),
            net: priced(Money::new(score.net, scores.currency)),
        }
    }
}

/// How the shop's source names a customer.
pub(super) fn in_source(customer: &Customer) -> String {
    match (&customer.source, &customer.external_id) {
        (Some(source), Some(id)) => format!("{source}/{id}"),
        _ => String::new(),
    }
}
