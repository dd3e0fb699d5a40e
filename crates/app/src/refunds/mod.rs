//! Refunds: asked for once per key, within the caps, paid back by the gateway, settled with their stock and figures.

pub(crate) mod owed;
mod refundable;
mod request;
mod settle;

pub use request::{Asked, Request, request};
pub(crate) use settle::{pay_back, settle};
