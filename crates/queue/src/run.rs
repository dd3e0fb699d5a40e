//! Running what was claimed: by kind, in batches, each alone where a batch fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use telemetry::Trace;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::backend::Change;
use crate::clock::between;
use crate::handler::{BoxError, Entry, Handler, Limits, Outcome, Registry, with_causes};
use crate::job::Job;
use crate::landing::Standing;
use crate::lease::Lease;
use crate::settling::{finish, settle};
use crate::trace::Spans;
use crate::{JobId, Queue, Result};

/// Jobs of one kind, for their handler.
#[derive(Debug, Clone)]
pub struct Batch {
    pub(crate) jobs: Arc<[Job]>,
    pub(crate) queue: Queue,
    pub(crate) lease: Arc<Lease>,
    stopping: CancellationToken,
    spans: Spans,
}

impl Batch {
    /// The jobs. A clone of the `Arc` moves into a transaction.
    pub fn jobs(&self) -> &Arc<[Job]> {
        &self.jobs
    }

    /// The queue they came from, to keep and complete them in a transaction.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Whether an operator has called the job off. What has not begun should not; the job ends as cancelled unless
    /// its outcome is final.
    pub fn cancelled(&self, id: JobId) -> bool {
        self.lease.is_cancelled(id)
    }

    /// Whether another worker is known to have the job by now. Nothing that is done for it here can land.
    pub fn lost(&self, id: JobId) -> bool {
        self.lease.is_lost(id)
    }

    /// Resolves when the worker is asked to stop: a long run may snooze what it has not begun.
    pub async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    /// Whether the trace of any of its jobs is kept.
    pub fn is_traced(&self) -> bool {
        self.spans.are_kept()
    }

    /// The span of the job at a position, for what follows from it; none where its trace is not kept.
    pub fn trace(&self, position: usize) -> Option<Trace> {
        self.spans.trace(position)
    }

    /// "All done": what most handlers end with.
    pub fn all_done(&self) -> Vec<Outcome> {
        vec![Outcome::Done; self.jobs.len()]
    }

    fn part(&self, jobs: &[Job]) -> Batch {
        Batch { jobs: Arc::from(jobs), ..self.clone() }
    }
}

/// What a run tells its worker while it goes on.
pub(crate) trait Watch: Send + Sync {
    /// A batch begins.
    fn begins(&self, kind: &Arc<str>, jobs: usize);
}

/// Runs what was claimed and settles it. Returns how many jobs were had.
pub(crate) async fn run_claim(
    queue: &Queue,
    registry: &Registry,
    jobs: Vec<Job>,
    stopping: &CancellationToken,
    watch: &dyn Watch,
) -> usize {
    let mut ran = jobs.len();
    let Shares { groups, not_now } = share_out(queue, registry, jobs);
    let hold = queue.leases().hold(groups.iter().chain(&not_now).cloned().collect());
    let batch = |jobs| Batch {
        jobs,
        queue: queue.clone(),
        lease: Arc::clone(&hold.lease),
        stopping: stopping.clone(),
        spans: Spans::default(),
    };
    if let Some(jobs) = not_now {
        ran -= jobs.len();
        let changes = vec![Some(Change::HandBack); jobs.len()];
        settle(&batch(jobs), changes).await;
    }
    for jobs in groups {
        let batch = batch(jobs);
        if stopping.is_cancelled() {
            settle(&batch, vec![Some(Change::HandBack); batch.jobs.len()]).await;
            continue;
        }
        watch.begins(&batch.jobs[0].kind, batch.jobs.len());
        match registry.get(&batch.jobs[0].kind) {
            Some(entry) => run_group(entry, &batch).await,
            None => refuse_unknown(&batch).await,
        }
    }
    ran
}

/// What becomes of the jobs of a claim.
struct Shares {
    /// To be run, one group after the other.
    groups: Vec<Arc<[Job]>>,
    /// To be handed back.
    not_now: Option<Arc<[Job]>>,
}

