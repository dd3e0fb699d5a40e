//! What can be done to orders.

mod cancel;
mod deliver;
mod place;
mod reserve;
mod ship;
mod story;

pub use cancel::cancel;
pub use deliver::deliver;
pub(crate) use place::insert_placed;
pub use place::{NewCustomer, NewOrder, NewOrderLine, Placed, place, place_once};
pub(crate) use reserve::reserve;
pub use ship::{Shipping, ship};
pub use story::{PaymentView, Story, story};

use domain::{Action, OrderId, Transition};
use sql::Tx;
use store::orders::OrderRow;

use crate::workflow::Step;
use crate::{App, Error, Result};

/// Does one action to one order, or refuses it.
fn act(step: &mut Step<'_>, id: OrderId, action: Action, data: Option<String>) -> Result<Transition> {
    step.apply(id, action, data)?.map_err(Error::Refused)
}

/// The order as it stands after a use case.
async fn current(app: &App, id: OrderId) -> Result<OrderRow> {
    let view = move |tx: &mut Tx<'_>| store::orders::get_view(tx, id);
    Ok(app.read("get_order", view).await?.row)
}
