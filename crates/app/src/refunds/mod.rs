//! Refunds: asked for once per key, within the caps, paid back by the gateway, settled with their stock and figures.

pub(crate) mod owed;
pub(crate) mod refundable;
mod request;
mod settle;
mod story;
mod view;

pub use request::{Asked, Request, Restock, preview, request};
pub(crate) use settle::{pay_back, settle};
pub use story::{Story, story};
pub use view::RefundView;

use domain::RefundId;

use crate::{App, Result};

/// One refund as it stands.
pub async fn get(app: &App, id: RefundId) -> Result<RefundView> {
    Ok(app.look_up("get_refund", move |tx| store::refunds::get(tx, id)).await?.into())
}
