use sql::Tx;

use super::generation::RETIRED;
use crate::Result;

/// The tables of figures, with the columns that follow `series` in their keys.
const TABLES: [(&str, &str, &str); 7] = [
    ("kpi_periods", "period", "start_day"),
    ("customer_days", "day", "customer_id"),
    ("customer_months", "month", "customer_id"),
    ("customer_totals", "customer_id", "customer_id"),
    ("customer_leaders", "customer_id", "customer_id"),
    ("product_days", "day", "product_id"),
    ("product_months", "month", "product_id"),
];

/// Deletes up to `limit` rows of figures that nobody reads any more. False when nothing is left.
pub fn sweep(tx: &mut Tx<'_>, limit: u32) -> Result<bool> {
    let retired = "SELECT id FROM kpi_generations WHERE live = 0 AND built_below = ? ORDER BY id";
    let Some(generation) = tx.query_opt(retired, &[RETIRED.into()], |row| row.get::<i64>(0))? else {
        return Ok(false);
    };
    let series = tx.query("SELECT id FROM kpi_series WHERE generation = ?", &[generation.into()], |row| {
        row.get::<i64>(0)
    })?;
    for series in series {
        for (table, first, second) in TABLES {
            if sweep_table(tx, table, first, second, series, limit)? {
                return Ok(true);
            }
        }
        tx.execute("DELETE FROM kpi_series WHERE id = ?", &[series.into()])?;
    }
    tx.execute("DELETE FROM kpi_generations WHERE id = ?", &[generation.into()])?;
    Ok(true)
}

/// Whether there was anything to delete.
fn sweep_table(
    tx: &mut Tx<'_>,
    table: &str,
    first: &str,
    second: &str,
    series: i64,
    limit: u32,
) -> Result<bool> {
    let beyond = tx.query_opt(
        &format!(
            "SELECT {first}, {second} FROM {table} WHERE series = ? ORDER BY {first}, {second} LIMIT 1 OFFSET ?"
        ),
        &[series.into(), limit.into()],
        |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)),
    )?;
    let deleted = match beyond {
        None => tx.execute(&format!("DELETE FROM {table} WHERE series = ?"), &[series.into()])?,
        Some((one, two)) => tx.execute(
            &format!(
                "DELETE FROM {table} WHERE series = ? AND {first} <= ? AND ({first} < ? OR {second} < ?)"
            ),
            &[series.into(), one.into(), one.into(), two.into()],
        )?,
    };
    Ok(deleted > 0)
}
