//! The HTTP server: health, the API, the pages for people who sign in, the signed webhook, and the payment simulator as a server of its own.
//!
//! Both servers speak through `reqwest` and `rustls` without a built-in cryptography provider: whoever starts a
//! process calls `rustls::crypto::ring::default_provider().install_default()` before anything of this crate.

mod access;
mod address;
mod api;
mod ask;
mod assets;
mod body;
mod connections;
mod cookie;
mod docs;
mod error;
mod fixed;
mod form;
pub mod gateway;
mod headers;
mod health;
mod idempotent;
mod limits;
mod live;
pub mod metrics;
mod observe;
mod openapi;
mod pages;
mod problem;
mod query;
mod same_origin;
mod server;
mod stream;
mod unread;
mod visitor;

pub use api::{Access, access};
pub use ask::ask_ready;
pub use error::{Error, Result};
pub use openapi::openapi;
pub use pages::{PageAccess, page_access};
pub use problem::{ApiError, Violation};
pub use server::{listen, router, serve, serve_metrics};
