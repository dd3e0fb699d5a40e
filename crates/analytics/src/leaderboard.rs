use domain::{Calendar, CustomerId, Period, day_number};
use jiff::civil::Date;
use sql::{Row, Tx, Value};

use crate::board::{Board, BoardEntry, BoardOf};
use crate::currency::CurrencyChoice;
use crate::generation::{Generation, Series};
use crate::spans::{end_of, start_of};
use crate::{Result, Score};

/// Which leaderboard to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoardQuery {
    /// Of whom.
    pub of: BoardOf,
    /// Over how long.
    pub period: Period,
    /// A day in the period; of no matter for all time.
    pub date: Date,
    /// In which currency.
    pub currency: CurrencyChoice,
    /// How many entries at most.
    pub limit: u32,
}

/// Reads the best of a period. Everybody with an order or a refund in it is on the board.
pub fn leaderboard(tx: &mut Tx<'_>, calendar: &Calendar, query: &BoardQuery) -> Result<Board<i64>> {
    let generation = Generation::live(tx, calendar)?;
    let chosen = query.currency.choose(generation.as_ref());
    let series = generation.as_ref().and_then(|one| one.series(chosen.currency));
    let rows = match series {
        Some(series) => best(tx, series, query)?,
        None => Vec::new(),
    };
    Ok(board(query, chosen.currency, chosen.others, 0, 1, rows))
}

/// Reads where a customer stands: `query.limit` entries above, the customer, and as many below. None if the customer
/// has neither order nor refund in the period.
pub fn rank_of(
    tx: &mut Tx<'_>,
    calendar: &Calendar,
    customer: CustomerId,
    query: &BoardQuery,
) -> Result<Option<Board<i64>>> {
    let query = BoardQuery { of: BoardOf::Customers, ..*query };
    let generation = Generation::live(tx, calendar)?;
    let chosen = query.currency.choose(generation.as_ref());
    let Some(series) = generation.as_ref().and_then(|one| one.series(chosen.currency)) else {
        return Ok(None);
    };
    let everybody = Source::new(series, &query);
    let Some(own) = everybody.score(tx, customer.get())? else { return Ok(None) };
    let leaders = Source::leaders(series);
    let among_leaders =
        query.period == Period::All && series.floor.is_none_or(|floor| floor.admits(customer.get(), &own));
    let mut standing = None;
    if among_leaders {
        standing = Some(leaders.around(tx, customer.get(), own, query.limit)?)
            .filter(|standing| series.floor.is_none() || standing.below == u64::from(query.limit));
    }
    let Standing { place, rank, rows, .. } = match standing {
        Some(standing) => standing,
        None => everybody.around(tx, customer.get(), own, query.limit)?,
    };
    Ok(Some(board(&query, chosen.currency, chosen.others, place, rank, rows)))
}

type Scored = (i64, Score);

/// Gives out ranks to rows of which the first has so many ahead of it, and this rank.
fn board(
    query: &BoardQuery,
    currency: domain::Currency,
    other_currencies: Vec<domain::Currency>,
    ahead: u64,
    first_rank: u64,
    rows: Vec<Scored>,
) -> Board<i64> {
    let mut entries: Vec<BoardEntry<i64>> = Vec::with_capacity(rows.len());
    for (place, (who, score)) in (ahead + 1..).zip(rows) {
        let rank = match entries.last() {
            None => first_rank,
            Some(last) if last.score.net == score.net => last.rank,
            Some(_) => place,
        };
        entries.push(BoardEntry { rank, of: query.of, who, score, currency });
    }
    let date = (query.period != Period::All).then_some(query.date);
    Board { of: query.of, period: query.period, date, currency, entries, other_currencies }
}

fn best(tx: &mut Tx<'_>, series: &Series, query: &BoardQuery) -> Result<Vec<Scored>> {
    if query.of == BoardOf::Customers && query.period == Period::All {
        let rows = Source::leaders(series).best(tx, query.limit)?;
        if series.floor.is_none() || rows.len() as u64 == u64::from(query.limit) {
            return Ok(rows);
        }
    }
    Source::new(series, query).best(tx, query.limit)
}

/// A query that gives everybody on a board as `id, figure, net, reached_at`.
struct Source {
    sql: String,
    params: Vec<Value<'static>>,
}

/// Where a customer stands, and who is near.
struct Standing {
    /// How many stand before the first row.
    place: u64,
    /// The rank of the first row.
    rank: u64,
    rows: Vec<Scored>,
    /// How many rows stand below the customer.
    below: u64,
}

