//! How a database does, as far as it tells.

use crate::{Database, Dialect, Error, Result, Tx};

/// What a database tells of itself besides its size.
#[derive(Debug, Clone, Default)]
pub struct Vitals {
    /// Figures by what they are called.
    pub figures: Vec<(&'static str, i64)>,
    /// The statements that took longest; none where the engine keeps no account of them, or shows it to others only.
    pub slowest: Option<Vec<SlowStatement>>,
}

/// A statement that took long.
#[derive(Debug, Clone)]
pub struct SlowStatement {
    /// Its text without values.
    pub text: String,
    /// How often it ran.
    pub count: i64,
    /// Microseconds that it took on average.
    pub average: i64,
    /// Microseconds that it took at most.
    pub longest: i64,
}

/// Statements that are told.
const SLOWEST: i64 = 5;

impl Database {
    /// Asks the database how it does.
    pub async fn vitals(&self) -> Result<Vitals> {
        let figures = self.read::<_, Error>("database_figures", figures).await?;
        // What may not be looked at is not known.
        let slowest = self.read::<_, Error>("slow_statements", slowest).await.unwrap_or_default();
        Ok(Vitals { figures, slowest })
    }
}

fn figures(tx: &mut Tx<'_>) -> Result<Vec<(&'static str, i64)>> {
    match tx.dialect() {
        Dialect::Sqlite => {
            let sql = "SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, \
                       pragma_page_size";
            let [pages, free, size] =
                tx.query_one(sql, &[], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
            Ok(vec![("Pages", pages), ("Free pages", free), ("Bytes of a page", size)])
        }
        Dialect::Mysql(_) => {
            let sql = "SHOW GLOBAL STATUS WHERE Variable_name IN \
                       ('Threads_connected', 'Threads_running', 'Max_used_connections', 'Slow_queries', 'Uptime')";
            let told = tx.query(sql, &[], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))?;
            let limit = tx.query_one("SELECT @@max_connections", &[], |row| row.get::<i64>(0))?;
            let named = |(name, value): (String, String)| Some((name_of(&name)?, value.parse().ok()?));
            let mut figures: Vec<(&'static str, i64)> = told.into_iter().filter_map(named).collect();
            figures.push(("Connections it allows", limit));
            Ok(figures)
        }
    }
}

fn name_of(variable: &str) -> Option<&'static str> {
    match variable {
        "Threads_connected" => Some("Connections of all programs"),
        "Threads_running" => Some("Connections at work"),
        "Max_used_connections" => Some("Most connections so far"),
        "Slow_queries" => Some("Slow statements so far"),
        "Uptime" => Some("Seconds it runs"),
        _ => None,
    }
}

fn slowest(tx: &mut Tx<'_>) -> Result<Option<Vec<SlowStatement>>> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(None);
    }
    // Its times are in picoseconds.
    let sql = "SELECT digest_text, count_star, avg_timer_wait DIV 1000000, max_timer_wait DIV 1000000 \
               FROM performance_schema.events_statements_summary_by_digest \
               WHERE schema_name = DATABASE() AND digest_text IS NOT NULL ORDER BY max_timer_wait DESC LIMIT ?";
    let found = tx.query(sql, &[SLOWEST.into()], |row| {
        Ok(SlowStatement {
            text: row.get(0)?,
            count: row.get(1)?,
            average: row.get(2)?,
            longest: row.get(3)?,
        })
    })?;
    // An account that is switched off is empty.
    Ok(Some(found).filter(|found| !found.is_empty()))
}
