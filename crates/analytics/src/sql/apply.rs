use domain::Calendar;
use sql::{Conflict, Insert, Tx, Value};

use super::generation::{Generation, Series};
use super::{customers, products};
use crate::changes::{Changes, Periods, fold};
use crate::names::{FIGURES, stored_values};
use crate::{Fact, Result, feed};

/// Adds facts to the figures, in the transaction that made them true.
///
/// Tell each fact once. The order of facts, within a call and over calls, does not matter, nor how they are split
/// into calls; larger calls cost less a fact. `calendar` is the shop's; figures that were made in another time zone
/// stay in it until they are [rebuilt](crate::Rebuild).
pub fn apply(tx: &mut Tx<'_>, calendar: &Calendar, facts: &[Fact]) -> Result<()> {
    if facts.is_empty() {
        return Ok(());
    }
    feed::check_home(tx, false)?;
    for mut generation in Generation::lock_all(tx, calendar)? {
        add(tx, &mut generation, facts)?;
    }
    Ok(())
}

/// Adds those facts that the generation wants now.
pub(crate) fn add(tx: &mut Tx<'_>, generation: &mut Generation, facts: &[Fact]) -> Result<()> {
    let wanted = facts.iter().filter(|fact| generation.wants(fact));
    let changes = fold(&generation.calendar, wanted)?;
    for (currency, changes) in changes {
        let series = generation.ensure_series(tx, currency)?;
        write(tx, &series, &generation.calendar, &changes)?;
    }
    Ok(())
}

fn write(tx: &mut Tx<'_>, series: &Series, calendar: &Calendar, changes: &Changes) -> Result<()> {
    let mut periods = changes.periods();
    customers::write(tx, series, calendar, changes, &mut periods)?;
    products::write(tx, series.id, changes)?;
    write_periods(tx, series.id, &periods)
}

fn write_periods(tx: &mut Tx<'_>, series: i64, periods: &Periods) -> Result<()> {
    let mut columns = vec!["series", "period", "start_day"];
    columns.extend(FIGURES);
    let set = FIGURES.map(|figure| format!("{figure} = {figure} + new.{figure}"));
    let set: Vec<&str> = set.iter().map(String::as_str).collect();
    let key = ["series", "period", "start_day"];
    let conflict = Conflict::Update { key: &key, set: &set };
    let mut values = Vec::with_capacity(periods.len() * columns.len());
    for ((period, start), figures) in periods {
        values.extend([series, *period, i64::from(*start)].map(Value::Int));
        values.extend(stored_values(figures).map(Value::Int));
    }
    tx.insert_rows(&Insert { table: "kpi_periods", columns: &columns, conflict }, &values)?;
    Ok(())
}
