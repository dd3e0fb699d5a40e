//! Orders as people look at them.

use std::collections::{BTreeSet, HashMap};

use domain::order::OrderTotals;
use domain::{Currency, FailReason, FulfilmentStatus, ImportId, Money, OrderId, OrderStatus, PaymentStatus};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use sql::{Row, Tx, Value};

use crate::{Error, Result, rows};

/// One row of a list of orders.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OrderRow {
    /// Our id.
    pub id: OrderId,
    /// The shop's source.
    pub source: String,
    /// Its id there.
    pub external_id: String,
    /// Where the order as a whole stands.
    #[schemars(with = "OrderStatus")]
    pub status: &'static str,
    /// Why it failed.
    #[schemars(with = "Option<FailReason>")]
    pub fail_reason: Option<&'static str>,
    /// Where its money stands.
    #[schemars(with = "PaymentStatus")]
    pub payment: &'static str,
    /// Where its goods stand.
    #[schemars(with = "FulfilmentStatus")]
    pub fulfilment: &'static str,
    /// What the customer owes.
    pub total: Money,
    /// What was captured.
    pub captured: Money,
    /// What went back.
    pub refunded: Money,
    /// What is on its way back.
    pub refund_pending: Money,
    /// Units over all lines.
    pub units: i64,
    /// When the customer placed it.
    pub placed_at: Timestamp,
    /// Grows with every event.
    pub version: i64,
    /// The customer's id.
    pub customer_id: i64,
    /// The import that brought it.
    pub import_id: Option<i64>,
    /// The line of the file that it began on.
    pub import_line: Option<i64>,
}

/// One order with its lines.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OrderView {
    /// The order.
    #[serde(flatten)]
    pub row: OrderRow,
    /// What its total is made of.
    #[serde(skip)]
    pub totals: OrderTotals,
    /// Notes, payment method, addresses.
    pub details: Option<serde_json::Value>,
    /// Its lines.
    pub lines: Vec<LineView>,
}

/// One line of an [`OrderView`].
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LineView {
    /// Its number, from 1.
    pub line_no: i64,
    /// The product's SKU as sold.
    pub sku: String,
    /// The product's name as sold.
    pub name: String,
    /// Units ordered.
    pub quantity: i64,
    /// For one unit.
    pub unit_price: Money,
    /// For all of it.
    pub total: Money,
    /// Units that left.
    pub shipped: i64,
    /// Units refunded.
    pub refunded: i64,
    /// Units in refunds under way.
    pub refund_pending: i64,
}

/// Which orders a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those that stand so.
    pub status: Option<OrderStatus>,
    /// Only those of this import.
    pub import_id: Option<i64>,
    /// Only those of this source.
    pub source: Option<String>,
    /// Only those with a smaller id: the next page of a list that shows the newest first.
    pub before: Option<OrderId>,
    /// At most so many.
    pub limit: u32,
}

pub(super) const ROW: &str = "SELECT id, source, external_id, status, fail_reason, payment, fulfilment, currency, total, \
    captured, refunded, refund_pending, units, placed_at, version, customer_id, import_id, import_line FROM orders";

pub(super) fn read(row: &Row<'_>) -> sql::Result<OrderRow> {
    let currency = rows::currency(row, 7)?;
    let money = |column| Ok::<_, sql::Error>(Money { amount: row.get(column)?, currency });
    Ok(OrderRow {
        id: OrderId::from_ledger(row.get(0)?),
        source: row.get(1)?,
        external_id: row.get(2)?,
        status: rows::code(row, 3, "an order's status", OrderStatus::from_code)?.as_str(),
        fail_reason: rows::code_opt(row, 4, "a reason of failure", FailReason::from_code)?
            .map(FailReason::as_str),
        payment: rows::code(row, 5, "a payment status", PaymentStatus::from_code)?.as_str(),
        fulfilment: rows::code(row, 6, "a fulfilment status", FulfilmentStatus::from_code)?.as_str(),
        total: money(8)?,
        captured: money(9)?,
        refunded: money(10)?,
        refund_pending: money(11)?,
        units: row.get(12)?,
        placed_at: row.get(13)?,
        version: row.get(14)?,
        customer_id: row.get(15)?,
        import_id: row.get(16)?,
        import_line: row.get(17)?,
    })
}

