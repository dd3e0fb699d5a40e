//! What becomes of orders, in whatever process, for those who watch.

use std::time::Duration;

use serde::Serialize;
use sql::Tx;
use store::order_feed::{self, OrderNews, Told};

use crate::{App, Result};

/// For how long news are kept for whoever comes back.
pub const KEPT: Duration = Duration::from_mins(2);
/// Rows of the feed that are read at once, each the news of a transaction.
const AT_ONCE: u32 = 500;
/// Events that are told one by one at once.
const LISTED: usize = 100;

/// What became of orders since.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct News {
    /// The events, in the order in which others heard of them; a hundred at most.
    pub events: Vec<OrderNews>,
    /// How many there were besides. Whoever shows orders reads them anew.
    pub more: usize,
}

impl News {
    fn of(rows: Vec<Told>) -> Self {
        let mut news = News::default();
        for Told { listed, more, .. } in rows {
            let room = LISTED - news.events.len();
            news.more += more + listed.len().saturating_sub(room);
            news.events.extend(listed.into_iter().take(room));
        }
        news
    }
}

/// How far others were told, and whether everything after `seen` can still be told.
pub async fn look(app: &App, seen: Option<i64>) -> Result<(i64, bool)> {
    app.read("look_at_order_feed", move |tx| {
        let continues = seen.map_or(Ok(true), |seen| order_feed::continues(tx, seen))?;
        Ok((order_feed::counter(tx)?.numbered, continues))
    })
    .await
}

/// What there is to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Nothing has happened since.
    Nothing,
    /// This has, and the number stands for having heard it.
    News(i64, News),
    /// Some of what has happened is no longer kept; the number stands for the present.
    Lost(i64),
}

/// What became of orders after `seen`, in whatever process.
pub async fn listen(app: &App, seen: i64) -> Result<Heard> {
    let is_new = |tx: &mut Tx<'_>| -> Result<_> { Ok(order_feed::has_unnumbered(tx)?) };
    if app.read("look_for_news", is_new).await? {
        let now = app.now();
        app.transaction("number_news", move |tx| -> Result<_> { Ok(order_feed::number(tx, now)?) }).await?;
    }
    hear_again(app, seen).await
}

/// What somebody was told already of what became of orders after `seen`.
pub async fn hear_again(app: &App, seen: i64) -> Result<Heard> {
    app.read("read_news", move |tx| {
        let counter = order_feed::counter(tx)?;
        if seen < counter.pruned {
            return Ok(Heard::Lost(counter.numbered));
        }
        let rows = order_feed::list_after(tx, seen, AT_ONCE)?;
        let last = rows.last().map(|row| row.number);
        Ok(last.map_or(Heard::Nothing, |last| Heard::News(last, News::of(rows))))
    })
    .await
}

/// Deletes news that are old.
pub async fn forget_old_news(app: &App) -> Result<()> {
    let now = app.now();
    let before = now.checked_sub(KEPT).unwrap_or(now);
    let is_old = move |tx: &mut Tx<'_>| -> Result<_> { Ok(order_feed::has_older(tx, before)?) };
    if !app.read("look_for_old_news", is_old).await? {
        return Ok(());
    }
    let prune = move |tx: &mut Tx<'_>| -> Result<_> { Ok(order_feed::prune(tx, before, now)?) };
    while app.transaction("forget_old_news", prune).await? {}
    Ok(())
}
