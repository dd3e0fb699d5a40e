//! Jobs as rows of the ledger's own database: pushed, and completed, in its transactions.

pub(crate) mod adopt;
pub(crate) mod batches;
mod claim;
pub(crate) mod ending;
mod list;
mod metrics;
pub(crate) mod operate;
#[cfg(test)]
mod plans;
pub(crate) mod push;
pub(crate) mod rows;
mod schema;
pub(crate) mod settle;
mod supervisors;
pub(crate) mod upkeep;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use sql::{Database, Tx};
use tokio::sync::watch;

pub use schema::MIGRATIONS;

use crate::backend::{
    Backend, Beat, Cancelled, Change, Claim, Console, CreatedBatch, Forgotten, Moved, Orders, Pausable,
    Pruning, Reaping, Settled,
};
use crate::batch::{BatchProgress, NewBatch};
use crate::job::{Job, Kept, NewJob, Pushed, Token};
use crate::metrics::{Point, Sample, Span};
use crate::monitor::{Filter, JobRecord, Page, PageRequest, QueueDepth};
use crate::settings::Retention;
use crate::supervisor::{SupervisorId, SupervisorRecord};
use crate::{BatchId, Error, JobId, Result};

/// The backend whose jobs are rows.
#[derive(Debug, Clone)]
pub struct SqlBackend {
    db: Database,
    retention: Retention,
}

impl SqlBackend {
    /// Jobs in this database, whose schema has [`MIGRATIONS`] applied.
    pub fn new(db: Database, retention: Retention) -> Self {
        SqlBackend { db, retention }
    }
}

#[async_trait]
impl Backend for SqlBackend {
    fn push_in(&self, tx: &mut Tx<'_>, jobs: &[NewJob], at: Timestamp) -> Result<Vec<Pushed>> {
        push::push(tx, jobs, at)
    }

    fn keep_in<'j>(&self, tx: &mut Tx<'_>, jobs: &'j [Job]) -> Result<Kept<'j>> {
        claim::keep(tx, jobs)
    }

    fn complete_in(&self, tx: &mut Tx<'_>, jobs: &[&Job], at: Timestamp) -> Result<Vec<NewJob>> {
        settle::complete(tx, jobs, self.retention, at)
    }

    fn create_batch_in(&self, tx: &mut Tx<'_>, batch: &NewBatch, at: Timestamp) -> Result<CreatedBatch> {
        push::create_batch(tx, batch, at)
    }

    async fn push(&self, jobs: Arc<[NewJob]>, at: Timestamp) -> Result<Vec<Pushed>> {
        self.db.write("push_jobs", move |tx| push::push(tx, &jobs, at)).await
    }

    async fn claim(&self, claim: Claim, at: Timestamp) -> Result<Vec<Job>> {
        claim::claim(&self.db, claim, at).await
    }

    async fn settle(
        &self,
        jobs: Arc<[Job]>,
        changes: Arc<[Option<Change>]>,
        at: Timestamp,
    ) -> Result<Settled> {
        let retention = self.retention;
        self.db.write("settle_jobs", move |tx| settle::settle(tx, &jobs, &changes, retention, at)).await
    }

    async fn extend(&self, tokens: Arc<[Token]>, until: Timestamp) -> Result<Beat> {
        claim::extend(&self.db, tokens, until).await
    }

    async fn promote(&self, max: usize, at: Timestamp) -> Result<Moved> {
        self.db.write("promote_jobs", move |tx| upkeep::promote(tx, max, at)).await
    }

    async fn reap(&self, max: usize, rules: Reaping, at: Timestamp) -> Result<Moved> {
        let retention = self.retention;
        self.db.write("reap_jobs", move |tx| upkeep::reap(tx, max, rules, retention, at)).await
    }

    async fn prune(&self, max: usize, rules: Pruning, at: Timestamp) -> Result<usize> {
        self.db.write("prune_jobs", move |tx| upkeep::prune(tx, max, rules, at)).await
    }

