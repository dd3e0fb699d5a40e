//! Where a ledger's jobs and figures are kept: beside it in the database, or in Redis. The ledger knows, so that a command
//! that was not told of Redis cannot go its own way.

use queue::Queue;
use sql::{Database, Tx};

use crate::{Error, Result};

/// Under this name the ledger keeps that its jobs and figures are in Redis.
const NAME: &str = "redis";
const IN_USE: &str = "in use";

/// Takes over what was left elsewhere when Redis is used for the first time. Refuses to go on without it once it is.
pub(crate) async fn settle(database: &Database, queue: &Queue, with_redis: bool) -> Result<()> {
    let find = |tx: &mut Tx<'_>| store::instance::find(tx, NAME);
    let in_redis = database.read("find_home", find).await?.as_deref() == Some(IN_USE);
    match (with_redis, in_redis) {
        (true, true) | (false, false) => Ok(()),
        (true, false) => {
            let jobs = queue.adopt().await?;
            if jobs > 0 {
                tracing::info!(jobs, "jobs that waited in the database go on in Redis");
            }
            Ok(database.write("keep_home", |tx| store::instance::put(tx, NAME, IN_USE)).await?)
        }
        (false, true) => Err(Error::Config(
            "the jobs and figures of this ledger are kept in Redis, and no `[redis] url` is set; set it, or run \
             `ordermill migrate --without-redis` once, which brings them back into the database"
                .to_owned(),
        )),
    }
}

/// The ledger goes on without Redis.
pub(crate) async fn leave_redis(database: &Database) -> Result<()> {
    Ok(database.write("keep_home", |tx| store::instance::put(tx, NAME, "")).await?)
}
