//! What the monitor and operators see of jobs.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::{BatchId, Error, JobId, State};

/// Which jobs. Every field narrows the choice; texts are found anywhere in the field, whatever their case.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "JobFilter")]
pub struct Filter {
    /// In this state.
    pub state: Option<State>,
    /// In this queue.
    pub queue: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// In this batch.
    pub batch: Option<BatchId>,
    /// With this text in the arguments.
    pub args: Option<String>,
    /// With this text in an error.
    pub error: Option<String>,
}

impl Filter {
    /// All jobs in a state.
    pub fn state(state: State) -> Self {
        Filter { state: Some(state), ..Filter::default() }
    }

    /// Whether a job is chosen, its errors apart.
    pub(crate) fn matches(&self, job: &JobRecord) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        self.state.is_none_or(|state| state == job.state)
            && is(&self.queue, &job.queue)
            && is(&self.kind, &job.kind)
            && self.tag.as_ref().is_none_or(|tag| job.tags.contains(tag))
            && self.batch.is_none_or(|batch| job.batch == Some(batch))
            && self.args.as_ref().is_none_or(|text| contains(&job.args, text))
    }

    pub(crate) fn matches_error(&self, message: &str) -> bool {
        self.error.as_ref().is_none_or(|text| contains(message, text))
    }
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

/// Which part of a list.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// How many jobs at most; 0 is 50, and never more than 500.
    pub limit: usize,
}

impl PageRequest {
    pub(crate) fn size(&self) -> usize {
        match self.limit {
            0 => 50,
            limit => limit.min(500),
        }
    }
}

/// A part of a list of jobs.
///
/// Searching stops after a bounded number of rows, so a page may hold fewer jobs than asked for, or none, and still
/// have a next one.
#[derive(Debug, Clone)]
pub struct Page {
    /// The jobs, without their errors but for the last.
    pub jobs: Vec<JobRecord>,
    /// Where to go on; none at the end.
    pub next: Option<Cursor>,
}

/// A place in a list of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub(crate) due: i64,
    pub(crate) id: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.due, self.id)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.rsplit_once('-')
            .and_then(|(due, id)| Some(Cursor { due: due.parse().ok()?, id: id.parse().ok()? }))
            .ok_or_else(|| Error::Cursor(text.chars().take(60).collect()))
    }
}

/// A stored job, as the monitor shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct JobRecord {
    /// Its id.
    pub id: JobId,
    /// Its queue.
    pub queue: String,
    /// Its kind.
    pub kind: String,
    /// Its arguments: JSON.
    pub args: String,
    /// Its state.
    pub state: State,
    /// 0 goes first.
    pub priority: u8,
    /// How often it was claimed.
    pub attempt: u32,
    /// How often it has failed since it was pushed or retried by hand.
    pub failures: u32,
    /// How many workers were lost while they ran it.
    pub losses: u32,
    /// Its own limit of failures.
    pub max_attempts: Option<u32>,
    /// Whether it runs and its worker was asked to stop.
    pub cancelling: bool,
    /// When it was pushed.
    pub enqueued_at: Timestamp,
    /// Scheduled, retryable: when it becomes available. Available: since when it is. Executing: when its lease
    /// ends. Ended: until when it is kept.
    pub due_at: Timestamp,
    /// When the worker that has it took it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The supervisor that has it.
    pub worker: Option<i64>,
    /// Its batch.
    pub batch: Option<BatchId>,
    /// Its unique key.
    pub unique_key: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// What went wrong, oldest first.
    pub errors: Vec<JobError>,
}

/// Something that went wrong with a job.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct JobError {
    /// In which attempt.
    pub attempt: u32,
    /// What state the job came to.
    pub state: State,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub message: String,
}

/// How many jobs a queue holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct QueueDepth {
    /// The queue.
    pub queue: String,
    /// Whether it is paused.
    pub paused: bool,
    /// Jobs by state; states without jobs are left out.
    pub states: BTreeMap<State, usize>,
    /// Since when its longest waiting available job waits.
    pub oldest_waiting: Option<Timestamp>,
}

impl QueueDepth {
    /// Jobs in a state.
    pub fn count(&self, state: State) -> usize {
        self.states.get(&state).copied().unwrap_or_default()
    }
}

/// Failures of one kind with the same message, but for numbers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct FailureGroup {
    /// The job kind.
    pub kind: String,
    /// The message, with `#` for numbers.
    pub message: String,
    /// How many jobs failed last with it.
    pub count: usize,
    /// When the newest did.
    pub last_at: Timestamp,
    /// One of them.
    pub example: JobId,
}

/// Groups jobs by their last error.
pub(crate) fn group_failures(jobs: &[JobRecord]) -> Vec<FailureGroup> {
    let mut groups: BTreeMap<(String, String), FailureGroup> = BTreeMap::new();
    for job in jobs {
        let Some(error) = job.errors.last() else { continue };
        let message = without_numbers(&error.message);
        let group = groups.entry((job.kind.clone(), message.clone())).or_insert_with(|| FailureGroup {
            kind: job.kind.clone(),
            message,
            count: 0,
            last_at: error.at,
            example: job.id,
        });
        group.count += 1;
        if error.at >= group.last_at {
            group.last_at = error.at;
            group.example = job.id;
        }
    }
    let mut groups: Vec<FailureGroup> = groups.into_values().collect();
    groups.sort_by(|left, right| right.count.cmp(&left.count).then(right.last_at.cmp(&left.last_at)));
    groups
}

fn without_numbers(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    for letter in message.chars() {
        match letter {
            '0'..='9' if text.ends_with('#') => {}
            '0'..='9' => text.push('#'),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text() {
        for cursor in
            [Cursor { due: 5, id: 7 }, Cursor { due: -5, id: 0 }, Cursor { due: i64::MAX, id: i64::MAX }]
        {
            assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }
        assert!("nonsense".parse::<Cursor>().is_err());
    }

    #[test]
    fn messages_that_differ_in_numbers_only_are_one_group() {
        assert_eq!(without_numbers("order 1234 of 7: timed out"), "order # of #: timed out");
    }
}
