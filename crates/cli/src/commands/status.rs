use std::time::Duration;

use ::queue::State;
use anyhow::Result;
use app::queues::{COUNTED, QueueStanding};
use app::system::{self, Database, Redis, System};
use clap::Args;

use crate::output::{Out, cell, maybe, second, status, time};
use crate::session::{Exit, Session};
use crate::words::{count, grouped, spoken};

/// Show how everything stands: database, queues, workers, imports, payments, mails, errors
///
/// The exit code is 1 when something needs attention; what, is listed at the end.
#[derive(Debug, Args)]
pub struct Status {}

impl Status {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let app = session.open().await?;
        let system = system::read(&app).await?;
        if session.out.is_json() {
            session.out.json(&system)?;
        } else {
            print(session.out, &system)?;
        }
        Ok(if system.attention.is_empty() { Exit::Done } else { Exit::Failed })
    }
}

fn print(out: Out, system: &System) -> Result<()> {
    let Database { engine, location, bytes } = &system.database;
    let size = *bytes as f64 / f64::from(1 << 20);
    out.line(format_args!(
        "{} {location}, {engine}, {size:.1} MiB, schema up to date",
        out.bold("Database")
    ))?;
    if let Some(redis) = &system.redis {
        print_redis(out, redis)?;
    }
    print_queues(out, system)?;
    out.heading("Workers")?;
    let columns = ["supervisor", "host", "process", "since", "workers", "busy"];
    let mut listing = out.listing(&columns).right(&[2, 4, 5]);
    for one in &system.supervisors {
        // A supervisor tells of its pools with its first heartbeat.
        let is_known = !one.pools.is_empty();
        let workers = is_known.then(|| one.pools.iter().map(|pool| pool.workers).sum::<usize>());
        let busy = is_known.then(|| one.pools.iter().map(|pool| pool.busy.len()).sum::<usize>());
        let (name, host) = (cell(&one.name), cell(&one.host));
        listing.row([name, host, cell(one.pid), time(one.started_at), maybe(workers), maybe(busy)]);
    }
    out.table(&listing, "none run; `ordermill work` or `ordermill serve` starts some")?;
    print_imports(out, system)?;
    out.heading("Payments and mails")?;
    match system.next_payment_deadline {
        Some(deadline) => {
            out.line(format_args!("payments are open; the next deadline is {}", second(deadline)))?;
        }
        None => out.line("no payment is open")?,
    }
    let mails = system.notifications.iter().map(|(status, number)| format!("{status} {}", grouped(*number)));
    let mails = mails.collect::<Vec<_>>().join(", ");
    out.line(format_args!("newest notifications: {}", if mails.is_empty() { "none" } else { &mails }))?;
    if !system.failures.is_empty() {
        out.heading("Last errors")?;
        let mut listing = out.listing(&["jobs", "kind", "error", "last"]).right(&[0]);
        for group in system.failures.iter().take(5) {
            let last = time(group.last_at);
            listing.row([cell(group.count), cell(&group.kind), cell(&group.message), last]);
        }
        out.table(&listing, "")?;
    }
    out.gap()?;
    if system.attention.is_empty() {
        return Ok(out.line(out.good("nothing needs attention"))?);
    }
    for what in &system.attention {
        out.line(format_args!("{} {what}", out.bad("!")))?;
    }
    Ok(())
}

fn print_redis(out: Out, redis: &Redis) -> Result<()> {
    let memory = redis.memory as f64 / f64::from(1 << 20);
    out.line(format_args!(
        "{}    {}, {}, {memory:.1} MiB, {}, {} commands/s, {}",
        out.bold("Redis"),
        redis.location,
        redis.engine,
        count(redis.clients.cast_signed(), "client", "clients"),
        grouped(redis.commands_per_second.cast_signed()),
        redis.persistence
    ))?;
    let lag = match redis.outbox_missing {
        0 => "all of them known to Redis".to_owned(),
        missing => format!(
            "{} not known to Redis, for {}",
            grouped(missing as i64),
            spoken(Duration::from_secs_f64(redis.outbox_lag))
        ),
    };
    let jobs = count(redis.outbox as i64, "job is", "jobs are");
    Ok(out.line(format_args!("{}   {jobs} to be done, {lag}", out.bold("Outbox")))?)
}

fn print_queues(out: Out, system: &System) -> Result<()> {
    out.heading("Queues")?;
    let states = [State::Available, State::Executing, State::Scheduled, State::Retryable, State::Discarded];
    let mut columns = vec!["queue"];
    columns.extend(states.map(State::name));
    columns.extend(["wait", ""]);
    let mut listing = out.listing(&columns).right(&[1, 2, 3, 4, 5, 6]);
    for QueueStanding { depth, wait } in &system.queues {
        let number = |state| match depth.count(state) {
            many if many >= COUNTED => format!("{}+", grouped(COUNTED as i64)),
            few => grouped(few as i64),
        };
        let mut cells = vec![cell(&depth.queue)];
        cells.extend(states.map(|state| cell(number(state))));
        cells.push(maybe(wait.map(|wait| spoken(Duration::from_secs_f64(wait)))));
        cells.push(if depth.paused { status("paused") } else { cell("") });
        listing.row(cells);
    }
    Ok(out.table(&listing, "no queue holds a job")?)
}

fn print_imports(out: Out, system: &System) -> Result<()> {
    out.heading("Last imports")?;
    let listing = super::imports::listing(out, &system.imports);
    Ok(out.table(&listing, "there were none")?)
}
