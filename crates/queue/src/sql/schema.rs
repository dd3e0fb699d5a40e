use sql::{Migration, Migrations};

/// The schema of the SQL backend.
///
/// `jobs` has one secondary index. Its `due` orders a job within its state, so that each step of the engine is one
/// bounded range of that index:
///
/// | state | `due` |
/// | --- | --- |
/// | scheduled, retryable | when it becomes available |
/// | available | priority, then since when: `priority << 55 \| microseconds` |
/// | executing | when its lease ends |
/// | completed, discarded, cancelled | when it may be pruned |
///
/// What few jobs have (unique key, tags, errors, batch) lives in tables of its own.
pub static MIGRATIONS: Migrations = Migrations {
    history: "queue",
    steps: &[
        Migration::new(1, "jobs", JOBS),
        Migration::new(2, "outbox", OUTBOX),
        Migration::new(3, "memory", "ALTER TABLE job_supervisors ADD COLUMN memory_mib {int};"),
    ],
};

/// What the ledger knows of jobs that are kept in Redis: a row for each that has not ended, and the mark by which a
/// Redis that has forgotten them is told from one that has not.
const OUTBOX: &str = "
CREATE TABLE job_outbox (
  id {id} NOT NULL PRIMARY KEY,
  queue {key} NOT NULL,
  kind {key} NOT NULL,
  args {text} NOT NULL,
  priority {int} NOT NULL,
  run_at {int},
  max_attempts {int},
  batch {int},
  unique_key {key},
  unique_scope {int},
  tags {text},
  fence {int} NOT NULL,
  enqueued_at {int} NOT NULL
);

CREATE TABLE job_epochs (
  id {id} NOT NULL PRIMARY KEY,
  epoch {int} NOT NULL
);
";

const JOBS: &str = "
CREATE TABLE jobs (
  id {id} NOT NULL PRIMARY KEY,
  queue {key} NOT NULL,
  state {int} NOT NULL,
  due {int} NOT NULL,
  kind {key} NOT NULL,
  priority {int} NOT NULL,
  attempt {int} NOT NULL DEFAULT 0,
  failures {int} NOT NULL DEFAULT 0,
  losses {int} NOT NULL DEFAULT 0,
  cancelling {int} NOT NULL DEFAULT 0,
  max_attempts {int},
  enqueued_at {int} NOT NULL,
  started_at {int},
  finished_at {int},
  worker {int},
  batch {int},
  unique_key {key},
  unique_scope {int},
  tags {text},
  args {text} NOT NULL
);
CREATE INDEX jobs_due ON jobs (queue, state, due);

CREATE TABLE job_keys (
  unique_key {key} NOT NULL PRIMARY KEY,
  job {int} NOT NULL,
  scope {int} NOT NULL,
  expires_at {int} NOT NULL
) {clustered};
CREATE INDEX job_keys_expiry ON job_keys (expires_at);

CREATE TABLE job_tags (
  tag {key} NOT NULL,
  job {int} NOT NULL,
  PRIMARY KEY (tag, job)
) {clustered};

CREATE TABLE job_errors (
  job {int} NOT NULL,
  attempt {int} NOT NULL,
  state {int} NOT NULL,
  at {int} NOT NULL,
  message {text} NOT NULL,
  PRIMARY KEY (job, attempt, state)
) {clustered};

CREATE TABLE job_batches (
  id {id} NOT NULL PRIMARY KEY,
  name {text} NOT NULL,
  callback {text},
  total {int} NOT NULL,
  pending {int} NOT NULL,
  completed {int} NOT NULL DEFAULT 0,
  discarded {int} NOT NULL DEFAULT 0,
  cancelled {int} NOT NULL DEFAULT 0,
  created_at {int} NOT NULL,
  finished_at {int}
);

CREATE TABLE job_pauses (
  what {key} NOT NULL,
  name {key} NOT NULL,
  paused_at {int} NOT NULL,
  PRIMARY KEY (what, name)
) {clustered};

CREATE TABLE job_supervisors (
  id {id} NOT NULL PRIMARY KEY,
  name {key} NOT NULL,
  host {text} NOT NULL,
  pid {int} NOT NULL,
  started_at {int} NOT NULL,
  seen_at {int} NOT NULL,
  terminating {int} NOT NULL DEFAULT 0,
  pools {text} NOT NULL
);

CREATE TABLE job_metrics (
  span {int} NOT NULL,
  at {int} NOT NULL,
  queue {key} NOT NULL,
  kind {key} NOT NULL,
  measure {int} NOT NULL,
  bucket {int} NOT NULL,
  n {int} NOT NULL,
  PRIMARY KEY (span, at, queue, kind, measure, bucket)
) {clustered};
";
