//! Orders: found, seen, and moved on.

mod act;
mod list;
mod refund;
mod show;
mod timeline;

pub(super) use act::{act, ask};
pub(super) use list::list;
pub(super) use refund::{ask as ask_refund, refund};
pub(super) use show::{live, show};
