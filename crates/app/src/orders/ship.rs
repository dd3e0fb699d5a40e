use domain::{Action, CauseKind, MovementKind, OrderId, ShipmentId};
use serde_json::json;
use sql::Tx;
use store::orders::{Line, UnitChange};
use store::shipments::NewShipment;
use store::stock::Movement;

use crate::workflow::{Goods, Step};
use crate::{Actor, App, Error, Result};

/// What leaves.
#[derive(Debug, Clone, Default)]
pub struct Shipping {
    /// Line numbers and units; empty for all that can be shipped.
    pub lines: Vec<(i64, i64)>,
    /// Who carries it.
    pub carrier: Option<String>,
    /// The carrier's number.
    pub tracking: Option<String>,
}

/// Ships units of a confirmed order.
pub(super) fn ship_in(
    app: &App,
    tx: &mut Tx<'_>,
    who: &Actor,
    id: OrderId,
    shipping: &Shipping,
) -> Result<()> {
    let at = app.now();
    let mut step = Step::begin(app, tx, who, at, &[id])?;
    let head = *step.head(id).ok_or_else(|| store::Error::missing("order", id))?;
    let mut goods = Goods::lock(tx, &[id])?;
    let parcel = parcel(goods.lines(id), &shipping.lines)?;
    let shipment = ShipmentId::from_ledger(tx.next_ids("shipments", 1)?.start);
    let data =
        json!({"shipment": shipment, "carrier": shipping.carrier, "tracking": shipping.tracking}).to_string();
    let units = parcel.iter().map(|(_, units)| units).sum();
    super::act(&mut step, id, Action::Ship { units }, Some(data))?;
    let lines = parcel.iter().map(|(line, units)| (line.line_no, line.product, *units)).collect();
    let (carrier, tracking) = (shipping.carrier.as_deref(), shipping.tracking.as_deref());
    store::shipments::insert(tx, &NewShipment { id: shipment, order: id, carrier, tracking, lines }, at)?;
    let changes: Vec<UnitChange> = parcel
        .iter()
        .map(|(line, units)| UnitChange { shipped: *units, ..UnitChange::none(id, line.line_no) })
        .collect();
    store::orders::change_units(tx, &changes)?;
    let moved: Vec<(Line, i64)> = parcel;
    if !head.stock_untracked {
        let tracked = moved.iter().filter(|(line, _)| goods.level_mut(line.product).is_some());
        let movements: Vec<Movement> = tracked
            .map(|(line, quantity)| Movement {
                cause: CauseKind::ShipmentLine,
                cause_id: shipment.get(),
                line_no: line.line_no,
                kind: MovementKind::Ship,
                product: line.product,
                quantity: *quantity,
            })
            .collect();
        step.add_movements(movements);
    }
    step.finish(tx)
}

/// The lines that leave, each with its units.
fn parcel(lines: &[Line], wanted: &[(i64, i64)]) -> Result<Vec<(Line, i64)>> {
    if wanted.is_empty() {
        let all = lines.iter().map(|line| (line.clone(), line.units.shippable()));
        return Ok(all.filter(|(_, units)| *units > 0).collect());
    }
    let mut parcel: Vec<(Line, i64)> = Vec::with_capacity(wanted.len());
    for (line_no, units) in wanted {
        let line = lines
            .iter()
            .find(|line| line.line_no == *line_no)
            .ok_or_else(|| Error::Invalid(format!("the order has no line {line_no}")))?;
        let taken = parcel.iter().any(|(other, _)| other.line_no == *line_no);
        let left = line.units.shippable();
        if taken || *units <= 0 || *units > left {
            return Err(Error::Invalid(if taken {
                format!("line {line_no} is named twice")
            } else {
                format!("line {line_no} can ship {left} units, not {units}")
            }));
        }
        parcel.push((line.clone(), *units));
    }
    Ok(parcel)
}
