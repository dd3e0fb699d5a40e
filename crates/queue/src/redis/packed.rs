//! Jobs as the texts that Redis keeps.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use redis_link::Value;

use crate::job::Job;
use crate::landing::Landing;
use crate::monitor::{JobError, JobRecord};
use crate::sql::push::UNTIL_STARTED;
use crate::sql::rows::Names;
use crate::supervisor::SupervisorId;
use crate::{BatchId, Error, JobId, Result, State};

/// An id of a fixed width.
pub(super) fn id_text(id: JobId) -> String {
    format!("{:019}", id.0)
}

/// A time of a fixed width, in microseconds; nothing is before 1970.
pub(super) fn time_text(at: Timestamp) -> String {
    micros_text(at.as_microsecond())
}

pub(super) fn micros_text(micros: i64) -> String {
    format!("{:018}", micros.max(0))
}

/// A worker of a fixed width, which makes what is kept of an executing job longer than the 64 bytes up to which Redis
/// looks through a small hash from its beginning for each field.
pub(super) fn worker_text(worker: SupervisorId) -> String {
    format!("{:019}", worker.0)
}

pub(super) fn time(text: &str) -> Result<Timestamp> {
    Timestamp::from_microsecond(number(text)?).map_err(|_| Error::Answer("a time is out of range"))
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::Answer("a number is none"))
}

/// What changes of a job.
#[derive(Debug, Clone)]
pub(super) struct Data {
    pub(super) state: State,
    pub(super) due: Timestamp,
    pub(super) attempt: u32,
    pub(super) failures: u32,
    pub(super) losses: u32,
    pub(super) cancelling: bool,
    pub(super) priority: u8,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    worker: Option<i64>,
}

impl Data {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or(Error::Answer("a job's data ends early"));
        let optional = |text: &str| if text == "-" { Ok(None) } else { time(text).map(Some) };
        Ok(Data {
            state: State::from_code(number(word()?)?).ok_or(Error::Answer("a state is unknown"))?,
            due: time(word()?)?,
            attempt: number(word()?)?,
            failures: number(word()?)?,
            losses: number(word()?)?,
            cancelling: word()? == "1",
            priority: number(word()?)?,
            started: optional(word()?)?,
            finished: optional(word()?)?,
            worker: match word()? {
                "-" => None,
                text => Some(number(text)?),
            },
        })
    }
}

/// How a job stands, and the rest of its text. Where nothing is said of it, it was never claimed, and stands as the first
/// line of its text says.
fn unfold<'t>(data: &str, text: &'t str) -> Result<(Data, &'t str)> {
    let (first, rest) = text.split_once('\n').ok_or(Error::Answer("a job's text ends early"))?;
    Ok((Data::parse(if data.is_empty() { first } else { data })?, rest))
}

/// What stays the same of a job.
#[derive(Debug, Clone)]
pub(super) struct Fixed<'a> {
    pub(super) kind: &'a str,
    pub(super) args: &'a str,
    pub(super) unique_key: Option<&'a str>,
    pub(super) unique_scope: Option<i64>,
    pub(super) enqueued_at: i64,
    pub(super) max_attempts: Option<u32>,
    pub(super) batch: Option<BatchId>,
}

impl<'a> Fixed<'a> {
    /// Numbers and lengths on a line, then the key, the kind and the arguments.
    pub(super) fn pack(&self) -> String {
        let key = self.unique_key.unwrap_or_default();
        let or_none =
            |number: Option<i64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        format!(
            "{} {} {} {} {} {}\n{key}{}{}",
            self.enqueued_at,
            or_none(self.max_attempts.map(i64::from)),
            or_none(self.batch.map(|batch| batch.0)),
            or_none(self.unique_scope),
            key.len(),
            self.kind.len(),
            self.kind,
            self.args
        )
    }

    pub(super) fn parse(text: &'a str) -> Result<Self> {
        const SHORT: Error = Error::Answer("a job's text ends early");
        fn optional<T: std::str::FromStr>(text: &str) -> Result<Option<T>> {
            if text == "-" { Ok(None) } else { number(text).map(Some) }
        }
        let (line, rest) = text.split_once('\n').ok_or(SHORT)?;
        let mut words = line.split(' ');
        let mut word = || words.next().ok_or(SHORT);
        let enqueued_at = number(word()?)?;
        let max_attempts = optional(word()?)?;
        let batch = optional(word()?)?.map(BatchId);
        let unique_scope: Option<i64> = optional(word()?)?;
        let (key, kind) = (number::<usize>(word()?)?, number::<usize>(word()?)?);
        let unique_key = rest.get(..key).ok_or(SHORT)?;
        Ok(Fixed {
            kind: rest.get(key..key + kind).ok_or(SHORT)?,
            args: rest.get(key + kind..).ok_or(SHORT)?,
            unique_key: unique_scope.map(|_| unique_key),
            unique_scope,
            enqueued_at,
            max_attempts,
            batch,
        })
    }
}

fn tags(text: &str) -> Vec<String> {
    if text.is_empty() { Vec::new() } else { serde_json::from_str(text).unwrap_or_default() }
}

