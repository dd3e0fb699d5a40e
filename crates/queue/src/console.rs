//! The engine as operators and the monitor use it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::backend::Pausable;
use crate::batch::BatchProgress;
use crate::clock::earlier;
use crate::job::fits;
use crate::metrics::{Figures, Span, Subject, gather};
use crate::monitor::{FailureGroup, Filter, JobRecord, Page, PageRequest, QueueDepth, group_failures};
use crate::queue::News;
use crate::supervisor::SupervisorRecord;
use crate::{BatchId, Error, JobId, Queue, Result, State};

/// Which jobs an operator means.
#[derive(Debug, Clone)]
pub enum Selection {
    /// These.
    Ids(Vec<JobId>),
    /// All that match.
    Matching(Filter),
}

/// Jobs changed in one transaction.
const PIECE: usize = 500;
/// Failed jobs of a state that are grouped: the newest.
const GROUPED_AT_MOST: usize = 2_000;

#[derive(Clone, Copy)]
enum Action {
    Retry,
    Cancel,
    Forget,
}

impl Queue {
    /// A page of jobs.
    pub async fn list(&self, filter: Filter, page: PageRequest) -> Result<Page> {
        self.backend().list(filter, page).await
    }

    /// One job with its errors.
    pub async fn find(&self, id: JobId) -> Result<Option<JobRecord>> {
        self.backend().find(id).await
    }

    /// One job with its errors; an error if it is not there.
    pub async fn get(&self, id: JobId) -> Result<JobRecord> {
        self.find(id).await?.ok_or(Error::UnknownJob(id))
    }

    /// How many jobs each queue holds, by state. With `at_most`, none is counted beyond that: cheap whatever the
    /// queues hold.
    pub async fn depths(&self, at_most: Option<usize>) -> Result<Vec<QueueDepth>> {
        self.backend().depths(at_most).await
    }

    /// Whether these queues have nothing available, executing or retryable, and no job is on its way to them.
    pub async fn is_idle(&self, queues: &[String]) -> Result<bool> {
        if !self.looks_idle(queues).await? {
            return Ok(false);
        }
        let Some(before) = self.outbox_lag().await? else { return Ok(true) };
        // Redis tells of one queue after the other: a job may have ended in one that was still to be looked at, and pushed
        // another into one that had been. The ledger knows of it.
        let looks_idle = before.missing == 0 && self.looks_idle(queues).await?;
        Ok(looks_idle && self.outbox_lag().await? == Some(before))
    }

    async fn looks_idle(&self, queues: &[String]) -> Result<bool> {
        let busy = [State::Available, State::Executing, State::Retryable];
        let depths = self.depths(Some(1)).await?;
        let mut ours = depths.iter().filter(|depth| queues.contains(&depth.queue));
        Ok(ours.all(|depth| busy.iter().all(|state| depth.count(*state) == 0)))
    }