/// Jobs by kind, in the order they came, no group larger than its kind allows. Of those that have cost workers the
/// first comes last, alone; the others are for another time: they would all be charged with a worker that one of them
/// costs, until none is left of them.
fn share_out(queue: &Queue, registry: &Registry, jobs: Vec<Job>) -> Shares {
    let isolate_after = queue.settings().isolate_after;
    let mut groups: Vec<Vec<Job>> = Vec::new();
    let mut suspects = Vec::new();
    for job in jobs {
        if job.losses > 0 && job.losses >= isolate_after {
            suspects.push(job);
            continue;
        }
        let largest = registry.get(&job.kind).map_or(usize::MAX, |entry| entry.limits.batch.max(1));
        match groups.iter_mut().find(|group| group[0].kind == job.kind && group.len() < largest) {
            Some(group) => group.push(job),
            None => groups.push(vec![job]),
        }
    }
    let not_now = (suspects.len() > 1).then(|| Arc::from(suspects.split_off(1)));
    let alone = (!suspects.is_empty()).then_some(suspects);
    Shares { groups: groups.into_iter().chain(alone).map(Arc::from).collect(), not_now }
}

/// A job that no handler of this program knows may be of a newer version's: it fails, waits, and shows why.
async fn refuse_unknown(batch: &Batch) {
    let limits = Limits::default();
    let outcomes = batch
        .jobs
        .iter()
        .map(|job| Outcome::Retry(format!("this program has no handler for jobs of kind `{}`", job.kind)))
        .collect();
    finish(batch, &limits, outcomes).await;
}

async fn run_group(entry: &Entry, batch: &Batch) {
    let place = match &entry.places {
        Some(places) => Arc::clone(places).acquire_owned().await.ok(),
        None => None,
    };
    let Some(batch) = without_called_off(batch).await else { return };
    let (admitted, wait) = entry.admit(batch.jobs.len());
    let (now, not_yet) = batch.jobs.split_at(admitted);
    if !not_yet.is_empty() {
        let outcomes = vec![Outcome::Snooze(wait); not_yet.len()];
        finish(&batch.part(not_yet), &entry.limits, outcomes).await;
    }
    if !now.is_empty() {
        let batch = if not_yet.is_empty() { batch } else { batch.part(now) };
        record_waits(&batch);
        run_batch(entry, &batch).await;
    }
    drop(place);
}

/// Ends the jobs that were called off while they waited for their turn here. Returns the others.
async fn without_called_off(batch: &Batch) -> Option<Batch> {
    if !batch.jobs.iter().any(|job| batch.cancelled(job.id)) {
        return Some(batch.clone());
    }
    let (called_off, wanted): (Vec<Job>, Vec<Job>) =
        batch.jobs.iter().cloned().partition(|job| batch.cancelled(job.id));
    let change = Change::Cancel { reason: CALLED_OFF.to_owned() };
    settle(&batch.part(&called_off), vec![Some(change); called_off.len()]).await;
    (!wanted.is_empty()).then(|| batch.part(&wanted))
}

const CALLED_OFF: &str = "cancelled before its worker began it";

async fn run_batch(entry: &Entry, batch: &Batch) {
    match attempt(entry, batch).await {
        Ok(outcomes) => finish(batch, &entry.limits, outcomes).await,
        Err(failure) if batch.jobs.len() == 1 => {
            let outcome = failed(entry, batch, failure).await;
            finish(batch, &entry.limits, vec![outcome]).await;
        }
        Err(failure) => {
            tracing::warn!(
                kind = entry.handler.kind(),
                jobs = batch.jobs.len(),
                failure,
                "a batch failed; its jobs run one at a time"
            );
            for job in batch.jobs.iter() {
                run_alone(entry, &batch.part(std::slice::from_ref(job))).await;
            }
        }
    }
}

