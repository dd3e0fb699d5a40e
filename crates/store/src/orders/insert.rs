use std::collections::HashMap;

use domain::order::OrderTotals;
use domain::{CustomerId, ImportId, OrderId, OrderState, ProductId};
use jiff::Timestamp;
use sql::{Conflict, Insert, Tx, Update, Value};

use crate::Result;
use crate::customers::distinct;

/// An order to be inserted, complete.
#[derive(Debug, Clone)]
pub struct NewOrder<'a> {
    /// Its id, from a reserved block.
    pub id: OrderId,
    /// The shop's source.
    pub source: &'a str,
    /// Its id there.
    pub external_id: &'a str,
    /// Whose it is.
    pub customer: CustomerId,
    /// Where it stands.
    pub state: OrderState,
    /// What its total is made of.
    pub totals: OrderTotals,
    /// When the customer placed it.
    pub placed_at: Timestamp,
    /// The import and the first line of the file that it came from.
    pub import: Option<(ImportId, i64)>,
    /// Whether it moves no stock.
    pub stock_untracked: bool,
    /// Whether the customer is told of what happens.
    pub notify: bool,
    /// Tells whether another row of the same id says the same.
    pub content_hash: Option<&'a [u8]>,
    /// JSON with what nobody computes with: notes, payment method, addresses.
    pub details: Option<String>,
    /// Its lines, numbered from 1.
    pub lines: Vec<NewLine<'a>>,
}

/// A line of a new order.
#[derive(Debug, Clone, Copy)]
pub struct NewLine<'a> {
    /// What is sold.
    pub product: ProductId,
    /// Its SKU as sold.
    pub sku: &'a str,
    /// Its name as sold.
    pub name: &'a str,
    /// Units.
    pub quantity: i64,
    /// Minor units for one.
    pub unit_price: i64,
    /// Minor units off the line.
    pub discount: i64,
    /// Tax of the line.
    pub tax: i64,
    /// The line's total.
    pub total: i64,
    /// Units that left already; only historical orders have any.
    pub shipped: i64,
    /// Units refunded already; only historical orders have any.
    pub refunded: i64,
}

const ORDER: &[&str] = &[
    "id",
    "source",
    "external_id",
    "customer_id",
    "currency",
    "status",
    "fail_reason",
    "payment",
    "fulfilment",
    "version",
    "subtotal",
    "discount",
    "shipping",
    "tax",
    "tax_included",
    "adjustment",
    "total",
    "captured",
    "refunded",
    "refund_pending",
    "surplus_refunded",
    "units",
    "units_shipped",
    "units_refunded",
    "units_refund_pending",
    "units_released",
    "units_release_pending",
    "units_returned",
    "placed_at",
    "created_at",
    "confirmed_at",
    "import_id",
    "import_line",
    "stock_untracked",
    "notify",
    "content_hash",
    "details",
];
const LINE: &[&str] = &[
    "order_id",
    "line_no",
    "product_id",
    "sku",
    "name",
    "quantity",
    "unit_price",
    "discount",
    "tax",
    "total",
    "shipped",
    "refunded",
    "refund_pending",
];

/// Inserts orders with their lines at version 1. Fails with a duplicate when one is there already.
pub fn insert(tx: &mut Tx<'_>, orders: &[NewOrder<'_>], at: Timestamp) -> Result<()> {
    let mut rows = Vec::with_capacity(orders.len() * ORDER.len());
    let line_count: usize = orders.iter().map(|order| order.lines.len()).sum();
    let mut lines = Vec::with_capacity(line_count * LINE.len());
    for order in orders {
        push_order(&mut rows, order, at);
        for (index, line) in order.lines.iter().enumerate() {
            lines.extend([
                Value::Int(order.id.get()),
                Value::Int(index as i64 + 1),
                Value::Int(line.product.get()),
                line.sku.into(),
                line.name.into(),
                Value::Int(line.quantity),
                Value::Int(line.unit_price),
                Value::Int(line.discount),
                Value::Int(line.tax),
                Value::Int(line.total),
                Value::Int(line.shipped),
                Value::Int(line.refunded),
                Value::Int(0),
            ]);
        }
    }
    tx.insert_rows(&Insert { table: "orders", columns: ORDER, conflict: Conflict::Error }, &rows)?;
    tx.insert_rows(&Insert { table: "order_lines", columns: LINE, conflict: Conflict::Error }, &lines)?;
    Ok(())
}

fn push_order<'a>(rows: &mut Vec<Value<'a>>, order: &'a NewOrder<'_>, at: Timestamp) {
    let (state, totals) = (&order.state, &order.totals);
    rows.extend([
        Value::Int(order.id.get()),
        order.source.into(),
        order.external_id.into(),
        Value::Int(order.customer.get()),
        state.currency.code().into(),
        Value::Int(state.status.code()),
        state.fail_reason.map(domain::FailReason::code).into(),
        Value::Int(state.payment.code()),
        Value::Int(state.fulfilment.code()),
        Value::Int(1),
        Value::Int(totals.subtotal),
        Value::Int(totals.discount),
        Value::Int(totals.shipping),
        Value::Int(totals.tax),
        totals.tax_included.into(),
        Value::Int(totals.adjustment),
        Value::Int(state.total),
        Value::Int(state.captured),
        Value::Int(state.refunded),
        Value::Int(state.refund_pending),
        Value::Int(state.surplus_refunded),
        Value::Int(state.units),
        Value::Int(state.units_shipped),
        Value::Int(state.units_refunded),
        Value::Int(state.units_refund_pending),
        Value::Int(state.units_released),
        Value::Int(state.units_release_pending),
        Value::Int(state.units_returned),
        order.placed_at.into(),
        at.into(),
        state.confirmed_at.into(),
        order.import.map(|(import, _)| import.get()).into(),
        order.import.map(|(_, line)| line).into(),
        order.stock_untracked.into(),
        order.notify.into(),
        order.content_hash.into(),
        order.details.as_deref().into(),
    ]);
}

/// Gives orders that were inserted before other customers.
pub fn set_customers(tx: &mut Tx<'_>, orders: &[(OrderId, CustomerId)]) -> Result<()> {
    let values: Vec<Value<'_>> =
        orders.iter().flat_map(|(order, customer)| [order.get().into(), customer.get().into()]).collect();
    let update = Update {
        table: "orders",
        columns: &["id", "customer_id"],
        key: &["id"],
        only_if: "",
        set: &["customer_id = new.customer_id"],
    };
    Ok(tx.update_rows(&update, &values)?)
}

/// An order that is there already.
#[derive(Debug, Clone)]
pub struct KnownOrder {
    /// Its id.
    pub id: OrderId,
    /// Its content hash, where one was recorded.
    pub content_hash: Option<Vec<u8>>,
    /// The import that brought it.
    pub import: Option<ImportId>,
}

/// The orders of `source` that are there already, by their ids in the source.
pub fn find_known<'a>(
    tx: &mut Tx<'_>,
    source: &str,
    external_ids: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, KnownOrder>> {
    let known = tx.query_unlikely_in(
        "SELECT external_id, id, content_hash, import_id FROM orders WHERE source = ? AND external_id IN ({in})",
        &[source.into()],
        &distinct(external_ids),
        |row| {
            let id = OrderId::from_ledger(row.get(1)?);
            let import = row.get::<Option<i64>>(3)?.map(ImportId::from_ledger);
            Ok((row.get(0)?, KnownOrder { id, content_hash: row.get(2)?, import }))
        },
    )?;
    Ok(known.into_iter().collect())
}
