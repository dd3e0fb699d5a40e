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
    /// With this text in an error; `#` stands for a number.
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

    /// Whether the index that a list is read along leaves nothing to be chosen.
    fn is_served(&self) -> bool {
        let Filter { state, queue, kind, tag, batch, args, error } = self;
        let (along_tag, along_queue) = (tag.is_some(), queue.is_some());
        let is_exact =
            if along_tag { state.is_none() && !along_queue } else { state.is_some() || !along_queue };
        is_exact && kind.is_none() && batch.is_none() && args.is_none() && error.is_none()
    }

    /// How many jobs to read at a time from each of so many lists, for a page of `wanted` jobs.
    pub(crate) fn piece(&self, wanted: usize, lists: usize) -> usize {
        let all = if self.is_served() { wanted.min(PIECE) } else { PIECE };
        (all / lists.max(1)).max(LEAST)
    }

    pub(crate) fn matches_error(&self, message: &str) -> bool {
        self.error.as_ref().is_none_or(|text| {
            contains(message, text) || (text.contains('#') && contains(&without_numbers(message), text))
        })
    }
}

/// Jobs read at a time, from all lists together, where some are left out.
const PIECE: usize = 500;
/// Jobs read at a time from a list.
const LEAST: usize = 50;
/// Jobs that one page looks at, at most.
pub(crate) const SEEN_AT_MOST: usize = 5_000;

/// The next jobs of several lists in one order.
pub(crate) struct Merged {
    pub(crate) jobs: Vec<(Cursor, JobRecord)>,
    /// Whether none comes after them.
    pub(crate) is_last: bool,
}

impl Merged {
    /// Out of lists that were all read from one place on, each for `size` jobs: up to where the first of those ends that
    /// go on, because what comes next in it may come before what comes next in another.
    pub(crate) fn of(lists: Vec<Vec<(Cursor, JobRecord)>>, size: usize, backwards: bool) -> Self {
        let ends = lists.iter().filter(|list| list.len() >= size).filter_map(|list| list.last());
        let ends = ends.map(|(cursor, _)| *cursor);
        let end = if backwards { ends.max() } else { ends.min() };
        let mut jobs: Vec<_> = lists.into_iter().flatten().collect();
        jobs.sort_unstable_by_key(|(cursor, _)| *cursor);
        if backwards {
            jobs.reverse();
        }
        if let Some(end) = end {
            jobs.retain(|(cursor, _)| if backwards { *cursor >= end } else { *cursor <= end });
        }
        Merged { jobs, is_last: end.is_none() }
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

/// Failures of one kind that came to the same state with the same message, but for numbers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct FailureGroup {
    /// The job kind.
    pub kind: String,
    /// Whether they failed for good, or are tried again.
    pub state: State,
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
    let mut groups: BTreeMap<(String, State, String), FailureGroup> = BTreeMap::new();
    for job in jobs {
        let Some(error) = job.errors.last() else { continue };
        let message = without_numbers(&error.message);
        let group =
            groups.entry((job.kind.clone(), job.state, message.clone())).or_insert_with(|| FailureGroup {
                kind: job.kind.clone(),
                state: job.state,
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

    fn list(ids: impl IntoIterator<Item = i64>) -> Vec<(Cursor, JobRecord)> {
        let job = |id| JobRecord {
            id: JobId(id),
            queue: String::new(),
            kind: String::new(),
            args: String::new(),
            state: State::Available,
            priority: 0,
            attempt: 0,
            failures: 0,
            losses: 0,
            max_attempts: None,
            cancelling: false,
            enqueued_at: Timestamp::UNIX_EPOCH,
            due_at: Timestamp::UNIX_EPOCH,
            started_at: None,
            finished_at: None,
            worker: None,
            batch: None,
            unique_key: None,
            tags: Vec::new(),
            errors: Vec::new(),
        };
        ids.into_iter().map(|id| (Cursor { due: 0, id }, job(id))).collect()
    }

    fn merged(lists: Vec<Vec<(Cursor, JobRecord)>>, backwards: bool) -> (Vec<i64>, bool) {
        let merged = Merged::of(lists, 3, backwards);
        (merged.jobs.iter().map(|(cursor, _)| cursor.id).collect(), merged.is_last)
    }

    #[test]
    fn lists_are_merged_as_far_as_all_of_them_are_known() {
        assert_eq!(merged(vec![list([1, 5, 9]), list([2, 3, 4])], false), (vec![1, 2, 3, 4], false));
        assert_eq!(merged(vec![list([1, 5, 9]), list([2])], false), (vec![1, 2, 5, 9], false));
        assert_eq!(merged(vec![list([9, 5, 1]), list([4, 3, 2])], true), (vec![9, 5, 4, 3, 2], false));
        assert_eq!(merged(vec![list([1, 5]), list([2])], false), (vec![1, 2, 5], true));
        assert_eq!(merged(vec![list([]), list([])], true), (vec![], true));
    }

    #[test]
    fn no_more_is_read_than_a_page_takes_where_nothing_is_left_out() {
        let all = Filter::default();
        assert_eq!((all.piece(50, 1), all.piece(200, 1), all.piece(500, 7)), (50, 200, 71));
        let state = Filter::state(State::Available);
        assert_eq!((state.piece(50, 7), state.piece(1, 1)), (50, 50));
        let kind = Filter { kind: Some("a".to_owned()), ..state };
        assert_eq!((kind.piece(50, 1), kind.piece(50, 7)), (500, 71));
        let queue = Filter { queue: Some("a".to_owned()), ..Filter::default() };
        assert_eq!(queue.piece(50, 1), 500);
    }

    #[test]
    fn a_group_of_failures_is_found_by_its_message() {
        let filter = |text: &str| Filter { error: Some(text.to_owned()), ..Filter::default() };
        for text in ["order # of #: timed out", "ORDER #", "order 1234 of", "timed"] {
            assert!(filter(text).matches_error("order 1234 of 7: timed out"), "{text}");
        }
        for text in ["order 12 of #", "# orders", "order # of # :"] {
            assert!(!filter(text).matches_error("order 1234 of 7: timed out"), "{text}");
        }
        assert!(filter("step #2").matches_error("step #2 failed"));
    }

    #[test]
    fn messages_that_differ_in_numbers_only_are_one_group() {
        assert_eq!(without_numbers("order 1234 of 7: timed out"), "order # of #: timed out");
    }
}
