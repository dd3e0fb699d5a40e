//! What ordermill does: use cases, the jobs that call them, the gateways they need, and their configuration.
//!
//! A use case is a function that changes the ledger in one transaction and leaves jobs in that same transaction. A
//! job is *transaction → outside call → transaction*.

pub mod access;
mod actor;
mod application;
pub mod config;
mod error;
pub mod figures;
pub mod gateways;
mod hex;
mod home;
pub mod idempotency;
pub mod imports;
pub mod jobs;
pub mod notifications;
pub mod orders;
pub mod payments;
pub mod products;
pub mod queues;
pub mod recent;
pub mod refunds;
pub mod restore;
pub mod stock;
pub mod system;
mod traces;
pub mod verify;
pub mod vitals;
pub mod words;
pub mod work;
pub mod workers;
mod workflow;

pub use actor::Actor;
pub use application::{App, MIGRATIONS, Parts};
pub use error::{Error, Result};
pub use queue::{Clock, SystemClock};
