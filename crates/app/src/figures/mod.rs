//! The figures as people ask for them: key figures, leaderboards with names, and their rebuild from the ledger. They are
//! in the ledger's database, or in Redis where the settings name one; only this module and `verify` know which.

mod feed;
pub(crate) mod ledger;
mod named;
mod rebuild;

pub use feed::catch_up;
pub(crate) use feed::{is_current, run, settle, tell};
pub use named::{Ranked, RankedCustomer, RankedProduct};
pub use rebuild::{Rebuilt, rebuild};

use analytics::{Board, BoardOf, BoardQuery, CurrencyChoice, CustomerScores, KpiQuery, KpiReport};
use domain::{Currency, CustomerId, Period};
use sql::Tx;

use crate::{App, Result};

/// Which currency figures are shown in when `named` is asked for, or none.
pub fn currency(app: &App, named: Option<Currency>) -> CurrencyChoice {
    CurrencyChoice { named, shop: app.currency() }
}

/// Days whose figures are a few rows to find.
const A_SEASON: i32 = 92;

/// The key figures of a span of business days.
pub async fn kpis(app: &App, query: KpiQuery) -> Result<KpiReport> {
    if let Some(store) = feed::ready(app).await? {
        return Ok(Box::pin(store.kpis(&query)).await?);
    }
    let inner = app.clone();
    let is_short = query.from.until(query.to).is_ok_and(|span| span.get_days() <= A_SEASON);
    read(app, "kpis", is_short, move |tx| Ok(analytics::kpis(tx, inner.calendar(), &query)?)).await
}

/// The best of a period, by name.
pub async fn leaderboard(app: &App, query: BoardQuery) -> Result<Board<Ranked>> {
    if let Some(store) = feed::ready(app).await? {
        let board = Box::pin(store.leaderboard(&query)).await?;
        return with_names(app, board).await;
    }
    let inner = app.clone();
    // These are kept by rank; the others are sorted, and some of them added up, for each who asks.
    let is_kept = query.period == Period::All && query.of == BoardOf::Customers;
    read(app, "leaderboard", is_kept, move |tx| {
        let board = analytics::leaderboard(tx, inner.calendar(), &query)?;
        named::named(tx, board)
    })
    .await
}

/// Where a customer stands: `query.limit` entries above, the customer, and as many below. None if the customer has
/// neither an order nor a refund in the period.
pub async fn standing(app: &App, customer: CustomerId, query: BoardQuery) -> Result<Option<Board<Ranked>>> {
    if let Some(store) = feed::ready(app).await? {
        return match Box::pin(store.rank_of(customer, &query)).await? {
            Some(board) => with_names(app, board).await.map(Some),
            None => Ok(None),
        };
    }
    let inner = app.clone();
    app.read("standing", move |tx| {
        let board = analytics::rank_of(tx, inner.calendar(), customer, &query)?;
        board.map(|board| named::named(tx, board)).transpose()
    })
    .await
}

/// What these customers have reached over all time, in the currency that is shown where none is named.
pub async fn customer_scores(app: &App, customers: Vec<CustomerId>) -> Result<CustomerScores> {
    let choice = currency(app, None);
    if let Some(store) = feed::ready(app).await? {
        return Ok(Box::pin(store.customer_scores(&customers, choice)).await?);
    }
    let inner = app.clone();
    app.look_up("customer_scores", move |tx| {
        Ok(analytics::customer_scores(tx, inner.calendar(), &customers, choice)?)
    })
    .await
}

/// Reads over one snapshot: at once where few rows are read.
async fn read<T: Send + 'static>(
    app: &App,
    name: &'static str,
    reads_few: bool,
    f: impl FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> Result<T> {
    if reads_few { app.look_up(name, f).await } else { app.read(name, f).await }
}

async fn with_names(app: &App, board: Board<i64>) -> Result<Board<Ranked>> {
    app.look_up("board_names", move |tx| named::named(tx, board.clone())).await
}
