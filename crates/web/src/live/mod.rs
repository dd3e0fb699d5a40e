//! What happens, told while it happens, to many who listen.
//!
//! One task of the process reads what is new, while somebody listens and for what they listen to; what it finds goes to
//! all listeners through one bounded channel, rendered once. So changes of other processes are told too, and a thousand
//! listeners cost the ledger what one does.

mod hub;
mod listener;
mod message;
mod poll;
mod topic;

pub(crate) use hub::{Hub, Joining};
pub(crate) use listener::Listener;
pub(crate) use message::Message;
pub(crate) use topic::{Topic, Topics};
