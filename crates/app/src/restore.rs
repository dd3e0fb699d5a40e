//! Taking up work on a ledger that was put back from a backup.

use std::sync::Arc;

use domain::OrderId;
use queue::Clock;
use serde_json::json;
use sql::{Database, Tx};
use store::operator_actions::{self, NewAction};

use crate::config::Config;
use crate::{Actor, MIGRATIONS, Result};

/// All sequences of ids. The outside has seen most: gateway, customers, Redis, whoever uses the API. One that was not begun
/// when the backup was made may have given ids since.
const SEQUENCES: [&str; 17] = [
    "api_tokens",
    "customers",
    "imports",
    "job_batches",
    "job_supervisors",
    "jobs",
    "kpi_feed",
    "notifications",
    "operator_actions",
    "order_feed",
    "orders",
    "products",
    "refunds",
    "shipments",
    "stock_causes",
    "users",
    "webhook_deliveries",
];

/// What was done to a ledger that was put back.
#[derive(Debug, Clone, serde::Serialize)]
pub struct TakenUp {
    /// New orders have higher ids than this.
    pub orders_after: OrderId,
    /// How many ids were passed over.
    pub passed_over: u64,
}

/// Readies a ledger that was put back before anybody works on it.
///
/// After the backup ids went on, and the outside has seen them: a charge's key at the gateway is made of its order's.
/// A new order with the id of one that is lost would be taken for that one, and for paid. So ids that may have been
/// given are passed over. Figures that Redis has are no longer this ledger's, and are rebuilt.
pub async fn take_up(config: Config, clock: Arc<dyn Clock>, who: &Actor, pass_over: u64) -> Result<TakenUp> {
    let database = Database::open(&config.database.open_settings())?;
    database.migrate(MIGRATIONS, clock.now()).await?;
    let who = who.clone();
    let take_up = move |tx: &mut Tx<'_>| -> Result<TakenUp> {
        let sequences = tx.pass_over_ids(&SEQUENCES, pass_over)?;
        let orders = sequences.iter().find_map(|(name, last)| (name == "orders").then_some(*last));
        analytics::disown(tx)?;
        Ok(TakenUp { orders_after: OrderId::from_ledger(orders.unwrap_or_default()), passed_over: pass_over })
    };
    // The log's own id must be one of the new ones, so it is written after them.
    let taken_up = database.write("take_up", take_up).await?;
    let logged = taken_up.clone();
    let log = move |tx: &mut Tx<'_>| -> Result<()> {
        let after = json!({"orders_after": logged.orders_after, "passed_over": logged.passed_over});
        let action =
            NewAction { kind: "ledger_restored", subject: "ledger", before: None, after: Some(after) };
        Ok(operator_actions::insert(tx, who.as_str(), &action, clock.now())?)
    };
    database.write("log_take_up", log).await?;
    database.close();
    Ok(taken_up)
}
