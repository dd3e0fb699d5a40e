//! Orders: their statuses, their state machine, their totals.

mod action;
mod effects;
mod refused;
mod state;
mod status;
mod totals;
mod transitions;
mod units;

pub use action::{Action, ActionKind};
pub use effects::{Effects, EventKind, Transition};
pub use refused::{Reason, Refused};
pub use state::OrderState;
pub use status::{ChargeStatus, FailReason, FulfilmentStatus, OrderStatus, PaymentStatus, ShipmentStatus};
pub use totals::{LARGEST_TOTAL, LineTotals, OrderTotals, TotalsError};
pub use units::{LineUnits, RefundedUnits};
