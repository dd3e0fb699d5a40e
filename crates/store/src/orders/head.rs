use domain::order::OrderTotals;
use domain::{
    CustomerId, EventKind, FailReason, FulfilmentStatus, Money, OrderId, OrderState, OrderStatus,
    PaymentStatus,
};
use jiff::Timestamp;
use sql::{Row, Tx, Update, Value};

use crate::events::{self, NewEvent, state_code};
use crate::{Error, Result, rows};

/// What a transition needs to know of an order.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// The order.
    pub id: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Grows with every event.
    pub version: i64,
    /// Where it stands.
    pub state: OrderState,
    /// What its total is made of.
    pub totals: OrderTotals,
    /// When the customer placed it.
    pub placed_at: Timestamp,
    /// Whether it moves no stock.
    pub stock_untracked: bool,
    /// Whether the customer is told of what happens.
    pub notify: bool,
}

/// A transition of an order, to be written with its event.
#[derive(Debug, Clone)]
pub struct Change<'a> {
    /// The order before.
    pub head: Head,
    /// Where it stands after.
    pub state: OrderState,
    /// What happened.
    pub event: EventKind,
    /// JSON with what belongs to the event.
    pub data: Option<&'a str>,
}

const HEAD: &str = "SELECT id, customer_id, version, placed_at, stock_untracked, notify, currency, status, \
    fail_reason, payment, fulfilment, total, captured, refunded, refund_pending, surplus_refunded, units, \
    units_shipped, units_refunded, units_refund_pending, units_released, units_release_pending, units_returned, \
    confirmed_at, subtotal, discount, shipping, tax, tax_included, adjustment FROM orders";

/// Locks the orders in the order of their ids and reads their heads; those that do not exist are left out.
pub fn lock_heads(tx: &mut Tx<'_>, ids: &[OrderId]) -> Result<Vec<Head>> {
    let suffix = tx.dialect().for_update();
    heads(tx, ids, suffix)
}

/// The heads of orders, in the order of their ids, without a lock.
pub fn list_heads(tx: &mut Tx<'_>, ids: &[OrderId]) -> Result<Vec<Head>> {
    heads(tx, ids, "")
}

/// What those of these orders cost that are in `status`, in the order of their ids, without a lock.
pub fn list_totals(tx: &mut Tx<'_>, ids: &[OrderId], status: OrderStatus) -> Result<Vec<(OrderId, Money)>> {
    let sql = "SELECT id, total, currency FROM orders WHERE status = ? AND id IN ({in}) ORDER BY id";
    let total = |row: &Row<'_>| {
        let money = Money { amount: row.get(1)?, currency: rows::currency(row, 2)? };
        Ok((OrderId::from_ledger(row.get(0)?), money))
    };
    Ok(tx.query_in(sql, &[status.code().into()], &rows::keys(in_order(ids)), total)?)
}

/// The head of one order, without a lock.
pub fn get_head(tx: &mut Tx<'_>, id: OrderId) -> Result<Head> {
    list_heads(tx, &[id])?.into_iter().next().ok_or_else(|| Error::missing("order", id))
}

fn heads(tx: &mut Tx<'_>, ids: &[OrderId], suffix: &str) -> Result<Vec<Head>> {
    let sql = format!("{HEAD} WHERE id IN ({{in}}) ORDER BY id{suffix}");
    Ok(tx.query_in(&sql, &[], &rows::keys(in_order(ids)), read)?)
}

/// Each once.
fn in_order(ids: &[OrderId]) -> Vec<OrderId> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn read(row: &Row<'_>) -> sql::Result<Head> {
    let state = OrderState {
        currency: rows::currency(row, 6)?,
        status: rows::code(row, 7, "an order's status", OrderStatus::from_code)?,
        fail_reason: rows::code_opt(row, 8, "an order's reason of failure", FailReason::from_code)?,
        payment: rows::code(row, 9, "a payment status", PaymentStatus::from_code)?,
        fulfilment: rows::code(row, 10, "a fulfilment status", FulfilmentStatus::from_code)?,
        total: row.get(11)?,
        captured: row.get(12)?,
        refunded: row.get(13)?,
        refund_pending: row.get(14)?,
        surplus_refunded: row.get(15)?,
        units: row.get(16)?,
        units_shipped: row.get(17)?,
        units_refunded: row.get(18)?,
        units_refund_pending: row.get(19)?,
        units_released: row.get(20)?,
        units_release_pending: row.get(21)?,
        units_returned: row.get(22)?,
        confirmed_at: row.get(23)?,
    };
    Ok(Head {
        id: OrderId::from_ledger(row.get(0)?),
        customer: CustomerId::from_ledger(row.get(1)?),
        version: row.get(2)?,
        placed_at: row.get(3)?,
        stock_untracked: row.get(4)?,
        notify: row.get(5)?,
        totals: OrderTotals {
            subtotal: row.get(24)?,
            discount: row.get(25)?,
            shipping: row.get(26)?,
            tax: row.get(27)?,
            tax_included: row.get(28)?,
            adjustment: row.get(29)?,
            total: state.total,
        },
        state,
    })
}

