//! The feed: facts on their way from the ledger's transaction to figures that are kept elsewhere.
//!
//! | table | a row is |
//! | --- | --- |
//! | `kpi_feed` | the facts of one transaction, written by it; its batch once it has one; kept for a day after that |
//! | `kpi_counter` | one row: the last batch, the last one no longer kept, the last generation, the epoch, where figures live |
//!
//! Two transactions that run side by side may commit in the other order than they began, so no number that is taken
//! inside them tells what a reader has seen. So a row has no number when it is committed. Whoever feeds numbers, in a
//! transaction of its own and with the counter locked, rows that it finds without one: a row that is committed late is
//! simply found later, and none can slip in below a number that was applied.

use jiff::Timestamp;
use sql::{Conflict, Insert, Tx, Value};

use crate::changes::check_amounts;
use crate::packed;
use crate::{Error, Fact, Result};

/// What a row or a batch holds at most, in facts and their lines: about 500 orders.
pub(crate) const SIZE: i64 = 1_500;
/// Rows that are numbered in one transaction, at most.
const ROWS: i64 = 2_000;
/// Batches that are deleted in one transaction, at most.
const PRUNED_AT_ONCE: i64 = 20;

/// Where the figures live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// In SQL, but they are not all there yet.
    Moving = 0,
    Sql = 1,
    Redis = 2,
}

/// The row of `kpi_counter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counter {
    /// The number of the last batch.
    pub(crate) numbered: i64,
    /// The last batch that is no longer kept.
    pub(crate) pruned: i64,
    /// The life of the figures; figures of another one are none of ours.
    pub(crate) epoch: i64,
}

/// Writes facts for whoever feeds, in the transaction that made them true.
pub(crate) fn tell(tx: &mut Tx<'_>, now: Timestamp, facts: &[Fact]) -> Result<()> {
    facts.iter().try_for_each(check_amounts)?;
    let mut rest = facts;
    let mut values = Vec::new();
    while !rest.is_empty() {
        let (row, after) = rest.split_at(fitting(rest));
        let size: i64 = row.iter().map(size_of).sum();
        let id = tx.next_ids("kpi_feed", 1)?.start;
        values.extend([id.into(), size.into(), packed::to_text(row).into(), now.into()]);
        rest = after;
    }
    let columns = &["id", "size", "facts", "created_at"];
    tx.insert_rows(&Insert { table: "kpi_feed", columns, conflict: Conflict::Error }, &values)?;
    Ok(())
}

fn size_of(fact: &Fact) -> i64 {
    1 + match fact {
        Fact::Confirmed { lines, .. } | Fact::Refunded { lines, .. } => lines.len() as i64,
        Fact::Failed { .. } | Fact::Cancelled { .. } => 0,
    }
}

/// How many of the first facts fit one row; one at least.
fn fitting(facts: &[Fact]) -> usize {
    let mut left = SIZE;
    let count = facts.iter().take_while(|fact| {
        left -= size_of(fact);
        left >= 0
    });
    count.count().max(1)
}

/// Reads the counter.
pub(crate) fn counter(tx: &mut Tx<'_>, lock: &str) -> Result<Counter> {
    let sql = format!("SELECT numbered, pruned, epoch FROM kpi_counter WHERE id = 1{lock}");
    Ok(tx.query_one(&sql, &[], |row| {
        Ok(Counter { numbered: row.get(0)?, pruned: row.get(1)?, epoch: row.get(2)? })
    })?)
}

