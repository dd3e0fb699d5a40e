//! Where a customer stands on the leaderboard of all time.
//!
//! For somebody far from the top everybody ahead of them is counted, so that it comes after the page that it belongs to.

use analytics::{BoardOf, BoardQuery};
use app::App;
use app::figures::{self, Ranked};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{CustomerId, Money, Period};

use crate::ApiError;
use crate::address::Path;
use crate::pages::page;
use crate::pages::words::{number, priced};
use crate::server::Web;

/// How many above and below are shown.
const NEIGHBOURS: u32 = 2;

/// Who is above and below them.
#[derive(Template)]
#[template(path = "customers/rank.html")]
pub(super) struct Rank {
    neighbours: Vec<Neighbour>,
}

impl askama::filters::HtmlSafe for Rank {}

struct Neighbour {
    rank: u64,
    id: i64,
    called: String,
    is_self: bool,
    orders: String,
    net: String,
}

impl Rank {
    pub(super) async fn read(app: &App, id: CustomerId) -> Result<Self, ApiError> {
        let query = BoardQuery {
            of: BoardOf::Customers,
            period: Period::All,
            date: app.calendar().business_day(app.now()),
            currency: figures::currency(app, None),
            limit: NEIGHBOURS,
        };
        let board = figures::standing(app, id, query).await?;
        let neighbours = board.into_iter().flat_map(|board| board.entries).filter_map(|entry| {
            let Ranked::Customer(one) = entry.who else { return None };
            Some(Neighbour {
                rank: entry.rank,
                id: one.id.get(),
                is_self: one.id == id,
                called: one
                    .name
                    .or(one.email)
                    .or(one.external_id)
                    .unwrap_or_else(|| format!("customer {}", one.id)),
                orders: number(entry.score.count),
                net: priced(Money::new(entry.score.net, entry.currency)),
            })
        });
        Ok(Rank { neighbours: neighbours.collect() })
    }
}

/// `GET /customers/{id}/rank`: a part of the customer's page.
pub(in crate::pages) async fn rank(
    State(web): State<Web>,
    Path(id): Path<CustomerId>,
) -> Result<Response, ApiError> {
    page(StatusCode::OK, &Rank::read(&web.app, id).await?)
}
