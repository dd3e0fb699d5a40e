//! The feed: what became of orders, for those who watch while it happens.
//!
//! | table | a row is |
//! | --- | --- |
//! | `order_feed` | the events of one transaction, written by it; its number once it has one |
//! | `order_feed_counter` | one row: the last number, and the last one below which rows are no longer kept |
//!
//! As with the feed of the figures, no number that is taken inside a transaction tells what a reader has seen, because
//! transactions commit in another order than they began. So a row has no number when it is committed: whoever reads
//! numbers, with the counter locked, what is there without one. A row that is committed late is numbered late, and none
//! can slip in below a number that somebody has read up to.

use domain::{EventKind, OrderId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sql::{Conflict, Insert, Tx, Update, Value};

use crate::events::{NewEvent, statuses_of};
use crate::{Error, Result};

/// Events that a row lists at most: who watches thousands of orders a second reads none of them.
const LISTED: usize = 100;
/// Rows that are numbered, or deleted, in one transaction at most.
const AT_ONCE: i64 = 500;

/// What `order_feed.events` holds.
#[derive(Serialize, Deserialize)]
struct Packed {
    /// Order, version, kind and state of each.
    listed: Vec<(i64, i64, i64, i64)>,
    /// How many there were besides.
    more: usize,
}

/// Something that happened to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderNews {
    /// The order.
    pub order: OrderId,
    /// The version that it led to.
    pub version: i64,
    /// What happened.
    pub event: &'static str,
    /// Where the order stands since.
    pub status: &'static str,
    /// Where its payment stands.
    pub payment: &'static str,
    /// Where its goods stand.
    pub fulfilment: &'static str,
}

/// A row that has its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its number.
    pub number: i64,
    /// What happened, in its order.
    pub listed: Vec<OrderNews>,
    /// How many events there were besides.
    pub more: usize,
}

/// How far the feed is numbered, and from where on it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    /// The last number.
    pub numbered: i64,
    /// All rows above this number are still there.
    pub pruned: i64,
}

/// Tells of events in the transaction that made them.
pub(crate) fn tell(tx: &mut Tx<'_>, events: &[NewEvent<'_>], at: Timestamp) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let pack = |event: &NewEvent<'_>| (event.order.get(), event.version, event.kind.code(), event.after);
    let listed: Vec<_> = events.iter().take(LISTED).map(pack).collect();
    let packed = Packed { more: events.len() - listed.len(), listed };
    let text = serde_json::to_string(&packed).expect("numbers are plain data");
    let id = tx.next_ids("order_feed", 1)?.start;
    let columns = &["id", "told_at", "events"];
    let values = [id.into(), at.into(), text.into()];
    tx.insert_rows(&Insert { table: "order_feed", columns, conflict: Conflict::Error }, &values)?;
    Ok(())
}

/// Reads the counter.
pub fn counter(tx: &mut Tx<'_>) -> Result<Counter> {
    read_counter(tx, "")
}

fn lock_counter(tx: &mut Tx<'_>) -> Result<Counter> {
    read_counter(tx, tx.dialect().for_update())
}

fn read_counter(tx: &mut Tx<'_>, lock: &str) -> Result<Counter> {
    let sql = format!("SELECT numbered, pruned FROM order_feed_counter WHERE id = 1{lock}");
    Ok(tx.query_one(&sql, &[], |row| Ok(Counter { numbered: row.get(0)?, pruned: row.get(1)? }))?)
}

/// Whether some rows have no number yet.
pub fn has_unnumbered(tx: &mut Tx<'_>) -> Result<bool> {
    let sql = "SELECT id FROM order_feed WHERE number IS NULL LIMIT 1";
    Ok(tx.query_opt(sql, &[], |row| row.get::<i64>(0))?.is_some())
}

/// Numbers rows that have no number yet, as many as one short transaction takes.
pub fn number(tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
    let Counter { numbered, .. } = lock_counter(tx)?;
    let sql = "SELECT id FROM order_feed WHERE number IS NULL ORDER BY id LIMIT ?";
    let ids = tx.query(sql, &[AT_ONCE.into()], |row| row.get::<i64>(0))?;
    if ids.is_empty() {
        return Ok(());
    }
    let first = next_number(numbered, now);
    let numbers = first..;
    let values: Vec<Value<'_>> =
        ids.iter().zip(numbers).flat_map(|(id, number)| [number.into(), (*id).into()]).collect();
    let update = Update {
        table: "order_feed",
        columns: &["number", "id"],
        key: &["id"],
        only_if: "",
        set: &["number = new.number"],
    };
    tx.update_rows(&update, &values)?;
    let last = first + ids.len() as i64 - 1;
    tx.execute("UPDATE order_feed_counter SET numbered = ? WHERE id = 1", &[last.into()])?;
    Ok(())
}

