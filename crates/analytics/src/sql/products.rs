//! Scores of products by day and month. Weeks and all time are added up when they are read: an order has many lines,
//! so each stored period costs more here than anywhere else, and there are far fewer products than customers.

use sql::{Conflict, Insert, Tx};

use super::{LATEST, rows};
use crate::Result;
use crate::changes::Changes;

/// Adds the products' part of the changes to the stored figures.
pub(crate) fn write(tx: &mut Tx<'_>, series: i64, changes: &Changes) -> Result<()> {
    let days = Insert {
        table: "product_days",
        columns: &["series", "day", "product_id", "units", "net", "reached_at"],
        conflict: Conflict::Update {
            key: &["series", "day", "product_id"],
            set: &["units = units + new.units", "net = net + new.net", LATEST],
        },
    };
    tx.insert_rows(&days, &rows(series, &changes.product_days))?;
    let months = Insert {
        table: "product_months",
        columns: &["series", "month", "product_id", "units", "net", "reached_at"],
        conflict: Conflict::Update {
            key: &["series", "month", "product_id"],
            set: &["units = units + new.units", "net = net + new.net", LATEST],
        },
    };
    tx.insert_rows(&months, &rows(series, &changes.product_months()))?;
    Ok(())
}
