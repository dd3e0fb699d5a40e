//! The ledger's SQL: one file per aggregate, every function over an open transaction, sets of rows where sets are
//! the hot path.

pub mod audit;
pub mod customers;
mod error;
pub mod events;
pub mod facts;
pub mod idempotency;
pub mod imports;
pub mod instance;
mod named;
pub mod notifications;
pub mod operator_actions;
pub mod order_feed;
pub mod orders;
pub mod payments;
#[cfg(test)]
mod plans;
pub mod products;
pub mod refunds;
mod rows;
pub mod saved_views;
pub mod sessions;
pub mod setup_links;
pub mod shipments;
pub mod simulator;
pub mod stock;
pub mod tokens;
pub mod users;
mod walk;
pub mod webhook_receivers;
pub mod webhooks;

pub use error::{Error, Result};
pub use walk::{Part, SEEN_AT_MOST};

/// The ledger's schema history.
pub static MIGRATIONS: sql::Migrations = sql::Migrations {
    history: "store",
    steps: &[
        sql::Migration {
            version: 1,
            name: "ledger",
            sql: include_str!("../migrations/0001_ledger.sql"),
            // MySQL indexes the start of bytes only, and wants to know how many.
            on_mysql: &[("ON imports (file_hash)", "ON imports (file_hash(32))")],
        },
        sql::Migration::new(2, "access", include_str!("../migrations/0002_access.sql")),
        sql::Migration::new(3, "idempotency", include_str!("../migrations/0003_idempotency.sql")),
        sql::Migration::new(4, "order_feed", include_str!("../migrations/0004_order_feed.sql")),
        sql::Migration::new(5, "fetched_imports", include_str!("../migrations/0005_fetched_imports.sql")),
        sql::Migration::new(6, "webhook_receivers", include_str!("../migrations/0006_webhook_receivers.sql")),
        sql::Migration::new(7, "sessions", include_str!("../migrations/0007_sessions.sql")),
        sql::Migration::new(8, "webhook_orders", include_str!("../migrations/0008_webhook_orders.sql")),
        sql::Migration::new(9, "saved_views", include_str!("../migrations/0009_saved_views.sql")),
    ],
};
