use domain::{LineUnits, OrderId, ProductId};
use sql::{Row, Tx, Update, Value};

use crate::{Result, rows};

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The order.
    pub order: OrderId,
    /// Its number within the order, from 1.
    pub line_no: i64,
    /// What was sold.
    pub product: ProductId,
    /// Minor units for all of it.
    pub total: i64,
    /// Its counts.
    pub units: LineUnits,
}

/// The lines of orders, in the order of order ids and line numbers.
pub fn list_lines(tx: &mut Tx<'_>, orders: &[OrderId]) -> Result<Vec<Line>> {
    let sql = "SELECT order_id, line_no, product_id, total, quantity, shipped, refunded, refund_pending \
               FROM order_lines WHERE order_id IN ({in}) ORDER BY order_id, line_no";
    Ok(tx.query_in(sql, &[], &rows::keys(orders.iter().copied()), read)?)
}

/// Gives lines that were inserted before, named by their order and number, other products.
pub fn set_products(tx: &mut Tx<'_>, lines: &[(OrderId, i64, ProductId)]) -> Result<()> {
    let values: Vec<Value<'_>> = lines
        .iter()
        .flat_map(|(order, line_no, product)| {
            [order.get().into(), Value::Int(*line_no), product.get().into()]
        })
        .collect();
    let update = Update {
        table: "order_lines",
        columns: &["order_id", "line_no", "product_id"],
        key: &["order_id", "line_no"],
        only_if: "",
        set: &["product_id = new.product_id"],
    };
    Ok(tx.update_rows(&update, &values)?)
}

fn read(row: &Row<'_>) -> sql::Result<Line> {
    Ok(Line {
        order: OrderId::from_ledger(row.get(0)?),
        line_no: row.get(1)?,
        product: ProductId::from_ledger(row.get(2)?),
        total: row.get(3)?,
        units: LineUnits {
            quantity: row.get(4)?,
            shipped: row.get(5)?,
            refunded: row.get(6)?,
            refund_pending: row.get(7)?,
        },
    })
}

/// What is added to the counts of a line.
#[derive(Debug, Clone, Copy)]
pub struct UnitChange {
    /// The order.
    pub order: OrderId,
    /// The line's number.
    pub line_no: i64,
    /// Added to `shipped`.
    pub shipped: i64,
    /// Added to `refunded`.
    pub refunded: i64,
    /// Added to `refund_pending`.
    pub refund_pending: i64,
}

impl UnitChange {
    /// Nothing is added to a line yet.
    pub fn none(order: OrderId, line_no: i64) -> Self {
        UnitChange { order, line_no, shipped: 0, refunded: 0, refund_pending: 0 }
    }
}

/// Changes the counts of lines, one after the other. The database itself refuses counts above the quantity.
pub fn change_units(tx: &mut Tx<'_>, changes: &[UnitChange]) -> Result<()> {
    let values: Vec<Value<'_>> = changes
        .iter()
        .flat_map(|change| {
            [
                Value::Int(change.order.get()),
                Value::Int(change.line_no),
                Value::Int(change.shipped),
                Value::Int(change.refunded),
                Value::Int(change.refund_pending),
            ]
        })
        .collect();
    let update = Update {
        table: "order_lines",
        columns: &["order_id", "line_no", "shipped", "refunded", "refund_pending"],
        key: &["order_id", "line_no"],
        only_if: "",
        set: &[
            "shipped = shipped + new.shipped",
            "refunded = refunded + new.refunded",
            "refund_pending = refund_pending + new.refund_pending",
        ],
    };
    let lines = changes.iter().map(|change| (change.order, change.line_no));
    rows::update_in_turns(tx, &update, lines, &values)?;
    Ok(())
}