/// Numbers follow the clock, so that a ledger that was restored from a copy does not give one out again that somebody
/// has seen before.
fn next_number(numbered: i64, now: Timestamp) -> i64 {
    now.as_microsecond().max(numbered + 1)
}

/// The rows above `number`, up to `limit` of them.
pub fn list_after(tx: &mut Tx<'_>, number: i64, limit: u32) -> Result<Vec<Told>> {
    let sql = "SELECT number, events FROM order_feed WHERE number > ? ORDER BY number LIMIT ?";
    let rows =
        tx.query(sql, &[number.into(), limit.into()], |row| Ok((row.get::<i64>(0)?, row.get::<String>(1)?)))?;
    rows.into_iter().map(|(number, text)| unpack(number, &text)).collect()
}

fn unpack(number: i64, text: &str) -> Result<Told> {
    let packed: Packed = serde_json::from_str(text)
        .map_err(|_| Error::missing("readable row of the order feed with the number", number))?;
    let listed = packed.listed.into_iter().filter_map(|(order, version, kind, state)| {
        let (status, payment, fulfilment) = statuses_of(state)?;
        Some(OrderNews {
            order: OrderId::from_ledger(order),
            version,
            event: EventKind::from_code(kind)?.as_str(),
            status: status.as_str(),
            payment: payment.as_str(),
            fulfilment: fulfilment.as_str(),
        })
    });
    Ok(Told { number, listed: listed.collect(), more: packed.more })
}

/// Whether everything above `number` is still there, and `number` was once given: so that whoever has read up to it can
/// go on.
pub fn continues(tx: &mut Tx<'_>, number: i64) -> Result<bool> {
    let Counter { numbered, pruned } = counter(tx)?;
    if number == numbered || number <= pruned {
        return Ok(number == numbered || number == pruned);
    }
    let sql = "SELECT id FROM order_feed WHERE number = ?";
    Ok(tx.query_opt(sql, &[number.into()], |row| row.get::<i64>(0))?.is_some())
}

/// Whether a row is older than `before`, as far as the lowest id tells.
pub fn has_older(tx: &mut Tx<'_>, before: Timestamp) -> Result<bool> {
    let oldest = tx.query_opt("SELECT told_at FROM order_feed ORDER BY id LIMIT 1", &[], |row| {
        row.get::<Timestamp>(0)
    })?;
    Ok(oldest.is_some_and(|told_at| told_at < before))
}

/// Deletes rows that were told before `before`, a bounded number. True if there may be more.
pub fn prune(tx: &mut Tx<'_>, before: Timestamp, now: Timestamp) -> Result<bool> {
    let Counter { mut numbered, mut pruned } = lock_counter(tx)?;
    let sql = "SELECT number, told_at FROM order_feed WHERE number > ? ORDER BY number LIMIT ?";
    let rows = tx.query(sql, &[pruned.into(), AT_ONCE.into()], |row| {
        Ok((row.get::<i64>(0)?, row.get::<Timestamp>(1)?))
    })?;
    // Up to the first that is kept, so that no hole is left above `pruned`.
    let old = rows.iter().take_while(|(_, told_at)| *told_at < before).count();
    if let Some((last, _)) = rows[..old].last() {
        tx.execute("DELETE FROM order_feed WHERE number <= ?", &[(*last).into()])?;
        pruned = *last;
    }
    let unread = delete_unread(tx, before)?;
    if unread > 0 {
        // Nobody has read them, and nobody can any more: whoever comes back from before has missed something.
        numbered = next_number(numbered, now);
        pruned = numbered;
        // Those that were numbered above them go with them.
        tx.execute("DELETE FROM order_feed WHERE number <= ?", &[pruned.into()])?;
    }
    if old > 0 || unread > 0 {
        let sql = "UPDATE order_feed_counter SET numbered = ?, pruned = ? WHERE id = 1";
        tx.execute(sql, &[numbered.into(), pruned.into()])?;
    }
    Ok(old as i64 == AT_ONCE || unread as i64 == AT_ONCE)
}

/// Deletes rows that never got a number and were told before `before`, a bounded number. Returns how many.
fn delete_unread(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize> {
    let sql = "SELECT id, told_at FROM order_feed WHERE number IS NULL ORDER BY id LIMIT ?";
    let rows = tx.query(sql, &[AT_ONCE.into()], |row| Ok((row.get::<i64>(0)?, row.get::<Timestamp>(1)?)))?;
    let old = rows.iter().filter(|(_, told_at)| *told_at < before);
    let ids: Vec<Value<'_>> = old.map(|(id, _)| Value::Int(*id)).collect();
    tx.delete_rows("order_feed", &["id"], &ids)?;
    Ok(ids.len())
}