    /// The newest failures, grouped by kind, state and message; the most frequent first.
    pub async fn failure_groups(&self) -> Result<Vec<FailureGroup>> {
        let mut failed = Vec::new();
        for state in [State::Discarded, State::Retryable] {
            let mut after = None;
            let enough = failed.len() + GROUPED_AT_MOST;
            while failed.len() < enough {
                let request = PageRequest { after, limit: PIECE };
                let page = self.list(Filter::state(state), request).await?;
                failed.extend(page.jobs);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(group_failures(&failed))
    }

    /// Makes jobs available that failed, ended or wait for their time, with all their attempts before them again.
    /// A job whose unique key another job holds by now stays as it is. Returns how many.
    pub async fn retry(&self, jobs: Selection) -> Result<usize> {
        self.apply(jobs, Action::Retry, "").await
    }

    /// Calls jobs off: waiting ones at once, executing ones by telling their workers. Returns how many.
    pub async fn cancel(&self, jobs: Selection, reason: &str) -> Result<usize> {
        self.apply(jobs, Action::Cancel, reason).await
    }

    /// Deletes jobs that are not executing, with their errors. Returns how many.
    pub async fn forget(&self, jobs: Selection) -> Result<usize> {
        self.apply(jobs, Action::Forget, "").await
    }

    /// Deletes all discarded jobs. Returns how many.
    pub async fn flush_failed(&self) -> Result<usize> {
        self.forget(Selection::Matching(Filter::state(State::Discarded))).await
    }

    async fn apply(&self, jobs: Selection, action: Action, reason: &str) -> Result<usize> {
        let mut count = 0;
        match jobs {
            Selection::Ids(ids) => {
                for ids in ids.chunks(PIECE) {
                    count += self.apply_to(Arc::from(ids), action, reason).await?;
                }
            }
            Selection::Matching(filter) => {
                let mut after = None;
                loop {
                    let page = self.list(filter.clone(), PageRequest { after, limit: PIECE }).await?;
                    let ids: Arc<[JobId]> = page.jobs.iter().map(|job| job.id).collect();
                    count += self.apply_to(ids, action, reason).await?;
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
        }
        Ok(count)
    }

    async fn apply_to(&self, ids: Arc<[JobId]>, action: Action, reason: &str) -> Result<usize> {
        let now = self.now();
        match action {
            Action::Retry => {
                let moved = self.backend().retry(ids, now).await?;
                Ok(self.tell_moved(&moved))
            }
            Action::Cancel => {
                let done = self.backend().cancel(ids, reason.to_owned(), now).await?;
                self.leases()
                    .learn(&crate::backend::Beat { lost: Vec::new(), cancelled: done.asked.clone() });
                self.tell(&News::of(&done.callbacks));
                Ok(done.cancelled + done.asked.len())
            }
            Action::Forget => {
                let gone = self.backend().forget(ids, now).await?;
                self.tell(&News::of(&gone.callbacks));
                Ok(gone.count)
            }
        }
    }

    /// How far a batch is.
    pub async fn batch(&self, id: BatchId) -> Result<Option<BatchProgress>> {
        self.backend().batch(id).await
    }

    /// Batches, the newest first, before `before`.
    pub async fn batches(&self, before: Option<BatchId>, limit: usize) -> Result<Vec<BatchProgress>> {
        self.backend().batches(before, limit.clamp(1, PIECE)).await
    }

    /// Stops handing out jobs of a queue, in every process, until it is continued. Running jobs go on.
    pub async fn pause_queue(&self, queue: &str) -> Result<()> {
        self.set_paused(Pausable::Queue, queue, true).await
    }

    /// Hands out jobs of a queue again.
    pub async fn continue_queue(&self, queue: &str) -> Result<()> {
        self.set_paused(Pausable::Queue, queue, false).await?;
        self.wake().one(queue);
        Ok(())
    }

    /// Tells supervisors of this name to take no more jobs, until they are continued; also those that start later.
    pub async fn pause_supervisor(&self, name: &str) -> Result<()> {
        self.set_paused(Pausable::Supervisor, name, true).await
    }

    /// Lets supervisors of this name take jobs again.
    pub async fn continue_supervisor(&self, name: &str) -> Result<()> {
        self.set_paused(Pausable::Supervisor, name, false).await
    }

    async fn set_paused(&self, what: Pausable, name: &str, paused: bool) -> Result<()> {
        fits("the name", name, 64)?;
        self.backend().set_paused(what, name.to_owned(), paused, self.now()).await
    }

    /// The queues or supervisors that are paused.
    pub async fn paused(&self, what: Pausable) -> Result<Vec<String>> {
        self.backend().paused(what).await
    }

    /// Tells supervisors to finish what they run and stop: those of a name, or all. Returns how many were told.
    pub async fn terminate(&self, name: Option<&str>) -> Result<usize> {
        let told = self.backend().terminate(name.map(str::to_owned)).await?;
        match name {
            Some(name) if told == 0 => Err(Error::UnknownSupervisor(name.to_owned())),
            _ => Ok(told),
        }
    }

    /// The supervisors of all processes that have been heard of in the last two leases.
    pub async fn supervisors(&self) -> Result<Vec<SupervisorRecord>> {
        self.backend().supervisors(earlier(self.now(), self.settings().lease * 2)).await
    }

    /// The kept figures of `[from, to)`, oldest first. Those of the running minute are there once they are flushed.
    pub async fn figures(
        &self,
        span: Span,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeMap<Subject, Figures>> {
        let read = async |from| self.backend().points(span, from, to).await.map(gather);
        // Those of minutes are soon gone, and few are asked for.
        if span == Span::Minute {
            return read(from).await;
        }
        let (mut figures, rest) = self.past().find(from, to, self.now());
        let new = read(rest).await?;
        if to > self.now() {
            self.past().keep(rest, &new, self.now());
        }
        figures.extend(new);
        Ok(figures)
    }

    /// The mean time that jobs of a queue have run in this process of late.
    pub fn mean_run(&self, queue: &str) -> Option<Duration> {
        self.recorder().mean_run(queue)
    }

    /// Writes the figures gathered since the last time. Supervisors do this regularly; whoever pushes jobs without
    /// one calls it at the end.
    pub async fn flush_metrics(&self) -> Result<()> {
        let samples = Arc::from(self.recorder().take());
        let written = self.backend().add_samples(Arc::clone(&samples), self.now()).await;
        if written.is_err() {
            self.recorder().put_back(&samples);
        }
        written
    }
}
