//! What can be done to orders.

mod cancel;
mod deed;
mod deliver;
mod export;
mod jobs_of;
mod list;
pub mod news;
mod place;
mod preview;
mod reserve;
mod ship;
mod story;
mod views;

pub use deed::{Deed, cancel, deliver, move_on, move_once, preview, ship};
pub use export::export;
pub use jobs_of::{OrderJobs, jobs_of};
pub use list::{Owned, list, stages_of_newest};
pub(crate) use place::insert_placed;
pub use place::{NewCustomer, NewOrder, NewOrderLine, Placed, place, place_once};
pub use preview::{Preview, StockChange, Told};
pub(crate) use reserve::reserve;
pub use ship::Shipping;
pub use store::orders::Stages;
pub use story::{PaymentView, Possible, Story, possible, story, story_and_possible};
pub use views::{forget_view, keep_view, views};

use std::collections::HashMap;

use domain::{Action, OrderId, Transition};
use sql::Tx;
use store::orders::OrderRow;

use crate::workflow::Step;
use crate::{App, Error, Result};

/// How people name these orders: by their id in their source.
pub async fn names(app: &App, ids: impl IntoIterator<Item = OrderId>) -> Result<HashMap<OrderId, String>> {
    let ids: Vec<OrderId> = ids.into_iter().collect();
    app.look_up("order_names", move |tx| Ok(store::orders::names(tx, ids.iter().copied())?)).await
}

/// How the operators' log names an order.
pub(crate) fn subject(id: OrderId) -> String {
    format!("order {id}")
}

/// Does one action to one order, or refuses it.
fn act(step: &mut Step<'_>, id: OrderId, action: Action, data: Option<String>) -> Result<Transition> {
    step.apply(id, action, data)?.map_err(Error::Refused)
}

/// The order as it stands after a use case.
async fn current(app: &App, id: OrderId) -> Result<OrderRow> {
    let view = move |tx: &mut Tx<'_>| store::orders::get_view(tx, id);
    Ok(app.look_up("get_order", view).await?.row)
}