/// Rows without a number and their sizes, in the order of their ids, `limit` at most.
pub(crate) fn unnumbered(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(i64, i64)>> {
    let sql = "SELECT id, size FROM kpi_feed WHERE batch IS NULL ORDER BY id LIMIT ?";
    Ok(tx.query(sql, &[limit.into()], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Numbers rows that have no number yet, as many as one short transaction takes. True if there may be more.
pub(crate) fn number(tx: &mut Tx<'_>) -> Result<bool> {
    let counter = counter(tx, tx.dialect().for_update())?;
    let rows = unnumbered(tx, ROWS)?;
    give_numbers(tx, counter, &rows)?;
    Ok(rows.len() as i64 == ROWS)
}

/// Numbers exactly these rows, if `numbered` is still the last batch. Returns the last batch then.
pub(crate) fn number_these(tx: &mut Tx<'_>, rows: &[(i64, i64)], numbered: i64) -> Result<Option<i64>> {
    let counter = counter(tx, tx.dialect().for_update())?;
    if counter.numbered != numbered {
        return Ok(None);
    }
    give_numbers(tx, counter, rows).map(Some)
}

fn give_numbers(tx: &mut Tx<'_>, counter: Counter, rows: &[(i64, i64)]) -> Result<i64> {
    let mut last = counter.numbered;
    let mut rest = rows;
    while !rest.is_empty() {
        let mut left = SIZE;
        let count = rest.iter().take_while(|(_, size)| {
            left -= size;
            left >= 0
        });
        let (batch, after) = rest.split_at(count.count().max(1));
        last += 1;
        let ids: Vec<Value<'_>> = batch.iter().map(|(id, _)| Value::Int(*id)).collect();
        tx.execute_in("UPDATE kpi_feed SET batch = ? WHERE id IN ({in})", &[last.into()], &ids)?;
        rest = after;
    }
    if last != counter.numbered {
        tx.execute("UPDATE kpi_counter SET numbered = ? WHERE id = 1", &[last.into()])?;
    }
    Ok(last)
}

/// The facts of a batch.
pub(crate) fn facts_of(tx: &mut Tx<'_>, batch: i64) -> Result<Vec<Fact>> {
    let sql = "SELECT facts FROM kpi_feed WHERE batch = ? ORDER BY id";
    let texts = tx.query(sql, &[batch.into()], |row| row.get::<String>(0))?;
    let mut facts = Vec::new();
    for text in texts {
        facts.extend(packed::from_text(&text)?);
    }
    Ok(facts)
}

/// Calls `each` with the facts of every row that is numbered above `marker` or not at all.
pub(crate) fn for_each_after(
    tx: &mut Tx<'_>,
    marker: i64,
    mut each: impl FnMut(&[Fact]) -> Result<()>,
) -> Result<()> {
    let mut texts =
        tx.query("SELECT facts FROM kpi_feed WHERE batch > ? ORDER BY batch, id", &[marker.into()], |row| {
            row.get::<String>(0)
        })?;
    texts.extend(tx.query("SELECT facts FROM kpi_feed WHERE batch IS NULL ORDER BY id", &[], |row| {
        row.get::<String>(0)
    })?);
    texts.iter().try_for_each(|text| each(&packed::from_text(text)?))
}

/// Deletes batches up to `applied` that were told before `before`, a bounded number. True if there may be more.
pub(crate) fn prune(tx: &mut Tx<'_>, applied: i64, before: Timestamp) -> Result<bool> {
    let counter = counter(tx, tx.dialect().for_update())?;
    let to = applied.min(counter.pruned + PRUNED_AT_ONCE);
    // The newest row of a batch decides; what comes after a batch that is kept is kept too, so that no hole is left.
    let young = tx.query_one(
        "SELECT MIN(batch) FROM kpi_feed WHERE batch > ? AND batch <= ? AND created_at >= ?",
        &[counter.pruned.into(), to.into(), before.into()],
        |row| row.get::<Option<i64>>(0),
    )?;
    let last = young.map_or(to, |young| young - 1);
    if last <= counter.pruned {
        return Ok(false);
    }
    tx.execute("DELETE FROM kpi_feed WHERE batch > ? AND batch <= ?", &[counter.pruned.into(), last.into()])?;
    tx.execute("UPDATE kpi_counter SET pruned = ? WHERE id = 1", &[last.into()])?;
    Ok(young.is_none())
}

/// The number of a new generation.
pub(crate) fn next_generation(tx: &mut Tx<'_>) -> Result<i64> {
    tx.execute("UPDATE kpi_counter SET generation = generation + 1 WHERE id = 1", &[])?;
    Ok(tx.query_one("SELECT generation FROM kpi_counter WHERE id = 1", &[], |row| row.get(0))?)
}

/// Disowns figures that are kept in Redis: whatever is there is of another life, and is rebuilt from the ledger.
pub fn disown(tx: &mut Tx<'_>) -> Result<()> {
    let seen = counter(tx, tx.dialect().for_update())?.epoch;
    renew(tx, seen)
}

/// Begins another life of the figures, if the epoch is still the one that was seen.
pub(crate) fn renew(tx: &mut Tx<'_>, seen: i64) -> Result<()> {
    tx.execute(
        "UPDATE kpi_counter SET epoch = ? WHERE id = 1 AND epoch = ?",
        &[new_epoch(seen).into(), seen.into()],
    )?;
    Ok(())
}

/// Where the figures live.
pub(crate) fn home(tx: &mut Tx<'_>) -> Result<Home> {
    let code: i64 = tx.query_one("SELECT home FROM kpi_counter WHERE id = 1", &[], |row| row.get(0))?;
    Ok(match code {
        2 => Home::Redis,
        1 => Home::Sql,
        _ => Home::Moving,
    })
}

/// Says where the figures live from now on.
pub(crate) fn set_home(tx: &mut Tx<'_>, home: Home) -> Result<()> {
    let lock = tx.dialect().for_update();
    let seen = counter(tx, lock)?.epoch;
    tx.execute("UPDATE kpi_counter SET home = ? WHERE id = 1", &[(home as i64).into()])?;
    // Whatever Redis holds from a time before lacks what was told since.
    if home == Home::Redis { renew(tx, seen) } else { Ok(()) }
}

/// Refuses to go on where the figures live elsewhere.
pub(crate) fn check_home(tx: &mut Tx<'_>, in_redis: bool) -> Result<()> {
    match (home(tx)?, in_redis) {
        (Home::Redis, false) => Err(Error::Elsewhere { home: "Redis" }),
        (Home::Sql | Home::Moving, true) => Err(Error::Elsewhere { home: "the database" }),
        _ => Ok(()),
    }
}

/// A number that no other life of any figures has, as good as certainly; never `seen`, never 0.
fn new_epoch(seen: i64) -> i64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    let random = std::hash::RandomState::new().build_hasher().finish() >> 11;
    let epoch = random.cast_signed().max(1);
    if epoch == seen { epoch + 1 } else { epoch }
}
