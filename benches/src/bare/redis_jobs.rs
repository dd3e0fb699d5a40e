//! Jobs by bare commands: a hash of what they carry, a sorted set of those that are ready and one of those that somebody
//! has until then. Without a lease and an order it would be lists, but no job engine.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use mysql::prelude::Queryable as _;
use redis_link::{Pipeline, redis};

use super::BATCH;
use super::servers::{Connections, LOOPS, in_parallel};
use crate::place::Home;

/// What is claimed must not be lost between two commands.
pub fn claim_script() -> redis::Script {
    redis::Script::new(
        "local popped = redis.call('ZPOPMIN', KEYS[1] .. 'ready', ARGV[1]) \
         local ids, leases = {}, {} \
         for at = 1, #popped, 2 do \
           ids[#ids + 1] = popped[at] leases[#leases + 1] = ARGV[2] leases[#leases + 1] = popped[at] \
         end \
         if #ids == 0 then return {{}, {}} end \
         redis.call('ZADD', KEYS[1] .. 'leased', unpack(leases)) \
         return {ids, redis.call('HMGET', KEYS[1] .. 'jobs', unpack(ids))}",
    )
}

fn base(queue: &str) -> String {
    format!("bare:{queue}:")
}

pub fn push(commands: &mut Pipeline, queue: &str, jobs: impl Iterator<Item = (String, String)>) {
    let base = base(queue);
    let (mut texts, mut ready) = (redis::cmd("HSET"), redis::cmd("ZADD"));
    texts.arg(format!("{base}jobs"));
    ready.arg(format!("{base}ready"));
    for (id, text) in jobs {
        texts.arg(&id).arg(text);
        ready.arg(&id).arg(&id);
    }
    commands.add_command(texts).ignore().add_command(ready).ignore();
}

/// Takes up to `most` jobs; returns their ids.
pub fn claim(connections: &mut Connections, queue: &str, most: usize) -> anyhow::Result<Vec<String>> {
    let Connections { redis, claim, .. } = connections;
    let until = 2_000_000_000;
    let (ids, _texts): (Vec<String>, Vec<String>) =
        claim.key(base(queue)).arg(most).arg(until).invoke(redis)?;
    Ok(ids)
}

pub fn complete(commands: &mut Pipeline, queue: &str, ids: &[String]) {
    if !ids.is_empty() {
        let base = base(queue);
        commands.cmd("ZREM").arg(format!("{base}leased")).arg(ids).ignore();
        commands.cmd("HDEL").arg(format!("{base}jobs")).arg(ids).ignore();
    }
}

/// Enqueues, takes and ends jobs, a batch at a time; returns the seconds it took. With the outbox, the ledger has a row
/// for each from its push to its end, so that a Redis that forgets loses none.
pub fn run(home: &Home, redis: &str, jobs: usize, args: &str, outbox: bool) -> anyhow::Result<f64> {
    let mut connections =
        (0..LOOPS).map(|_| Connections::open(home.database(), redis)).collect::<anyhow::Result<Vec<_>>>()?;
    let next_id = AtomicI64::new(1);
    let (batch, last) = (i64::try_from(BATCH)?, i64::try_from(jobs)?);
    let began = Instant::now();
    in_parallel(&mut connections, |connections| {
        loop {
            let first = next_id.fetch_add(batch, Ordering::Relaxed);
            if first > last {
                return Ok(());
            }
            let ids = first..first + batch;
            if outbox {
                let row = |id| format!("({id},'default','no_op','{args}',100,1,0)");
                let rows: Vec<String> = ids.clone().map(row).collect();
                connections.mysql.query_drop(format!(
                    "INSERT INTO job_outbox (id,queue,kind,args,priority,fence,enqueued_at) VALUES {}",
                    rows.join(",")
                ))?;
            }
            let mut commands = redis::pipe();
            push(&mut commands, "default", ids.map(|id| (id.to_string(), args.to_owned())));
            commands.exec(&mut connections.redis)?;
            let claimed = claim(connections, "default", BATCH)?;
            if outbox {
                let ids = claimed.join(",");
                connections.mysql.query_drop(format!("DELETE FROM job_outbox WHERE id IN ({ids})"))?;
            }
            let mut commands = redis::pipe();
            complete(&mut commands, "default", &claimed);
            commands.exec(&mut connections.redis)?;
        }
    })?;
    Ok(began.elapsed().as_secs_f64())
}