/// What a job came to, as a line.
pub(super) fn error_line(attempt: u32, state: State, at: Timestamp, message: &str) -> String {
    let end = message.floor_char_boundary(crate::sql::settle::LONGEST_MESSAGE);
    serde_json::Value::from(vec![
        serde_json::Value::from(attempt),
        state.code().into(),
        at.as_microsecond().into(),
        message[..end].into(),
    ])
    .to_string()
}

/// The errors of a job; lines that are none are passed over, so that they cannot hide the job.
fn errors(text: &str) -> Vec<JobError> {
    let mut all: Vec<JobError> = Vec::new();
    for line in text.lines() {
        let Ok((attempt, state, at, message)) = serde_json::from_str::<(u32, i64, i64, String)>(line) else {
            continue;
        };
        let (Some(state), Ok(at)) = (State::from_code(state), Timestamp::from_microsecond(at)) else {
            continue;
        };
        all.retain(|error| error.attempt != attempt || error.state != state);
        all.push(JobError { attempt, state, at, message });
    }
    all
}

/// Reads an answer of texts.
pub(super) fn texts(values: Vec<Value>) -> Result<Vec<String>> {
    values
        .into_iter()
        .map(|value| match value {
            Value::BulkString(bytes) => {
                String::from_utf8(bytes).map_err(|_| Error::Answer("a text is not UTF-8"))
            }
            Value::SimpleString(text) => Ok(text),
            Value::Int(number) => Ok(number.to_string()),
            _ => Err(Error::Answer("something is no text")),
        })
        .collect()
}

/// A job with all that is known of it.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) id: JobId,
    pub(super) data: Data,
    pub(super) text: String,
    pub(super) tags: String,
    errors: String,
}

impl Stored {
    /// Reads the answer of a script that describes jobs.
    pub(super) fn read_all(values: Vec<Value>) -> Result<Vec<Stored>> {
        let mut words = texts(values)?.into_iter();
        let mut all = Vec::with_capacity(words.len() / 5);
        while let (Some(id), Some(data), Some(text), Some(tags), Some(errors)) =
            (words.next(), words.next(), words.next(), words.next(), words.next())
        {
            let (data, text) = unfold(&data, &text)?;
            all.push(Stored { id: JobId(number(&id)?), data, text: text.to_owned(), tags, errors });
        }
        Ok(all)
    }

    pub(super) fn fixed(&self) -> Result<Fixed<'_>> {
        Fixed::parse(&self.text)
    }

    pub(super) fn record(&self, queue: &str) -> Result<JobRecord> {
        let (fixed, data) = (self.fixed()?, &self.data);
        Ok(JobRecord {
            id: self.id,
            queue: queue.to_owned(),
            kind: fixed.kind.to_owned(),
            args: fixed.args.to_owned(),
            state: data.state,
            priority: data.priority,
            attempt: data.attempt,
            failures: data.failures,
            losses: data.losses,
            max_attempts: fixed.max_attempts,
            cancelling: data.cancelling,
            enqueued_at: Timestamp::from_microsecond(fixed.enqueued_at)
                .map_err(|_| Error::Answer("a time is out of range"))?,
            due_at: data.due,
            started_at: data.started,
            finished_at: data.finished,
            worker: data.worker,
            batch: fixed.batch,
            unique_key: fixed.unique_key.map(str::to_owned),
            tags: tags(&self.tags),
            errors: errors(&self.errors),
        })
    }
}

/// What a claim was given.
pub(super) struct Claimed {
    /// The jobs, one attempt further than their data.
    pub(super) jobs: Vec<Job>,
    /// The unique keys that end now, and whose they are.
    pub(super) keys: Vec<(String, JobId)>,
}

/// Reads what a claim was given; `claim.lua` says in which order.
pub(super) fn claimed(mut words: impl Iterator<Item = String>, queue: &Arc<str>) -> Result<Claimed> {
    let mut taken = Vec::new();
    while let Some(id) = words.next().filter(|id| !id.is_empty()) {
        taken.push((id, words.next().ok_or(Error::Answer("a claim ends early"))?));
    }
    let mut special = HashMap::new();
    while let (Some(id), Some(data), Some(tag_text)) = (words.next(), words.next(), words.next()) {
        special.insert(id, (data, tag_text));
    }
    let (mut jobs, mut keys, mut kinds) = (Vec::with_capacity(taken.len()), Vec::new(), Names::default());
    for (id, text) in taken {
        let (data, tag_text) = special.remove(&id).unwrap_or_default();
        let (id, (data, text)) = (JobId(number(&id)?), unfold(&data, &text)?);
        let fixed = Fixed::parse(text)?;
        if let (Some(key), Some(UNTIL_STARTED)) = (fixed.unique_key, fixed.unique_scope) {
            keys.push((key.to_owned(), id));
        }
        jobs.push(Job {
            id,
            queue: Arc::clone(queue),
            kind: kinds.get(fixed.kind),
            args: fixed.args.to_owned(),
            attempt: data.attempt + 1,
            failures: data.failures,
            losses: data.losses,
            max_attempts: fixed.max_attempts,
            enqueued_at: Timestamp::from_microsecond(fixed.enqueued_at)
                .map_err(|_| Error::Answer("a time is out of range"))?,
            available_at: data.due,
            tags: tags(&tag_text),
            batch: fixed.batch,
            unique_key: fixed.unique_key.map(str::to_owned),
            landing: Landing::default(),
        });
    }
    Ok(Claimed { jobs, keys })
}
