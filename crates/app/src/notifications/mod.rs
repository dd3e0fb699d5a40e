//! What customers are told: written from templates, handed to the channels that are on, recorded once per cause.
//!
//! The transition that causes a notification records it with its job. The job reads what it tells of, writes it
//! outside any transaction, and sends it: over a channel where repeating is harmless, sending and recording need one
//! transaction, as over `webhook`, whose receiver tells repetitions by their id; over the others the attempt is claimed in a transaction before, so that a crash in between is seen,
//! and repeated once at most.

mod conclusion;
mod history;
mod input;
mod log;
mod mailer;
mod notifier;
mod packing;
mod preview;
mod resend;
mod sample;
mod sending;
mod smtp;
mod templates;
mod webhook;

pub(crate) use conclusion::ATTEMPTS;
pub use history::{
    History, NotificationView, RATED, SuccessRate, Which, history, of_order, success_rate, view,
};
pub use input::{
    CustomerInput, Input, LineInput, OrderInput, ParcelInput, RefundInput, ShopInput, ShortInput,
};
pub use log::LogMailer;
pub use mailer::{Delivery, Letter, Mailer};
pub use notifier::Notifier;
pub use preview::{OwnTemplates, own_templates};
pub use resend::{resend, resend_once};
pub use sample::Sample;
pub(crate) use sending::{longest_calls, longest_run, send};
pub use smtp::SmtpMailer;
pub use store::notifications::{FailureRow, Notification};
pub use templates::{Content, TemplateError, Templates};
pub(crate) use webhook::refused_address;
pub use webhook::{ReceiverView, WebhookCaller, enable, receiver};