/// What a transition changes, guarded by the version that it began with.
const SAVE: Update<'_> = Update {
    table: "orders",
    columns: &[
        "next_version",
        "status",
        "fail_reason",
        "payment",
        "fulfilment",
        "captured",
        "refunded",
        "refund_pending",
        "surplus_refunded",
        "units_shipped",
        "units_refunded",
        "units_refund_pending",
        "units_released",
        "units_release_pending",
        "units_returned",
        "confirmed_at",
        "id",
        "version",
    ],
    key: &["id", "version"],
    only_if: "",
    set: &[
        "version = new.next_version",
        "status = new.status",
        "fail_reason = new.fail_reason",
        "payment = new.payment",
        "fulfilment = new.fulfilment",
        "captured = new.captured",
        "refunded = new.refunded",
        "refund_pending = new.refund_pending",
        "surplus_refunded = new.surplus_refunded",
        "units_shipped = new.units_shipped",
        "units_refunded = new.units_refunded",
        "units_refund_pending = new.units_refund_pending",
        "units_released = new.units_released",
        "units_release_pending = new.units_release_pending",
        "units_returned = new.units_returned",
        "confirmed_at = new.confirmed_at",
    ],
};

/// Writes transitions, each guarded by its order's version, each with its event.
pub fn save(tx: &mut Tx<'_>, changes: &[Change<'_>], actor: &str, at: Timestamp) -> Result<()> {
    let mut values = Vec::with_capacity(changes.len() * 18);
    let mut timeline = Vec::with_capacity(changes.len());
    for Change { head, state, event, data } in changes {
        values.extend([
            Value::Int(head.version + 1),
            Value::Int(state.status.code()),
            state.fail_reason.map(FailReason::code).into(),
            Value::Int(state.payment.code()),
            Value::Int(state.fulfilment.code()),
            Value::Int(state.captured),
            Value::Int(state.refunded),
            Value::Int(state.refund_pending),
            Value::Int(state.surplus_refunded),
            Value::Int(state.units_shipped),
            Value::Int(state.units_refunded),
            Value::Int(state.units_refund_pending),
            Value::Int(state.units_released),
            Value::Int(state.units_release_pending),
            Value::Int(state.units_returned),
            state.confirmed_at.into(),
            Value::Int(head.id.get()),
            Value::Int(head.version),
        ]);
        timeline.push(NewEvent {
            order: head.id,
            version: head.version + 1,
            kind: *event,
            before: Some(state_code(&head.state)),
            after: state_code(state),
            data: *data,
        });
    }
    let orders = changes.iter().map(|change| change.head.id);
    let mut saved = 0;
    for set in rows::in_turns(orders, &values, SAVE.columns.len()) {
        saved += tx.update_and_count_rows(&SAVE, set)?;
    }
    if saved != changes.len() as u64 {
        let name = changes.iter().map(|change| change.head.id.to_string()).collect::<Vec<_>>().join(", ");
        return Err(Error::Conflict { what: "order", name });
    }
    events::insert(tx, &timeline, actor, at)
}

/// The ids of the orders with these ids in `source`, where they exist.
pub fn find_ids(tx: &mut Tx<'_>, source: &str, external_ids: &[&str]) -> Result<Vec<OrderId>> {
    let keys: Vec<Value<'_>> = external_ids.iter().map(|id| Value::from(*id)).collect();
    let sql = "SELECT id FROM orders WHERE source = ? AND external_id IN ({in})";
    Ok(tx.query_in(sql, &[source.into()], &keys, |row| Ok(OrderId::from_ledger(row.get(0)?)))?)
}
