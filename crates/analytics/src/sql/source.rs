use domain::{Period, day_number};
use sql::{Row, Tx, Value};

use super::generation::Series;
use crate::board::{BoardOf, BoardQuery, Scored};
use crate::spans::{end_of, start_of};
use crate::{Result, Score};

const BEST: &str = "ORDER BY net DESC, reached_at, id LIMIT ?";

/// A query that gives everybody on a board as `id, figure, net, reached_at`.
pub(crate) struct Source {
    sql: String,
    params: Vec<Value<'static>>,
}

/// Where a customer stands, and who is near.
pub(crate) struct Standing {
    /// How many stand before the first row.
    pub(crate) ahead: u64,
    /// The rank of the first row.
    pub(crate) first_rank: u64,
    pub(crate) rows: Vec<Scored>,
    /// How many rows stand below the customer.
    pub(crate) below: u64,
}

impl Source {
    pub(crate) fn new(series: &Series, query: &BoardQuery) -> Self {
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

    pub(crate) fn leaders(series: &Series) -> Self {
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
        Ok(tx.query(&self.text(rest), &self.with(more), read_scored)?)
    }

    fn text(&self, rest: &str) -> String {
        format!("SELECT id, figure, net, reached_at FROM ({}) AS board {rest}", self.sql)
    }

    fn count(&self, tx: &mut Tx<'_>, condition: &str, more: impl IntoIterator<Item = i64>) -> Result<u64> {
        let sql = format!("SELECT COUNT(*) FROM ({}) AS board WHERE {condition}", self.sql);
        Ok(tx.query_one(&sql, &self.with(more), |row| row.get(0))?)
    }

    fn with(&self, more: impl IntoIterator<Item = i64>) -> Vec<Value<'static>> {
        self.params.iter().cloned().chain(more.into_iter().map(Value::Int)).collect()
    }

    pub(crate) fn best(&self, tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Scored>> {
        self.select(tx, BEST, [i64::from(limit)])
    }

    pub(crate) fn score(&self, tx: &mut Tx<'_>, id: i64) -> Result<Option<Score>> {
        Ok(self.select(tx, "WHERE id = ?", [id])?.pop().map(|(_, score)| score))
    }

    pub(crate) fn around(&self, tx: &mut Tx<'_>, id: i64, own: Score, limit: u32) -> Result<Standing> {
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
        let first_rank = self.count(tx, "net > ?", [score.net])? + 1;
        let ahead = self.count(tx, AHEAD, place(first, score))?;
        Ok(Standing { ahead, first_rank, rows, below })
    }
}

fn read_scored(row: &Row<'_>) -> sql::Result<Scored> {
    Ok((row.get(0)?, Score { count: row.get(1)?, net: row.get(2)?, reached_at: row.get(3)? }))
}

#[cfg(test)]
mod tests {
    use sql::Database;

    use super::*;

    static SCHEMAS: &[&sql::Migrations] = &[&crate::MIGRATIONS];

    #[tokio::test]
    async fn the_leaders_are_read_in_the_order_of_their_index() {
        let folder = tempfile::tempdir().expect("a folder can be had");
        let settings = sql::Settings::new(folder.path().join("figures.db").display().to_string());
        let db = Database::open(&settings).expect("it opens");
        let migrated = db.migrate(SCHEMAS, jiff::Timestamp::UNIX_EPOCH).await;
        migrated.expect("it migrates");
        let leaders = Source::leaders(&Series { id: 1, currency: domain::Currency::EUR, floor: None });
        let explain = move |tx: &mut Tx<'_>| {
            let text = format!("EXPLAIN QUERY PLAN {}", leaders.text(BEST));
            tx.query(&text, &leaders.with([10]), |row| row.get::<String>(3))
        };
        let steps = db.read::<_, sql::Error>("plan", explain).await.expect("it is explained").join("; ");
        assert!(steps.contains("USING INDEX customer_leaders_by_score"), "{steps}");
        assert!(!steps.contains("TEMP B-TREE"), "{steps}");
    }
}
