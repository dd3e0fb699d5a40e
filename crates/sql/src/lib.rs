//! The one door to a database.
//!
//! [`Database`] runs whole transactions: a transaction is a function over a [`Tx`], run on a thread that owns the
//! connection, committed or rolled back as one, and run again from its start when the database asks for it. There
//! is no `await` inside, so a dropped request cannot leave half a transaction behind.
//!
//! Statements are plain text with `?`, the same for every engine; what differs is in [`Dialect`] and in the few
//! set-based calls of [`Tx`]. Columns hold integers, text and blobs; times are epoch microseconds.

pub mod backup;
mod database;
mod dialect;
mod engine;
mod error;
mod ids;
mod lists;
mod measures;
mod migrate;
mod mysql;
mod row;
mod sqlite;
mod tx;
mod value;
mod vitals;
mod work;

pub use database::{Database, DatabaseInfo, PerKind, Settings, Synchronous};
pub use dialect::{Dialect, Server};
pub use error::{Error, Result};
pub use migrate::{Migration, Migrations};
pub use row::Row;
pub use tx::{Conflict, Insert, Tx, Update};
pub use value::{FromValue, Value, ValueRef};
pub use vitals::{SlowStatement, Vitals};
