//! Orders: found, seen, and moved on.

mod act;
mod list;
mod many;
mod refund;
mod show;
mod timeline;
mod views;

pub(super) use act::{act, ask};
pub(super) use list::{export, list};
pub(super) use many::{act as act_on_many, ask as ask_of_many};
pub(super) use refund::{ask as ask_refund, refund};
pub(super) use show::{live, show};
pub(super) use views::{forget as forget_view, keep as keep_view};