/// How long a job waits that cannot be given up in good order.
const GIVEN_UP_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// What becomes of a job whose run failed. Before it is discarded, its handler ends what hangs on it.
async fn failed(entry: &Entry, batch: &Batch, failure: String) -> Outcome {
    let job = &batch.jobs[0];
    if job.landing.standing() == Standing::Open
        && job.is_last_attempt(&entry.limits)
        && let Err(error) = entry.handler.give_up(batch, &failure).await
    {
        tracing::error!(
            job = job.id.0,
            kind = &*job.kind,
            failure,
            error = with_causes(&*error),
            "a job cannot be given up; it is tried again"
        );
        return Outcome::Snooze(GIVEN_UP_AGAIN_AFTER);
    }
    Outcome::Retry(failure)
}

async fn run_alone(entry: &Entry, batch: &Batch) {
    if batch.stopping.is_cancelled() {
        return settle(batch, vec![Some(Change::HandBack)]).await;
    }
    let Some(batch) = without_called_off(batch).await else { return };
    match batch.jobs[0].landing.standing() {
        Standing::Open => Box::pin(run_batch(entry, &batch)).await,
        Standing::Landed | Standing::Refused => finish(&batch, &entry.limits, batch.all_done()).await,
    }
}

/// One run of a handler. A panic, a timeout or a wrong number of outcomes is a failure like any other.
async fn attempt(entry: &Entry, batch: &Batch) -> Result<Vec<Outcome>, String> {
    let timeout = entry.limits.timeout;
    batch.lease.begin_run();
    let began = Instant::now();
    let handler = Arc::clone(&entry.handler);
    let spans = Spans::begin(&batch.jobs);
    let inner = Batch { spans: spans.clone(), ..batch.clone() };
    let span = span_of(batch, &spans);
    let run = spans.clone().around(async move { run_handler(&*handler, &inner).await }).instrument(span);
    let mut run = Running(tokio::spawn(run));
    let result = match tokio::time::timeout(timeout, &mut run.0).await {
        Ok(Ok(Ok(outcomes))) if outcomes.len() == batch.jobs.len() => Ok(outcomes),
        Ok(Ok(Ok(outcomes))) => Err(format!(
            "the handler answered for {} of {} jobs; this is a defect in it",
            outcomes.len(),
            batch.jobs.len()
        )),
        Ok(Ok(Err(error))) => Err(with_causes(&*error)),
        Ok(Err(stopped)) => Err(panic_message(stopped)),
        Err(_) => Err(format!("timed out after {timeout:?}")),
    };
    spans.ended(&result);
    let first = &batch.jobs[0];
    batch.queue.recorder().ran(&first.queue, &first.kind, batch.jobs.len(), began.elapsed());
    result
}

/// What tells apart whatever is logged while these jobs run: a batch is known by its first job.
fn span_of(batch: &Batch, spans: &Spans) -> tracing::Span {
    let first = &batch.jobs[0];
    tracing::info_span!(
        "job",
        id = first.id.0,
        kind = &*first.kind,
        attempt = first.attempt,
        jobs = batch.jobs.len(),
        trace_id = spans.trace_id()
    )
}

async fn run_handler(handler: &dyn Handler, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
    handler.run(batch).await
}

/// A handler's task; it does not outlive its run.
struct Running(JoinHandle<Result<Vec<Outcome>, BoxError>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn panic_message(stopped: tokio::task::JoinError) -> String {
    match stopped.try_into_panic() {
        Ok(panic) => {
            let text = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned());
            format!("the handler panicked: {}", text.unwrap_or_else(|| "no message".to_owned()))
        }
        Err(_) => "the handler was stopped".to_owned(),
    }
}

fn record_waits(batch: &Batch) {
    let now = batch.queue.now();
    let first = &batch.jobs[0];
    let waits = batch.jobs.iter().map(|job| between(job.available_at, now));
    batch.queue.recorder().waited(&first.queue, &first.kind, waits);
}
