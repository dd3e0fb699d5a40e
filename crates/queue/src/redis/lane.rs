//! What was committed, on its way to Redis.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::jobs::{Jobs, Move, Offer};
use super::outbox::Expected;
use crate::handler::with_causes;
use crate::{Error, Result};

/// Carries things to Redis in their order, in the background. Sending never blocks, and works on any thread.
#[derive(Debug)]
pub(super) struct Lane<T> {
    sender: mpsc::UnboundedSender<T>,
    sent: Arc<AtomicU64>,
    carried: watch::Receiver<u64>,
}

impl<T> Clone for Lane<T> {
    fn clone(&self) -> Self {
        Lane { sender: self.sender.clone(), sent: Arc::clone(&self.sent), carried: self.carried.clone() }
    }
}

/// Things that are carried together, at most.
const LOAD: usize = 64;
/// How long jobs that come one by one, each soon after the last, are let gather: a script costs nearly the same for one
/// as for ten.
const GATHER: Duration = Duration::from_millis(2);
/// Jobs that are not worth waiting for more.
const ENOUGH: usize = 50;
/// How long a reader waits for what was committed here before it looks without it.
const PATIENCE: Duration = Duration::from_secs(5);

impl<T: Send + 'static> Lane<T> {
    fn new() -> (Self, Receiver<T>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let (done, carried) = watch::channel(0);
        (Lane { sender, sent: Arc::default(), carried }, Receiver { receiver, done })
    }

    /// Sends something. If Redis never hears of it, the sweeper or the end of a lease makes up for it.
    pub(super) fn send(&self, thing: T) {
        self.sent.fetch_add(1, Ordering::AcqRel);
        // The other end is gone only when the runtime is: then nobody is left to carry anything.
        let _ = self.sender.send(thing);
    }

    /// Waits until what was sent before has arrived, or was given up.
    pub(super) async fn settled(&self) {
        let sent = self.sent.load(Ordering::Acquire);
        let mut carried = self.carried.clone();
        if *carried.borrow() >= sent {
            return;
        }
        let arrived = carried.wait_for(|carried| *carried >= sent);
        let _ = tokio::time::timeout(PATIENCE, arrived).await;
    }
}

struct Receiver<T> {
    receiver: mpsc::UnboundedReceiver<T>,
    done: watch::Sender<u64>,
}

impl<T> Receiver<T> {
    /// The next load; none once the engine is gone and everything was carried.
    async fn load(&mut self) -> Option<Vec<T>> {
        let mut load = Vec::new();
        (self.receiver.recv_many(&mut load, LOAD).await > 0).then_some(load)
    }

    /// Adds what has come meanwhile.
    fn fill(&mut self, load: &mut Vec<T>) {
        while load.len() < LOAD
            && let Ok(thing) = self.receiver.try_recv()
        {
            load.push(thing);
        }
    }

    fn arrived(&self, things: usize) {
        self.done.send_modify(|done| *done += things as u64);
    }

    /// Gives up what waits.
    fn give_up(&mut self) -> usize {
        let mut given_up = 0;
        while self.receiver.try_recv().is_ok() {
            given_up += 1;
        }
        given_up
    }
}

/// Jobs that were pushed.
pub(super) type Offers = Lane<Vec<Expected>>;

/// A lane for jobs that were pushed. `missed` is set when Redis did not hear of one.
pub(super) fn offers(runtime: &Handle, jobs: Jobs, missed: Arc<AtomicBool>) -> Offers {
    let (lane, mut receiver) = Lane::<Vec<Expected>>::new();
    runtime.spawn(async move {
        let mut last = None;
        while let Some(mut load) = receiver.load().await {
            let is_small = load.iter().map(Vec::len).sum::<usize>() < ENOUGH;
            if is_small && last.is_some_and(|last: Instant| last.elapsed() < GATHER) {
                tokio::time::sleep(GATHER).await;
                receiver.fill(&mut load);
            }
            let mut things = load.len();
            let pushed: Vec<Expected> = load.into_iter().flatten().collect();
            if let Err(error) = offer_all(&jobs, &pushed).await {
                missed.store(true, Ordering::Release);
                // While Redis is away the ledger remembers: to keep them here too would only fill the memory.
                things += receiver.give_up();
                tracing::warn!(
                    error = with_causes(&error),
                    "Redis did not hear of jobs that were pushed; the sweeper offers them"
                );
            }
            last = Some(Instant::now());
            receiver.arrived(things);
        }
    });
    lane
}

async fn offer_all(jobs: &Jobs, pushed: &[Expected]) -> Result<()> {
    for (queue, pushed) in by_queue(pushed.iter(), |job| &job.queue) {
        // No claim was there before: the next one is the first that may land.
        let offers: Vec<Offer> = pushed.iter().map(|job| job.offer(job.fence - 1)).collect();
        jobs.offer(queue, &offers, false).await?;
    }
    Ok(())
}

/// Things by their queue; in most sets there is one queue only.
pub(super) fn by_queue<'a, T, Q: AsRef<str> + ?Sized + 'a>(
    things: impl Iterator<Item = T>,
    queue: impl Fn(&T) -> &'a Q,
) -> Vec<(&'a str, Vec<T>)>
where
    T: 'a,
{
    let mut groups: Vec<(&'a str, Vec<T>)> = Vec::new();
    for thing in things {
        let name = queue(&thing).as_ref();
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, group)) => group.push(thing),
            None => groups.push((name, vec![thing])),
        }
    }
    groups
}

/// Jobs of a queue that ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) queue: Arc<str>,
    pub(super) moves: Vec<Move>,
    pub(super) at: Timestamp,
}

pub(super) type Endings = Lane<Ended>;

/// How often Redis is told of endings; after that, the end of the lease makes up for it.
const ATTEMPTS: u32 = 5;

/// A lane for jobs that ended.
pub(super) fn endings(runtime: &Handle, jobs: Jobs) -> Endings {
    let (lane, mut receiver) = Lane::<Ended>::new();
    runtime.spawn(async move {
        while let Some(load) = receiver.load().await {
            let things = load.len();
            for (queue, at, moves) in together(load) {
                if let Err(error) = tell(&jobs, &queue, &moves, at).await {
                    tracing::warn!(
                        jobs = moves.len(),
                        error = with_causes(&error),
                        "Redis did not hear of jobs that ended; it forgets them when their lease ends"
                    );
                }
            }
            receiver.arrived(things);
        }
    });
    lane
}

fn together(load: Vec<Ended>) -> Vec<(Arc<str>, Timestamp, Vec<Move>)> {
    let mut groups: Vec<(Arc<str>, Timestamp, Vec<Move>)> = Vec::new();
    for Ended { queue, moves, at } in load {
        match groups.iter_mut().find(|(known, _, _)| *known == queue) {
            Some((_, latest, group)) => {
                *latest = at.max(*latest);
                group.extend(moves);
            }
            None => groups.push((queue, at, moves)),
        }
    }
    groups
}

async fn tell(jobs: &Jobs, queue: &str, moves: &[Move], at: Timestamp) -> Result<()> {
    let mut wait = Duration::from_millis(50);
    for _ in 1..ATTEMPTS {
        match jobs.moves(queue, moves, at).await {
            Err(Error::Redis(error)) if error.is_passing() => {
                tokio::time::sleep(wait).await;
                wait *= 3;
            }
            done => return done.map(drop),
        }
    }
    jobs.moves(queue, moves, at).await.map(drop)
}
