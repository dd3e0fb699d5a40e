use domain::{Action, Demand, Money, OrderId, OrderStatus, ProductId};
use serde_json::json;
use sql::Tx;
use store::orders::Head;

use crate::workflow::{Goods, Step};
use crate::{Actor, App, Result};

static SYSTEM: Actor = Actor::SYSTEM;

/// Holds the stock of each order that is pending, in the order of their ids, or fails it when a line is short. An
/// order gets all its lines or none.
pub(crate) fn reserve(app: &App, tx: &mut Tx<'_>, ids: &[OrderId]) -> Result<()> {
    let mut step = Step::begin(app, tx, &SYSTEM, app.now(), ids)?;
    let pending: Vec<Head> =
        step.heads().iter().filter(|head| head.state.status == OrderStatus::Pending).copied().collect();
    let orders: Vec<OrderId> = pending.iter().map(|head| head.id).collect();
    let mut goods = Goods::lock(tx, &orders)?;
    for head in pending {
        let demand: Demand = if head.stock_untracked {
            Demand::default()
        } else {
            goods.lines(head.id).iter().map(|line| (line.product, line.units.quantity)).collect()
        };
        let short = demand.shortfalls(|product| goods.available(product));
        if short.is_empty() {
            hold(&mut goods, &demand);
            super::act(&mut step, head.id, Action::Reserve, None)?;
            if head.state.total == 0 {
                let money = Money { amount: 0, currency: head.state.currency };
                super::act(&mut step, head.id, Action::Capture { money }, None)?;
            }
        } else {
            let products: Vec<ProductId> = short.iter().map(|one| one.product).collect();
            let names = store::products::list(tx, &products)?;
            let sku =
                |id: ProductId| names.iter().find(|product| product.id == id).map(|product| &product.sku);
            let short: Vec<_> = short
                .iter()
                .map(|one| json!({"sku": sku(one.product), "wanted": one.wanted, "available": one.available}))
                .collect();
            let data = json!({ "short": short }).to_string();
            super::act(&mut step, head.id, Action::FailReservation, Some(data))?;
        }
    }
    step.take_goods(goods);
    step.finish(tx)
}

/// Counts an order's demand against the levels, so that the next order of the set sees what is left.
fn hold(goods: &mut Goods, demand: &Demand) {
    for (product, quantity) in demand.iter() {
        if let Some(level) = goods.level_mut(product) {
            level.reserved += quantity;
        }
    }
}
