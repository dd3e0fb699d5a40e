//! Shipments: what left, with which carrier.

use std::collections::HashMap;

use domain::{OrderId, ProductId, ShipmentId, ShipmentStatus};
use jiff::Timestamp;
use sql::{Conflict, Insert, Row, Tx, Value};

use crate::{Result, rows};

/// A shipment that leaves now.
#[derive(Debug, Clone)]
pub struct NewShipment<'a> {
    /// Its id, from a reserved block.
    pub id: ShipmentId,
    /// The order.
    pub order: OrderId,
    /// Who carries it.
    pub carrier: Option<&'a str>,
    /// The carrier's number.
    pub tracking: Option<&'a str>,
    /// Line number, product and units.
    pub lines: Vec<(i64, ProductId, i64)>,
}

/// Records a shipment.
pub fn insert(tx: &mut Tx<'_>, shipment: &NewShipment<'_>, at: Timestamp) -> Result<()> {
    let columns = &["id", "order_id", "status", "carrier", "tracking", "shipped_at"];
    let values = [
        Value::Int(shipment.id.get()),
        Value::Int(shipment.order.get()),
        Value::Int(ShipmentStatus::Shipped.code()),
        shipment.carrier.into(),
        shipment.tracking.into(),
        at.into(),
    ];
    tx.insert_rows(&Insert { table: "shipments", columns, conflict: Conflict::Error }, &values)?;
    let columns = &["shipment_id", "line_no", "product_id", "quantity"];
    let values: Vec<Value<'_>> = shipment
        .lines
        .iter()
        .flat_map(|(line_no, product, quantity)| {
            [shipment.id.get(), *line_no, product.get(), *quantity].map(Value::Int)
        })
        .collect();
    tx.insert_rows(&Insert { table: "shipment_lines", columns, conflict: Conflict::Error }, &values)?;
    Ok(())
}

/// Marks every shipment of an order as delivered.
pub fn mark_delivered(tx: &mut Tx<'_>, order: OrderId, at: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE shipments SET status = ?, delivered_at = ? WHERE order_id = ? AND status = ?",
        &[
            ShipmentStatus::Delivered.code().into(),
            at.into(),
            order.get().into(),
            ShipmentStatus::Shipped.code().into(),
        ],
    )?;
    Ok(())
}

/// A shipment.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Shipment {
    /// Its id.
    pub id: ShipmentId,
    /// Where it stands.
    #[schemars(with = "ShipmentStatus")]
    pub status: &'static str,
    /// Who carries it.
    pub carrier: Option<String>,
    /// The carrier's number.
    pub tracking: Option<String>,
    /// When it left.
    pub shipped_at: Timestamp,
    /// When it arrived.
    pub delivered_at: Option<Timestamp>,
}

/// The shipments of an order, oldest first.
pub fn list_of_order(tx: &mut Tx<'_>, order: OrderId) -> Result<Vec<Shipment>> {
    let sql = "SELECT id, status, carrier, tracking, shipped_at, delivered_at FROM shipments \
               WHERE order_id = ? ORDER BY id";
    Ok(tx.query(sql, &[order.get().into()], |row| {
        Ok(Shipment {
            id: ShipmentId::from_ledger(row.get(0)?),
            status: rows::code(row, 1, "the status of a shipment", ShipmentStatus::from_code)?.as_str(),
            carrier: row.get(2)?,
            tracking: row.get(3)?,
            shipped_at: row.get(4)?,
            delivered_at: row.get(5)?,
        })
    })?)
}

/// The orders that these shipments are of.
pub fn orders_of(
    tx: &mut Tx<'_>,
    ids: impl IntoIterator<Item = ShipmentId>,
) -> Result<HashMap<ShipmentId, OrderId>> {
    let sql = "SELECT id, order_id FROM shipments WHERE id IN ({in})";
    let pair = |row: &Row<'_>| Ok((ShipmentId::from_ledger(row.get(0)?), OrderId::from_ledger(row.get(1)?)));
    Ok(tx.query_in(sql, &[], &rows::keys(ids), pair)?.into_iter().collect())
}