/// Orders that pass the filter, newest id first.
pub fn list(tx: &mut Tx<'_>, filter: &Filter) -> Result<Vec<OrderRow>> {
    let mut wheres = vec!["id < ?"];
    let mut params: Vec<Value<'_>> = vec![filter.before.map_or(i64::MAX, OrderId::get).into()];
    if let Some(status) = filter.status {
        wheres.push("status = ?");
        params.push(status.code().into());
    }
    if let Some(import) = filter.import_id {
        wheres.push("import_id = ?");
        params.push(import.into());
    }
    if let Some(source) = &filter.source {
        wheres.push("source = ?");
        params.push(source.into());
    }
    params.push(filter.limit.into());
    let sql = format!("{ROW} WHERE {} ORDER BY id DESC LIMIT ?", wheres.join(" AND "));
    Ok(tx.query(&sql, &params, read)?)
}

/// The first order of an import after `after` that stands as one of `statuses`.
pub fn next_of_import(
    tx: &mut Tx<'_>,
    import: ImportId,
    after: OrderId,
    statuses: &[OrderStatus],
) -> Result<Option<OrderId>> {
    let marks = vec!["?"; statuses.len()].join(", ");
    let sql = format!(
        "SELECT id FROM orders WHERE id > ? AND import_id = ? AND status IN ({marks}) ORDER BY id LIMIT 1"
    );
    let mut params: Vec<Value<'_>> = vec![after.get().into(), import.get().into()];
    params.extend(statuses.iter().map(|status| Value::Int(status.code())));
    Ok(tx.query_opt(&sql, &params, |row| Ok(OrderId::from_ledger(row.get(0)?)))?)
}

/// The order that a person names: by its id, or as `SOURCE/EXTERNAL_ID`.
pub fn resolve(tx: &mut Tx<'_>, name: &str) -> Result<OrderId> {
    let id = |row: &Row<'_>| Ok(OrderId::from_ledger(row.get(0)?));
    let found = match name.split_once('/') {
        Some((source, external_id)) => {
            let sql = "SELECT id FROM orders WHERE source = ? AND external_id = ?";
            tx.query_opt(sql, &[source.into(), external_id.into()], id)?
        }
        None => match name.parse::<OrderId>() {
            Ok(number) => tx.query_opt("SELECT id FROM orders WHERE id = ?", &[number.get().into()], id)?,
            Err(_) => None,
        },
    };
    found.ok_or_else(|| Error::missing("order", name))
}

/// How people name these orders: by their id in their source.
pub fn names(tx: &mut Tx<'_>, ids: impl IntoIterator<Item = OrderId>) -> Result<HashMap<OrderId, String>> {
    let ids: BTreeSet<OrderId> = ids.into_iter().collect();
    let sql = "SELECT id, source, external_id FROM orders WHERE id IN ({in})";
    let named = |row: &Row<'_>| {
        let (source, external_id): (String, String) = (row.get(1)?, row.get(2)?);
        Ok((OrderId::from_ledger(row.get(0)?), format!("{source}/{external_id}")))
    };
    Ok(tx.query_in(sql, &[], &rows::keys(ids), named)?.into_iter().collect())
}

/// One order with its lines.
pub fn get_view(tx: &mut Tx<'_>, id: OrderId) -> Result<OrderView> {
    let row = tx
        .query_opt(&format!("{ROW} WHERE id = ?"), &[id.get().into()], read)?
        .ok_or_else(|| Error::missing("order", id))?;
    let currency = row.total.currency;
    let sql = "SELECT subtotal, discount, shipping, tax, tax_included, adjustment, total, details FROM orders WHERE id = ?";
    let (totals, details): (OrderTotals, Option<String>) = tx.query_one(sql, &[id.get().into()], |row| {
        let totals = OrderTotals {
            subtotal: row.get(0)?,
            discount: row.get(1)?,
            shipping: row.get(2)?,
            tax: row.get(3)?,
            tax_included: row.get(4)?,
            adjustment: row.get(5)?,
            total: row.get(6)?,
        };
        Ok((totals, row.get(7)?))
    })?;
    let lines = lines(tx, id, currency)?;
    Ok(OrderView { row, totals, details: details.and_then(|text| serde_json::from_str(&text).ok()), lines })
}

fn lines(tx: &mut Tx<'_>, id: OrderId, currency: Currency) -> Result<Vec<LineView>> {
    let sql = "SELECT line_no, sku, name, quantity, unit_price, total, shipped, refunded, refund_pending \
               FROM order_lines WHERE order_id = ? ORDER BY line_no";
    Ok(tx.query(sql, &[id.get().into()], |row| {
        let money = |column| Ok::<_, sql::Error>(Money { amount: row.get(column)?, currency });
        Ok(LineView {
            line_no: row.get(0)?,
            sku: row.get(1)?,
            name: row.get(2)?,
            quantity: row.get(3)?,
            unit_price: money(4)?,
            total: money(5)?,
            shipped: row.get(6)?,
            refunded: row.get(7)?,
            refund_pending: row.get(8)?,
        })
    })?)
}
