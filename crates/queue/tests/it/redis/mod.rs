//! What holds when jobs are in Redis and Redis forgets, or goes away, whatever engines the run uses elsewhere.

mod adopting;
mod away;
mod backlog;
mod forgetting;
mod keys;
mod server;
mod waking;

use std::sync::Arc;
use std::time::Duration;

use queue::{ManualClock, Queue, Settings};
use testkit::Space;

use crate::lab::{Lab, Place, WithRedis};
use server::Server;

/// An engine over a Redis of its own.
async fn with_a_server_of_its_own(settings: Settings) -> (Lab<WithRedis>, Server) {
    let server = Server::start();
    let place = Place::with_redis_at(Space::on(false, false), Some(&server.url())).await;
    (Lab::over(WithRedis(place), settings), server)
}

/// What the names of the keys of its queue begin with.
fn base(lab: &Lab<WithRedis>) -> String {
    format!("{}:{{q:default}}:2:", lab.store.0.space.redis_prefix())
}

/// Steps of the sweeper until nothing is known to be missing.
async fn sweep(queue: &Queue) {
    while queue.sweep(100).await.unwrap() {}
}

impl WithRedis {
    /// The engine of a process whose messages never reach the Redis of the others.
    fn unheard(&self, clock: Arc<ManualClock>) -> Queue {
        let redis = self.0.redis.clone().unwrap();
        let elsewhere = format!("{}-elsewhere", self.0.space.redis_prefix());
        Queue::redis(self.0.ledger().clone(), redis, &elsewhere, clock, Settings::default()).unwrap()
    }
}

/// When a test is given up: far beyond what anything here takes.
const PATIENCE: Duration = Duration::from_mins(2);
