//! The jobs: one file each, one list of them all.

mod deliver_callback;
mod fetch_import;
mod import;
mod outlook;
mod payload;
mod refund_payment;
mod reserve_stock;
mod send_notification;
mod settle_overdue;
mod take_payment;
mod void_charge;

use std::sync::Arc;

use queue::{Handler, Registry};

pub use fetch_import::FetchImport;
pub use import::{FinishImport, ImportChunk, PlanImport};
pub use outlook::{About, Outlook, Prospect, outlook};
pub use refund_payment::RefundPayment;
pub use reserve_stock::ReserveStock;
pub(crate) use send_notification::sending;
pub use send_notification::{SendNotification, SendWebhook};
pub use settle_overdue::SettleOverdue;
pub use take_payment::TakePayment;
pub use void_charge::VoidCharge;

use crate::App;
use outlook::Foresight;
pub(crate) use payload::{Payload, land, payloads};

/// The queues of the main job, in the order in which an order passes them.
pub const QUEUES: [&str; 7] =
    ["imports", "stock", "payments", "callbacks", "refunds", "notifications", "webhooks"];

/// Every job there is.
fn handlers(app: &App) -> Vec<Arc<dyn Foresight>> {
    vec![
        Arc::new(fetch_import::Run(app.clone())),
        Arc::new(import::Plan(app.clone())),
        Arc::new(import::Chunk(app.clone())),
        Arc::new(import::Finish(app.clone())),
        Arc::new(reserve_stock::Run(app.clone())),
        Arc::new(take_payment::Run(app.clone())),
        Arc::new(void_charge::Run(app.clone())),
        Arc::new(deliver_callback::Run(app.clone())),
        Arc::new(settle_overdue::Run(app.clone())),
        Arc::new(refund_payment::Run(app.clone())),
        Arc::new(send_notification::Run(app.clone())),
        Arc::new(send_notification::Call(app.clone())),
    ]
}

/// Who does which job.
pub fn registry(app: &App) -> queue::Result<Registry> {
    let handlers = handlers(app).into_iter().map(|handler| -> Arc<dyn Handler> { handler });
    Registry::new(handlers, app.queue().settings())
}

/// Every kind of job there is.
pub fn kinds(app: &App) -> Vec<&'static str> {
    handlers(app).iter().map(|handler| handler.kind()).collect()
}
