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

/// Jobs of a pipeline of scripts.
const PIPELINED: usize = 100;

/// The changes of state of a job engine as one script a job, in pipelines of a hundred, by one worker: a job has a hash of
/// its own, and is changed under its token only. Returns the seconds it took.
pub fn run_scripts(redis: &str, jobs: usize, args: &str) -> anyhow::Result<f64> {
    let mut redis = redis::Client::open(redis)?.get_connection()?;
    let base = base("default");
    let push = redis::Script::new(
        "redis.call('HSET', KEYS[1] .. 'job:' .. ARGV[1], 'args', ARGV[2], 'state', 'available', 'attempt', 0) \
         redis.call('ZADD', KEYS[1] .. 'ready', ARGV[1], ARGV[1])",
    );
    let claim = redis::Script::new(
        "local popped, taken = redis.call('ZPOPMIN', KEYS[1] .. 'ready', ARGV[1]), {} \
         for at = 1, #popped, 2 do \
           local job = KEYS[1] .. 'job:' .. popped[at] \
           redis.call('HSET', job, 'state', 'executing') \
           redis.call('ZADD', KEYS[1] .. 'leased', ARGV[2], popped[at]) \
           taken[#taken + 1] = {popped[at], redis.call('HINCRBY', job, 'attempt', 1), redis.call('HGET', job, 'args')} \
         end \
         return taken",
    );
    let complete = redis::Script::new(
        "local job = KEYS[1] .. 'job:' .. ARGV[1] \
         if redis.call('HGET', job, 'attempt') ~= ARGV[2] then return 0 end \
         redis.call('DEL', job) \
         return redis.call('ZREM', KEYS[1] .. 'leased', ARGV[1])",
    );
    for script in [&push, &claim, &complete] {
        script.load(&mut redis)?;
    }
    let began = Instant::now();
    let mut next_id = 1..=jobs;
    loop {
        let mut commands = redis::pipe();
        for id in next_id.by_ref().take(PIPELINED) {
            commands.invoke_script(push.key(&base).arg(id).arg(args)).ignore();
        }
        if commands.is_empty() {
            return Ok(began.elapsed().as_secs_f64());
        }
        commands.exec(&mut redis)?;
        let taken: Vec<(String, u32, String)> =
            claim.key(&base).arg(PIPELINED).arg(2_000_000_000).invoke(&mut redis)?;
        let mut commands = redis::pipe();
        for (id, attempt, _args) in taken {
            commands.invoke_script(complete.key(&base).arg(id).arg(attempt)).ignore();
        }
        commands.exec(&mut redis)?;
    }
}

/// Enqueues, takes and ends jobs, a batch at a time; returns the seconds it took. With the outbox, the ledger has a row
/// for each from its push to its end, so that a Redis that forgets loses none.
pub fn run(home: &Home, redis: &str, jobs: usize, args: &str, outbox: bool) -> anyhow::Result<f64> {
    let mut connections =
        (0..LOOPS).map(|_| Connections::open(home.database(), redis)).collect::<anyhow::Result<Vec<_>>>()?;
    let next_id = AtomicI64::new(1);
    let (batch, last) = (i64::try_from(BATCH)?, i64::try_from(jobs)?);
    let insert = format!(
        "INSERT INTO job_outbox (id,queue,kind,args,priority,fence,enqueued_at) VALUES {}",
        vec!["(?,'default','no_op',?,100,1,0)"; BATCH].join(",")
    );
    let began = Instant::now();
    in_parallel(&mut connections, |connections| {
        loop {
            let first = next_id.fetch_add(batch, Ordering::Relaxed);
            if first > last {
                return Ok(());
            }
            let ids = first..first + batch;
            if outbox {
                let values: Vec<mysql::Value> = ids.clone().flat_map(|id| [id.into(), args.into()]).collect();
                connections.mysql.exec_drop(&insert, values)?;
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
