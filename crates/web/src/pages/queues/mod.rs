//! Queues, jobs and workers: seen, searched, and steered.

mod batches;
mod change;
mod failures;
mod job;
mod jobs;
mod monitor;
mod steer;
mod work;
mod workers;

pub(super) use batches::{batch, batches};
pub(super) use change::{ask, change};
pub(super) use failures::failures;
pub(super) use job::job;
pub(super) use jobs::jobs;
pub(super) use monitor::{live, monitor};
pub(super) use steer::{
    ask_to_terminate, continue_queue, continue_supervisor, pause_queue, pause_supervisor, terminate,
};
pub(super) use work::work;
pub(super) use workers::workers;

use queue::{Filter, State};

use super::QUEUES;
use super::asked::Filled;

/// The jobs.
pub(super) const JOBS: &str = "/queues/jobs";
/// Batches of jobs.
pub(super) const BATCHES: &str = "/queues/batches";
/// The workers.
pub(super) const WORKERS: &str = "/queues/workers";

/// The pages of the queues: where they are, what they are called, and whether they are `here`.
fn sections(here: &str) -> [(&'static str, &'static str, bool); 4] {
    let sections = [(QUEUES, "Workload"), (JOBS, "Jobs"), (BATCHES, "Batches"), (WORKERS, "Workers")];
    sections.map(|(address, told)| (address, told, address == here))
}

/// What a page answers.
type Answer = Result<axum::response::Response, crate::ApiError>;

/// The fields of the form that finds these jobs.
fn filled(filter: &Filter) -> Filled {
    let Filter { state, queue, kind, tag, batch, args, error } = filter;
    Filled::given([
        ("state", state.map(|state| state.to_string())),
        ("queue", queue.clone()),
        ("kind", kind.clone()),
        ("tag", tag.clone()),
        ("batch", batch.map(|batch| batch.to_string())),
        ("args", args.clone()),
        ("error", error.clone()),
    ])
}

/// What a filter chooses, in words.
fn told(filter: &Filter) -> Vec<String> {
    let word = |(name, value): &(String, String)| match name.as_str() {
        "args" => format!("with “{value}” in the arguments"),
        "error" => format!("with “{value}” in an error"),
        name => format!("{name} {value}"),
    };
    filled(filter).pairs().iter().map(word).collect()
}

/// Where the jobs are listed that a filter chooses.
fn list_of(filter: &Filter) -> String {
    format!("{JOBS}{}", filled(filter).query())
}

/// Where the jobs of a kind are listed.
fn of_kind(kind: &str) -> String {
    list_of(&Filter { kind: Some(kind.to_owned()), ..Filter::default() })
}

/// Where a queue's jobs in a state are listed.
fn in_state(queue: &str, state: State) -> String {
    list_of(&Filter { queue: Some(queue.to_owned()), ..Filter::state(state) })
}
