use domain::{CauseKind, MovementKind, ProductId};
use sql::Tx;

use crate::{Result, rows};

/// Calls `each` with every movement there is: its product, kind and quantity.
pub fn for_each_movement(tx: &mut Tx<'_>, mut each: impl FnMut(ProductId, MovementKind, i64)) -> Result<()> {
    tx.for_each("SELECT product_id, kind, quantity FROM stock_movements", &[], |row| {
        let kind = rows::code(row, 1, "the kind of a movement", MovementKind::from_code)?;
        each(ProductId::from_ledger(row.get(0)?), kind, row.get(2)?);
        Ok(())
    })?;
    Ok(())
}

/// Calls `each` with every product: its SKU, units on hand and units reserved, in the order of ids.
pub fn for_each_level(tx: &mut Tx<'_>, mut each: impl FnMut(ProductId, &str, i64, i64)) -> Result<()> {
    tx.for_each("SELECT id, sku, on_hand, reserved FROM products ORDER BY id", &[], |row| {
        each(ProductId::from_ledger(row.get(0)?), row.text(1)?, row.get(2)?, row.get(3)?);
        Ok(())
    })?;
    Ok(())
}

/// A movement whose cause is not there.
#[derive(Debug, Clone, Copy)]
pub struct Stray {
    /// The kind of cause that it names.
    pub cause: CauseKind,
    /// The refund or shipment that is not there.
    pub cause_id: i64,
    /// Number of the line.
    pub line_no: i64,
}

/// Up to `limit` movements of each kind that name a refund or a shipment that is not there.
pub fn list_strays(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Stray>> {
    let mut strays = Vec::new();
    for (cause, table) in [(CauseKind::RefundLine, "refunds"), (CauseKind::ShipmentLine, "shipments")] {
        let sql = format!(
            "SELECT m.cause_id, m.cause_line FROM stock_movements m LEFT JOIN {table} t ON t.id = m.cause_id \
             WHERE m.cause_kind = ? AND t.id IS NULL ORDER BY m.cause_id, m.cause_line LIMIT ?"
        );
        strays.extend(tx.query(&sql, &[cause.code().into(), limit.into()], |row| {
            Ok(Stray { cause, cause_id: row.get(0)?, line_no: row.get(1)? })
        })?);
    }
    Ok(strays)
}
