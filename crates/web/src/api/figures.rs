//! The key figures and the leaderboards.

use analytics::{Board, BoardOf, BoardQuery, Granularity, KpiQuery, KpiReport};
use app::figures::{self as cases, Ranked};
use axum::Json;
use axum::extract::State;
use domain::{Currency, CustomerId, Period};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::ApiError;
use crate::address::Path;
use crate::query::{Limit, Query};
use crate::server::Web;

/// Of which days: one, or a span; today, where none is named.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Span {
    /// One day.
    date: Option<Date>,
    /// The first day of a span.
    from: Option<Date>,
    /// Its last day, included.
    to: Option<Date>,
    /// How long each period is; a day, where it is not told.
    granularity: Option<Granularity>,
    /// The currency of the figures; the shop's, where it is not told.
    currency: Option<Currency>,
}

impl Span {
    fn days(&self, today: Date) -> Result<(Date, Date), ApiError> {
        match (self.date, self.from, self.to) {
            (Some(day), None, None) => Ok((day, day)),
            (None, Some(from), Some(to)) => Ok((from, to)),
            (None, None, None) => Ok((today, today)),
            _ => Err(ApiError::wrong("?date", "name `date`, or `from` and `to`, or none of them for today")),
        }
    }
}

/// `GET /api/analytics/kpis`
pub(crate) async fn kpis(
    State(web): State<Web>,
    Query(span): Query<Span>,
) -> Result<Json<KpiReport>, ApiError> {
    let (from, to) = span.days(web.app.calendar().business_day(web.app.now()))?;
    let granularity = span.granularity.unwrap_or(Granularity::Day);
    let currency = cases::currency(&web.app, span.currency);
    Ok(Json(cases::kpis(&web.app, KpiQuery { from, to, granularity, currency }).await?))
}

/// Which leaderboard.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Whom it ranks; customers, where it is not told.
    of: Option<BoardOf>,
    /// Over how long; all time, where it is not told.
    period: Option<Period>,
    /// A day in the period; today, where it is not told.
    date: Option<Date>,
    /// The currency of the scores; the shop's, where it is not told.
    currency: Option<Currency>,
    #[serde(default)]
    #[schemars(with = "Option<Limit>")]
    limit: Limit,
}

impl Wanted {
    fn query(&self, web: &Web) -> BoardQuery {
        BoardQuery {
            of: self.of.unwrap_or(BoardOf::Customers),
            period: self.period.unwrap_or(Period::All),
            date: self.date.unwrap_or_else(|| web.app.calendar().business_day(web.app.now())),
            currency: cases::currency(&web.app, self.currency),
            limit: self.limit.0,
        }
    }
}

/// `GET /api/leaderboard`
pub(crate) async fn leaderboard(
    State(web): State<Web>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Board<Ranked>>, ApiError> {
    Ok(Json(cases::leaderboard(&web.app, wanted.query(&web)).await?))
}

/// `GET /api/leaderboard/customers/{id}`: where a customer stands, with as many above and below.
pub(crate) async fn standing(
    State(web): State<Web>,
    Path(id): Path<CustomerId>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Board<Ranked>>, ApiError> {
    if wanted.of == Some(BoardOf::Products) {
        return Err(ApiError::wrong("?of", "this address is about customers"));
    }
    let query = BoardQuery { of: BoardOf::Customers, ..wanted.query(&web) };
    let board = cases::standing(&web.app, id, query).await?;
    let missing = || ApiError::Missing { what: "rank in that period for customer", name: id.to_string() };
    board.map(Json).ok_or_else(missing)
}