    async fn adopt(&self, max: usize) -> Result<usize> {
        self.db.write("adopt_jobs", move |tx| adopt::from_outbox(tx, max)).await
    }

    async fn ready(&self, queues: Arc<[String]>) -> Result<Vec<String>> {
        claim::ready(&self.db, queues).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        upkeep::next_due(&self.db).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.db.changes()
    }
}

#[async_trait]
impl Console for SqlBackend {
    async fn list(&self, filter: Filter, page: PageRequest) -> Result<Page> {
        self.db.read("list_jobs", move |tx| list::list(tx, &filter, &page)).await
    }

    async fn find(&self, id: JobId) -> Result<Option<JobRecord>> {
        self.db.read("find_job", move |tx| list::find(tx, id)).await
    }

    async fn depths(&self, at_most: Option<usize>) -> Result<Vec<QueueDepth>> {
        self.db.read("queue_depths", move |tx| list::depths(tx, at_most)).await
    }

    async fn retry(&self, ids: Arc<[JobId]>, at: Timestamp) -> Result<Moved> {
        self.db.write("retry_jobs", move |tx| operate::retry(tx, &ids, at)).await
    }

    async fn cancel(&self, ids: Arc<[JobId]>, reason: String, at: Timestamp) -> Result<Cancelled> {
        let retention = self.retention;
        self.db.write("cancel_jobs", move |tx| operate::cancel(tx, &ids, &reason, retention, at)).await
    }

    async fn forget(&self, ids: Arc<[JobId]>, at: Timestamp) -> Result<Forgotten> {
        self.db.write("forget_jobs", move |tx| operate::forget(tx, &ids, at)).await
    }

    async fn batch(&self, id: BatchId) -> Result<Option<BatchProgress>> {
        batches::find(&self.db, id).await
    }

    async fn batches(&self, before: Option<BatchId>, limit: usize) -> Result<Vec<BatchProgress>> {
        batches::list(&self.db, before, limit).await
    }

    async fn set_paused(&self, what: Pausable, name: String, paused: bool, at: Timestamp) -> Result<()> {
        self.db.write("pause", move |tx| supervisors::set_paused(tx, what, &name, paused, at)).await
    }

    async fn paused(&self, what: Pausable) -> Result<Vec<String>> {
        self.db.read("paused", move |tx| supervisors::paused(tx, supervisors::code(what))).await
    }

    async fn report(&self, record: SupervisorRecord) -> Result<()> {
        self.db.write("report_supervisor", move |tx| supervisors::report(tx, &record)).await
    }

    async fn orders(&self, id: SupervisorId, name: String) -> Result<Orders> {
        self.db.read("supervisor_orders", move |tx| supervisors::orders(tx, id, &name)).await
    }

    async fn register(&self, record: SupervisorRecord) -> Result<SupervisorId> {
        self.db.write("register_supervisor", move |tx| supervisors::register(tx, &record)).await
    }

    async fn unregister(&self, id: SupervisorId) -> Result<()> {
        self.db.write("unregister_supervisor", move |tx| supervisors::unregister(tx, id)).await
    }

    async fn forget_supervisors(&self, before: Timestamp) -> Result<()> {
        self.db.write("forget_supervisors", move |tx| supervisors::forget(tx, before)).await
    }

    async fn supervisors(&self, since: Timestamp) -> Result<Vec<SupervisorRecord>> {
        self.db.read("supervisors", move |tx| supervisors::list(tx, since)).await
    }

    async fn terminate(&self, name: Option<String>) -> Result<usize> {
        self.db.write("terminate", move |tx| supervisors::terminate(tx, name.as_deref())).await
    }

    async fn add_samples(&self, samples: Arc<[Sample]>, at: Timestamp) -> Result<()> {
        self.db.write::<_, Error>("add_samples", move |tx| metrics::add(tx, &samples, at)).await
    }

    async fn points(&self, span: Span, from: Timestamp, to: Timestamp) -> Result<Vec<Point>> {
        self.db.read("metrics", move |tx| metrics::points(tx, span, from, to)).await
    }
}
