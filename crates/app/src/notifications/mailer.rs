use async_trait::async_trait;
use domain::{Channel, NotificationId, NotificationKind, OrderId};
use jiff::Timestamp;
use telemetry::{Span, Trace};

/// A way to reach customers.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// The channel that it serves.
    fn channel(&self) -> Channel;

    /// Whether telling somebody twice is harmless, so that nothing needs to be recorded before.
    fn is_repeatable(&self) -> bool {
        false
    }

    /// How many letters it is given at a time, at most.
    fn at_once(&self) -> usize;

    /// Hands letters over, in any order; tells what became of each, in their order.
    async fn send(&self, letters: &[Letter]) -> Vec<Delivery>;
}

/// A notification that is ready to go out.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The notification.
    pub id: NotificationId,
    /// What it tells.
    pub kind: NotificationKind,
    /// The order it tells of.
    pub order: OrderId,
    /// Where to.
    pub recipient: String,
    /// The customer's name, in one line.
    pub name: Option<String>,
    /// When it was caused.
    pub date: Timestamp,
    /// The same for each attempt, so that the receiver can tell duplicates.
    pub message_id: String,
    /// Its subject, one line.
    pub subject: String,
    /// Its words as plain text.
    pub text: String,
    /// Its words as HTML.
    pub html: String,
    /// The span that sending it follows from, where its trace is kept.
    pub trace: Option<Trace>,
}

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It was taken.
    Sent,
    /// It will never be taken.
    Refused(String),
    /// Neither it nor anything else will be taken there.
    Gone(String),
    /// It was not taken, and may be later.
    Passing(String),
    /// It may have been taken: the answer is missing.
    NoAnswer(String),
}

impl Delivery {
    /// Says in a call's span why the letter was not taken.
    pub(super) fn show_in(&self, call: &Span) {
        match self {
            Delivery::Sent => {}
            Delivery::Refused(why)
            | Delivery::Gone(why)
            | Delivery::Passing(why)
            | Delivery::NoAnswer(why) => call.fail(|| why.clone()),
        }
    }
}
