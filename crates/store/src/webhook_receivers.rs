//! How the receivers of our webhooks do. One that has never failed has no row.

use jiff::Timestamp;
use sql::{Conflict, Insert, Tx};

use crate::Result;

/// How a receiver does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receiver {
    /// Since when nothing has arrived; none where the last call did.
    pub failing_since: Option<Timestamp>,
    /// Calls that have failed since then.
    pub failures: i64,
    /// What the last of them met.
    pub error: Option<String>,
    /// When it was switched off.
    pub disabled_at: Option<Timestamp>,
}

/// How the receiver at an address does.
pub fn get(tx: &mut Tx<'_>, address_hash: &str) -> Result<Receiver> {
    let sql =
        "SELECT failing_since, failures, error, disabled_at FROM webhook_receivers WHERE address_hash = ?";
    let found = tx.query_opt(sql, &[address_hash.into()], |row| {
        Ok(Receiver {
            failing_since: row.get(0)?,
            failures: row.get(1)?,
            error: row.get(2)?,
            disabled_at: row.get(3)?,
        })
    })?;
    Ok(found.unwrap_or_default())
}

/// Keeps how the receiver at an address does.
pub fn put(tx: &mut Tx<'_>, address_hash: &str, receiver: &Receiver) -> Result<()> {
    let conflict = Conflict::Update {
        key: &["address_hash"],
        set: &[
            "failing_since = new.failing_since",
            "failures = new.failures",
            "error = new.error",
            "disabled_at = new.disabled_at",
        ],
    };
    let columns = &["address_hash", "failing_since", "failures", "error", "disabled_at"];
    let values = [
        address_hash.into(),
        receiver.failing_since.into(),
        receiver.failures.into(),
        receiver.error.as_ref().into(),
        receiver.disabled_at.into(),
    ];
    tx.insert_rows(&Insert { table: "webhook_receivers", columns, conflict }, &values)?;
    Ok(())
}
