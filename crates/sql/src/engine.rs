use std::ops::ControlFlow;

use crate::ids::Wanted;
use crate::{Dialect, Error, Insert, Result, Row, Update, Value};

/// Statements on the connection of an open transaction: what engines differ in.
pub(crate) trait Engine {
    fn dialect(&self) -> Dialect;

    /// See [`Tx::era`](crate::Tx::era). A file stays the same one for as long as it is open.
    fn era(&self) -> u64 {
        0
    }

    /// Whether some statement could write.
    fn wrote(&self) -> bool;

    /// Reserves ids that ran out. An engine with one connection that writes cannot while a transaction is open: it fails
    /// with [`Error::IdsExhausted`], reserves them after it, and runs it again.
    fn reserve_ids(&mut self, wanted: Wanted) -> Result<()> {
        Err(Error::IdsExhausted { sequence: wanted.sequence })
    }

    /// Runs a statement; returns how many rows it matched.
    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64>;

    /// Runs the same statement once for each `width` values; returns the rows matched in all. An error may leave some
    /// of them done.
    fn execute_each(&mut self, sql: &str, width: usize, values: &[Value<'_>]) -> Result<u64>;

    /// Inserts rows in sets. An error may leave some of them done. Where a server is far, they may wait for what is sent
    /// next: nobody is told anything by them.
    fn insert(&mut self, insert: &Insert<'_>, values: &[Value<'_>]) -> Result<()>;

    /// Sends what waits. An error may leave some of it done.
    fn send_waiting(&mut self) -> Result<()> {
        Ok(())
    }

    /// Changes rows, each to values of its own. An error may leave some of them done. Where nobody asks how many matched,
    /// they may wait like inserts, and none is told.
    fn update(&mut self, update: &Update<'_>, values: &[Value<'_>], answer: Answer) -> Result<u64>;

    /// Deletes the rows with these keys, which may wait like inserts. An error may leave some of them done.
    fn delete(&mut self, table: &str, key: &[&str], values: &[Value<'_>]) -> Result<()>;

    /// Calls `row` with the rows of a query until it breaks off.
    fn for_each(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        row: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()>;
}

/// Whether somebody wants to know how many rows matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Wanted,
    Unasked,
}
