//! Hearing of what other processes did.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis_link::{Dedicated, Redis, Value};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::jobs::Jobs;
use crate::Result;

/// One blocking read, begun when somebody asks for it first.
#[derive(Debug)]
pub(super) struct Ear {
    runtime: Handle,
    listening: OnceLock<(watch::Receiver<u64>, JoinHandle<()>)>,
}

/// How long after one wake-up others are left to gather: each has all queues looked at.
const GATHER: Duration = Duration::from_millis(2);
/// How long a read blocks.
const BLOCK: Duration = Duration::from_secs(1);
const _: () = assert!(BLOCK.as_millis() <= redis_link::LONGEST_BLOCK.as_millis());
const SHORTEST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

impl Ear {
    pub(super) fn new(runtime: Handle) -> Self {
        Ear { runtime, listening: OnceLock::new() }
    }

    /// A counter that moves when others wake us up. `missed` is set whenever the connection was lost: Redis may have been
    /// restarted, or replaced by an older copy.
    pub(super) fn changes(&self, jobs: &Jobs, missed: &Arc<AtomicBool>) -> watch::Receiver<u64> {
        let begin = || {
            let (sender, receiver) = watch::channel(0);
            (receiver, self.runtime.spawn(listen(jobs.clone(), Arc::clone(missed), sender)))
        };
        self.listening.get_or_init(begin).0.clone()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        if let Some((_, task)) = self.listening.get() {
            task.abort();
        }
    }
}

async fn listen(jobs: Jobs, missed: Arc<AtomicBool>, changes: watch::Sender<u64>) {
    let mut wait = SHORTEST_WAIT;
    loop {
        let ended = follow(&jobs, &changes, &mut wait).await;
        if let Err(error) = ended {
            tracing::warn!(
                error = crate::handler::with_causes(&error),
                "cannot hear of jobs that other processes push; trying again"
            );
        }
        missed.store(true, Ordering::Release);
        changes.send_modify(|count| *count += 1);
        // So that many processes do not come back at the same moment.
        tokio::time::sleep(wait.mul_f64(rand::random_range(0.5..1.0))).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Reads until the connection fails.
async fn follow(jobs: &Jobs, changes: &watch::Sender<u64>, wait: &mut Duration) -> Result<()> {
    let mut last = newest(&jobs.redis, &jobs.keys.wake).await?;
    let mut connection = jobs.redis.dedicated().await?;
    // What was said before this connection stood is heard by looking once.
    changes.send_modify(|count| *count += 1);
    loop {
        let heard = read(&mut connection, &jobs.keys.wake, &last).await?;
        if heard.iter().any(|entry| !entry.is_by(&jobs.speaker)) {
            changes.send_modify(|count| *count += 1);
        }
        if let Some(newest) = heard.into_iter().next_back() {
            last = newest.id;
            tokio::time::sleep(GATHER).await;
        }
        *wait = SHORTEST_WAIT;
    }
}

/// The id of the newest entry of a stream.
async fn newest(redis: &Redis, stream: &str) -> Result<String> {
    let mut command = redis_link::cmd("XREVRANGE");
    command.arg(stream).arg("+").arg("-").arg("COUNT").arg(1);
    let entries: Vec<(String, Value)> = redis.run(&command).await?;
    Ok(entries.into_iter().next().map_or_else(|| "0-0".to_owned(), |(id, _)| id))
}

/// A wake-up in the stream.
struct Entry {
    id: String,
    /// Names and values, in turns.
    fields: Vec<String>,
}

impl Entry {
    fn is_by(&self, speaker: &str) -> bool {
        self.fields.chunks_exact(2).any(|field| field[0] == "by" && field[1] == speaker)
    }
}

/// The entries that came, by stream; none when nothing did.
type Streams = Option<Vec<(String, Vec<(String, Vec<String>)>)>>;

/// Waits for entries after `last`.
async fn read(connection: &mut Dedicated, stream: &str, last: &str) -> Result<Vec<Entry>> {
    let mut command = redis_link::cmd("XREAD");
    command.arg("COUNT").arg(100).arg("BLOCK").arg(BLOCK.as_millis() as u64);
    command.arg("STREAMS").arg(stream).arg(last);
    let streams: Streams = connection.run(&command).await?;
    let entries = streams.into_iter().flatten().flat_map(|(_, entries)| entries);
    Ok(entries.map(|(id, fields)| Entry { id, fields }).collect())
}