impl Source {
    fn new(series: &Series, query: &BoardQuery) -> Self {
        let (noun, figure) = match query.of {
            BoardOf::Customers => ("customer", "orders"),
            BoardOf::Products => ("product", "units"),
        };
        let start = start_of(query.period, day_number(query.date));
        let plain = |table: &str, column: &str| Source {
            sql: format!(
                "SELECT {noun}_id AS id, {figure} AS figure, net, reached_at FROM {noun}_{table} \
                 WHERE series = ? AND {column} = ?"
            ),
            params: vec![series.id.into(), start.into()],
        };
        // A sum is a decimal on some engines, unless it is told otherwise.
        let summed = |table: &str, limits: &str, mut params: Vec<Value<'static>>| Source {
            sql: format!(
                "SELECT {noun}_id AS id, CAST(SUM({figure}) AS SIGNED) AS figure, CAST(SUM(net) AS SIGNED) AS net, \
                 MAX(reached_at) AS reached_at FROM {noun}_{table} WHERE series = ?{limits} GROUP BY {noun}_id"
            ),
            params: {
                params.insert(0, series.id.into());
                params
            },
        };
        match (query.period, query.of) {
            (Period::Day, _) => plain("days", "day"),
            (Period::Month, _) => plain("months", "month"),
            (Period::Week, _) => summed(
                "days",
                " AND day BETWEEN ? AND ?",
                vec![start.into(), end_of(Period::Week, start).into()],
            ),
            (Period::All, BoardOf::Products) => summed("months", "", Vec::new()),
            (Period::All, BoardOf::Customers) => Self::all_time("customer_totals", series),
        }
    }

    fn leaders(series: &Series) -> Self {
        Self::all_time("customer_leaders", series)
    }

    fn all_time(table: &str, series: &Series) -> Self {
        Source {
            sql: format!(
                "SELECT customer_id AS id, orders AS figure, net, reached_at FROM {table} WHERE series = ?"
            ),
            params: vec![series.id.into()],
        }
    }

    fn select(
        &self,
        tx: &mut Tx<'_>,
        rest: &str,
        more: impl IntoIterator<Item = i64>,
    ) -> Result<Vec<Scored>> {
        let sql = format!("SELECT id, figure, net, reached_at FROM ({}) AS board {rest}", self.sql);
        Ok(tx.query(&sql, &self.with(more), read_scored)?)
    }

    fn count(&self, tx: &mut Tx<'_>, condition: &str, more: impl IntoIterator<Item = i64>) -> Result<u64> {
        let sql = format!("SELECT COUNT(*) FROM ({}) AS board WHERE {condition}", self.sql);
        Ok(tx.query_one(&sql, &self.with(more), |row| row.get(0))?)
    }

    fn with(&self, more: impl IntoIterator<Item = i64>) -> Vec<Value<'static>> {
        self.params.iter().cloned().chain(more.into_iter().map(Value::Int)).collect()
    }

    fn best(&self, tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Scored>> {
        self.select(tx, "ORDER BY net DESC, reached_at, id LIMIT ?", [i64::from(limit)])
    }

    fn score(&self, tx: &mut Tx<'_>, id: i64) -> Result<Option<Score>> {
        Ok(self.select(tx, "WHERE id = ?", [id])?.pop().map(|(_, score)| score))
    }

    fn around(&self, tx: &mut Tx<'_>, id: i64, own: Score, limit: u32) -> Result<Standing> {
        const AHEAD: &str = "(net > ? OR (net = ? AND (reached_at < ? OR (reached_at = ? AND id < ?))))";
        const BEHIND: &str = "(net < ? OR (net = ? AND (reached_at > ? OR (reached_at = ? AND id > ?))))";
        let place = |id, score: Score| [score.net, score.net, score.reached_at, score.reached_at, id];
        let limit = [i64::from(limit)];
        let mut rows = self.select(
            tx,
            &format!("WHERE {AHEAD} ORDER BY net, reached_at DESC, id DESC LIMIT ?"),
            place(id, own).into_iter().chain(limit),
        )?;
        rows.reverse();
        rows.push((id, own));
        let behind = self.select(
            tx,
            &format!("WHERE {BEHIND} ORDER BY net DESC, reached_at, id LIMIT ?"),
            place(id, own).into_iter().chain(limit),
        )?;
        let below = behind.len() as u64;
        rows.extend(behind);
        let (first, score) = rows[0];
        let rank = self.count(tx, "net > ?", [score.net])? + 1;
        let ahead = self.count(tx, AHEAD, place(first, score))?;
        Ok(Standing { place: ahead, rank, rows, below })
    }
}

fn read_scored(row: &Row<'_>) -> sql::Result<Scored> {
    Ok((row.get(0)?, Score { count: row.get(1)?, net: row.get(2)?, reached_at: row.get(3)? }))
}
