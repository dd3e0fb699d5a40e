//! The figures in Redis or Valkey.
//!
//! Every key begins with `PREFIX:{kpi}:`, so that all of them are in one slot of a cluster. `G` is the number of a
//! generation, `CUR` a currency, `PERIOD` one of `day:DATE`, `week:DATE`, `month:DATE` (the first day of it) and `all`.
//! Days are numbers of days since 1970, times epoch microseconds, amounts minor units.
//!
//! | key | type | what is in it | how long |
//! | --- | --- | --- | --- |
//! | `state` | hash | `epoch`, `live` and `live_zone`, `building`, `building_zone` and `fence`, `marker` (the last batch that is in), `retired` | for ever |
//! | `turn` | string | whose turn it is to feed | 5 s at most |
//! | `G:currencies` | set | currencies with figures | its generation |
//! | `G:CUR:day`, `…:week`, `…:month` | sorted set | the first days of the periods that have figures, by themselves | its generation |
//! | `G:CUR:PERIOD:kpis` | hash | the key figures by name: `orders`, `units`, `gross`, `refunds`, `failed`, `declined`, `expired`, `cancelled`, `customers`, `new_customers`; what is not there is 0 | its generation |
//! | `G:CUR:PERIOD:customers`, `…:products` | sorted set | the board: by net money, a member for each score | its generation |
//! | `G:CUR:PERIOD:customers:scores`, `…:products:scores` | hash | `COUNT:NET:REACHED_AT` by id, orders of a customer and units of a product | its generation |
//! | `G:CUR:month:DATE:order_days` | hash | the days of the month with an order as bits, by customer | its generation |
//! | `G:CUR:firsts` | hash | `PLACED_AT:ORDER:LAST_DAY` of a customer's first order and last day with one | its generation |
//!
//! A member of a board is the complement of the time at which the score was reached, then that of the id, both in hex:
//! read backwards, equal scores follow each other as they do on a board, and no tie, however long, needs sorting. Scores
//! of sorted sets are doubles: a sum that leaves the numbers that a double holds exactly is refused.
//!
//! A generation lives until a rebuild puts another in its place, and is deleted then. Nothing else here ends by itself:
//! Redis must not evict (`maxmemory-policy noeviction`); what it evicts all the same, `verify` finds.
//!
//! # Exactly once
//!
//! The feed (`kpi_feed`, in the ledger's database) gives each batch of facts a number. Batch *n* is added by one script, which first looks whether
//! the marker is *n* − 1 and nothing else in the state has changed since the stored values were read, and moves the
//! marker in the same step. So a batch that is sent twice, by two processes or after a lost answer, counts once, and one
//! cannot overtake another. The values are worked out here, not in the script, by what the figures in SQL use too.
//!
//! - Redis forgot a little (a failover to an old replica, a restart): the marker is as old as the data, and the batches
//!   above it are kept for a day.
//! - Redis forgot all, or more than is kept, or is ahead of a ledger that was restored: the state does not
//!   follow, and the figures are rebuilt.
//!
//! # Cost
//!
//! A report takes two or three calls of a server's time far below a millisecond; a board two, whatever its length. Distinct
//! customers of a span that is no whole period are counted by reading the days of its months in pieces.

mod apply;
mod boards;
mod feeder;
mod figures;
mod keys;
mod kpis;
#[cfg(test)]
mod races;
mod reader;
mod rebuild;
mod scores;
mod script;
mod state;
mod stored;
mod sums;
mod sweep;
mod turn;

pub use feeder::Fed;
pub use rebuild::{ReadFacts, RedisRebuild};
pub use sums::RedisSumCheck;

use std::sync::Arc;

use domain::Calendar;
use redis_link::Redis;
use sql::{Database, Tx};
use tokio::sync::{Mutex, Notify};

use crate::zone::zone_name;
use crate::{Fact, Result, feed};
use keys::Keys;

/// The figures in Redis: a cheap handle.
#[derive(Clone)]
pub struct Store {
    redis: Redis,
    database: Database,
    calendar: Calendar,
    keys: Keys,
    told: Arc<Notify>,
    /// Tasks of this process take turns before they ask for that of all processes.
    turn: Arc<Mutex<()>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("redis", &self.redis).finish_non_exhaustive()
    }
}

impl Store {
    /// The figures of the ledger in `database`, under keys that begin with `prefix`, which no other installation uses.
    /// `calendar` is the shop's; figures that were made in another time zone stay in it until they are rebuilt.
    pub fn new(redis: Redis, prefix: &str, database: Database, calendar: Calendar) -> Self {
        let (told, turn) = (Arc::default(), Arc::default());
        Store { redis, database, calendar, keys: Keys::new(prefix), told, turn }
    }

    /// Says that figures live in Redis from now on. What it holds from before, if figures lived elsewhere meanwhile, is
    /// rebuilt by whoever feeds next.
    pub async fn settle(&self) -> Result<()> {
        let settle = |tx: &mut Tx<'_>| match feed::home(tx)? {
            feed::Home::Redis => Ok(()),
            feed::Home::Sql | feed::Home::Moving => feed::set_home(tx, feed::Home::Redis),
        };
        self.database.write("figures_in_redis", settle).await
    }

    /// Tells facts, in the transaction that made them true; they are in the figures once they were [fed](Self::feed).
    pub fn tell(&self, tx: &mut Tx<'_>, now: jiff::Timestamp, facts: &[Fact]) -> Result<()> {
        if facts.is_empty() {
            return Ok(());
        }
        feed::check_home(tx, true)?;
        feed::tell(tx, now, facts)?;
        let told = Arc::clone(&self.told);
        tx.after_commit(move || told.notify_one());
        Ok(())
    }

    /// Waits until this process has told facts.
    pub async fn told(&self) {
        self.told.notified().await;
    }

    /// The zone that the figures are in, if it is not the shop's: time for a rebuild.
    pub async fn other_zone(&self) -> Result<Option<String>> {
        let state = self.state().await?;
        let zone = state.live.map(|_| state.live_zone);
        Ok(zone.filter(|zone| *zone != zone_name(&self.calendar)))
    }
}
