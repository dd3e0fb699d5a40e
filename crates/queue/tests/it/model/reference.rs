//! The engine, as simple as it can be.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use queue::{Job, JobId, Scope, State};

use crate::lab::LEASE;

/// What a worker says of a job.
#[derive(Debug, Clone, Copy)]
pub enum Outcome {
    Complete,
    Retry,
    Snooze,
    HandBack,
    Cancel,
    Discard,
}

pub const MAX_LOSSES: u32 = 3;
pub const KEEP_ENDED: u64 = 300;
pub const LATER: u64 = 20;

/// A job of the model. `due` means what the column of that name means, but for available jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub state: State,
    pub priority: u8,
    pub due: Timestamp,
    pub started: Timestamp,
    pub attempt: u32,
    pub failures: u32,
    pub losses: u32,
    pub cancelling: bool,
    pub key: Option<(String, Scope)>,
}

#[derive(Default)]
pub struct Model {
    pub jobs: BTreeMap<JobId, Known>,
    pub holders: BTreeMap<String, JobId>,
    pub paused: bool,
    pub landed: Vec<i64>,
}

impl Model {
    fn ids(&self, state: State) -> Vec<JobId> {
        self.jobs.iter().filter(|(_, job)| job.state == state).map(|(id, _)| *id).collect()
    }

    pub fn holds(&self, claimed: &Job) -> bool {
        self.jobs
            .get(&claimed.id)
            .is_some_and(|job| job.state == State::Executing && job.attempt == claimed.attempt)
    }

    fn give_key_back(&mut self, id: JobId) {
        self.holders.retain(|_, holder| *holder != id);
    }

    pub fn claim(&mut self, max: usize, now: Timestamp) -> Vec<JobId> {
        if self.paused {
            return Vec::new();
        }
        let mut waiting = self.ids(State::Available);
        waiting.sort_by_key(|id| (self.jobs[id].priority, self.jobs[id].due, *id));
        waiting.truncate(max);
        for id in &waiting {
            let job = self.jobs.get_mut(id).unwrap();
            (job.state, job.started, job.due) = (State::Executing, now, now + LEASE);
            job.attempt += 1;
            if matches!(job.key, Some((_, Scope::UntilStarted))) {
                self.give_key_back(*id);
            }
        }
        waiting
    }

    fn end(&mut self, id: JobId, state: State, now: Timestamp) {
        let job = self.jobs.get_mut(&id).unwrap();
        (job.state, job.cancelling, job.due) = (state, false, now + Duration::from_secs(KEEP_ENDED));
        self.give_key_back(id);
    }

    pub fn settle(&mut self, claimed: &Job, outcome: Outcome, now: Timestamp) {
        let later = now + Duration::from_secs(LATER);
        let job = self.jobs.get_mut(&claimed.id).unwrap();
        match outcome {
            Outcome::Complete => {
                self.jobs.remove(&claimed.id);
                self.give_key_back(claimed.id);
            }
            Outcome::Discard => {
                job.failures += 1;
                self.end(claimed.id, State::Discarded, now);
            }
            Outcome::Cancel => self.end(claimed.id, State::Cancelled, now),
            _ if job.cancelling => self.end(claimed.id, State::Cancelled, now),
            Outcome::Retry => {
                job.failures += 1;
                (job.state, job.due) = (State::Retryable, later);
            }
            Outcome::Snooze => (job.state, job.due) = (State::Scheduled, later),
            Outcome::HandBack => (job.state, job.due) = (State::Available, claimed.available_at),
        }
    }

    pub fn promote(&mut self, now: Timestamp) {
        for job in self.jobs.values_mut() {
            if matches!(job.state, State::Scheduled | State::Retryable) && job.due <= now {
                job.state = State::Available;
            }
        }
    }

    pub fn reap(&mut self, now: Timestamp) {
        for id in self.ids(State::Executing) {
            let job = self.jobs.get_mut(&id).unwrap();
            if job.due > now {
                continue;
            }
            job.losses += 1;
            if job.cancelling {
                self.end(id, State::Cancelled, now);
            } else if job.losses >= MAX_LOSSES {
                self.end(id, State::Discarded, now);
            } else {
                (job.state, job.due) = (State::Available, job.started);
            }
        }
    }

    pub fn prune(&mut self, now: Timestamp) {
        self.jobs.retain(|_, job| !(job.state.has_ended() && job.due <= now));
    }

    pub fn cancel(&mut self, id: JobId, now: Timestamp) {
        match self.jobs.get_mut(&id) {
            Some(job) if job.state == State::Executing => job.cancelling = true,
            Some(job) if !job.state.has_ended() => self.end(id, State::Cancelled, now),
            _ => {}
        }
    }

    pub fn retry(&mut self, id: JobId, now: Timestamp) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if matches!(job.state, State::Available | State::Executing) {
            return;
        }
        if let (true, Some((key, _))) = (job.state.has_ended(), &job.key)
            && *self.holders.entry(key.clone()).or_insert(id) != id
        {
            return;
        }
        (job.state, job.due, job.failures, job.losses) = (State::Available, now, 0, 0);
    }

    pub fn forget(&mut self, id: JobId) {
        if self.jobs.get(&id).is_some_and(|job| job.state != State::Executing) {
            self.jobs.remove(&id);
            self.give_key_back(id);
        }
    }
}
