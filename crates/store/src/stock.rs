//! The append-only ledger of stock movements, and the levels they add up to.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use domain::{CauseKind, MovementKind, ProductId};
use jiff::Timestamp;
use sql::{Conflict, Insert, Row, Tx, Update, Value};

use crate::walk::{Part, walk};
use crate::{Error, Result, rows};

/// A movement. Its cause and kind are its key: it happens once, whatever is retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    /// What caused it.
    pub cause: CauseKind,
    /// The order, refund, shipment, receipt or adjustment.
    pub cause_id: i64,
    /// The line of it; 0 where it has none.
    pub line_no: i64,
    /// What it does to the levels.
    pub kind: MovementKind,
    /// Which product.
    pub product: ProductId,
    /// How many units; negative only for an adjustment.
    pub quantity: i64,
}

const COLUMNS: &[&str] =
    &["cause_kind", "cause_id", "cause_line", "kind", "product_id", "quantity", "at", "note"];

/// What a movement adds to `on_hand` and to `reserved`.
pub fn deltas(kind: MovementKind, quantity: i64) -> (i64, i64) {
    match kind {
        MovementKind::Receive | MovementKind::Return | MovementKind::Adjust => (quantity, 0),
        MovementKind::Reserve => (0, quantity),
        MovementKind::Release => (0, -quantity),
        MovementKind::Ship => (-quantity, -quantity),
    }
}

/// Appends movements and moves the levels of their products, each product once, in the order of ids. The database
/// itself refuses levels that cannot be.
pub fn insert_movements(
    tx: &mut Tx<'_>,
    movements: &[Movement],
    at: Timestamp,
    note: Option<&str>,
) -> Result<()> {
    let mut values = Vec::with_capacity(movements.len() * COLUMNS.len());
    let mut changes: BTreeMap<ProductId, (i64, i64)> = BTreeMap::new();
    for movement in movements {
        values.extend([
            Value::Int(movement.cause.code()),
            Value::Int(movement.cause_id),
            Value::Int(movement.line_no),
            Value::Int(movement.kind.code()),
            Value::Int(movement.product.get()),
            Value::Int(movement.quantity),
            at.into(),
            note.into(),
        ]);
        let (on_hand, reserved) = deltas(movement.kind, movement.quantity);
        let change = changes.entry(movement.product).or_default();
        change.0 += on_hand;
        change.1 += reserved;
    }
    let into = Insert { table: "stock_movements", columns: COLUMNS, conflict: Conflict::Error };
    tx.insert_rows(&into, &values)?;
    let changed: Vec<Value<'_>> = changes
        .into_iter()
        .filter(|(_, change)| *change != (0, 0))
        .flat_map(|(product, (on_hand, reserved))| {
            [Value::Int(product.get()), Value::Int(on_hand), Value::Int(reserved)]
        })
        .collect();
    let update = Update {
        table: "products",
        columns: &["id", "on_hand", "reserved"],
        key: &["id"],
        only_if: "",
        set: &["on_hand = on_hand + new.on_hand", "reserved = reserved + new.reserved"],
    };
    tx.update_rows(&update, &changed)?;
    Ok(())
}

/// A movement as it was recorded.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The movement.
    pub movement: Movement,
    /// When.
    pub at: Timestamp,
    /// Why, where somebody said.
    pub note: Option<String>,
}

/// The last `limit` movements of a product, newest first.
pub fn list_of_product(tx: &mut Tx<'_>, product: ProductId, limit: u32) -> Result<Vec<Recorded>> {
    let sql = "SELECT cause_kind, cause_id, cause_line, kind, product_id, quantity, at, note \
               FROM stock_movements WHERE product_id = ? ORDER BY at DESC, cause_id DESC LIMIT ?";
    Ok(tx.query(sql, &[product.get().into(), limit.into()], recorded)?)
}

/// A place in the movements of one kind of cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    cause_id: i64,
    line_no: i64,
    kind: i64,
}

impl Place {
    const START: Place = Place { cause_id: i64::MAX, line_no: i64::MAX, kind: i64::MAX };

    fn of(movement: &Movement) -> Self {
        Place { cause_id: movement.cause_id, line_no: movement.line_no, kind: movement.kind.code() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.cause_id, self.line_no, self.kind)
    }
}

impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers: Option<Vec<i64>> = text.split(':').map(|part| part.parse().ok()).collect();
        match numbers.as_deref() {
            Some([cause_id, line_no, kind]) => {
                Ok(Place { cause_id: *cause_id, line_no: *line_no, kind: *kind })
            }
            _ => Err(Error::missing("place in the movements of stock like", text)),
        }
    }
}

/// The movements of a product for one kind of cause, the newest causes first.
///
/// No index tells a product's movements apart, since every order would pay for it: they are looked through along the
/// ledger's own order, a bounded number at a time.
pub fn search(
    tx: &mut Tx<'_>,
    product: ProductId,
    cause: CauseKind,
    after: Option<Place>,
    limit: u32,
) -> Result<Part<Recorded, Place>> {
    let read = |tx: &mut Tx<'_>, after: Option<Place>, count: u32| {
        let Place { cause_id, line_no, kind } = after.unwrap_or(Place::START);
        let place = [cause_id, cause_id, line_no, line_no, kind];
        let mut params = vec![Value::Int(cause.code())];
        params.extend(place.map(Value::Int));
        params.push(count.into());
        let found = tx.query(NEWEST, &params, recorded)?;
        Ok(found.into_iter().map(|recorded| (Place::of(&recorded.movement), recorded)).collect())
    };
    let keep = |_: &mut Tx<'_>, mut rows: Vec<(Place, Recorded)>| {
        rows.retain(|(_, recorded)| recorded.movement.product == product);
        Ok(rows)
    };
    walk(tx, (after, limit), read, Some(keep))
}

/// The statement that goes on with the movements of a kind of cause.
pub(crate) const NEWEST: &str = "SELECT cause_kind, cause_id, cause_line, kind, product_id, quantity, at, note \
    FROM stock_movements WHERE cause_kind = ? AND cause_id <= ? \
    AND (cause_id < ? OR cause_line < ? OR (cause_line = ? AND kind < ?)) \
    ORDER BY cause_kind DESC, cause_id DESC, cause_line DESC, kind DESC LIMIT ?";

fn recorded(row: &Row<'_>) -> sql::Result<Recorded> {
    Ok(Recorded { movement: read(row)?, at: row.get(6)?, note: row.get(7)? })
}

fn read(row: &Row<'_>) -> sql::Result<Movement> {
    Ok(Movement {
        cause: rows::code(row, 0, "the cause of a movement", CauseKind::from_code)?,
        cause_id: row.get(1)?,
        line_no: row.get(2)?,
        kind: rows::code(row, 3, "the kind of a movement", MovementKind::from_code)?,
        product: ProductId::from_ledger(row.get(4)?),
        quantity: row.get(5)?,
    })
}
