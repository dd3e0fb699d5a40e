//! Random operations, each done to the engine and to a model that is too simple to be wrong; then both must agree.

mod reference;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use queue::backend::Change;
use queue::{Filter, Job, JobId, NewJob, PageRequest, Pushed, Scope, Selection, Settings, State, Token};

use crate::lab::{Engines, LEASE, Lab, Store, WORKER};
use reference::{KEEP_ENDED, Known, LATER, MAX_LOSSES, Model, Outcome};

/// What is done. Numbers choose among the jobs or claims that there are, also those of long ago.
#[derive(Debug, Clone)]
enum Step {
    Push { priority: u8, delay: u64, key: Option<(u8, bool)>, in_transaction: bool },
    Claim(usize),
    Settle(usize, Outcome),
    Land(usize),
    Beat(usize),
    Advance(u64),
    Promote,
    Reap,
    Prune,
    Cancel(usize),
    Retry(usize),
    Forget(usize),
    Pause(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = 0..64_usize;
    let outcome = prop_oneof![
        Just(Outcome::Complete),
        Just(Outcome::Retry),
        Just(Outcome::Snooze),
        Just(Outcome::HandBack),
        Just(Outcome::Cancel),
        Just(Outcome::Discard),
    ];
    let push = (
        0..3_u8,
        prop_oneof![Just(0), 1..60_u64],
        proptest::option::of((0..3_u8, any::<bool>())),
        any::<bool>(),
    )
        .prop_map(|(priority, delay, key, in_transaction)| Step::Push {
            priority,
            delay,
            key,
            in_transaction,
        });
    let step = prop_oneof![
        6 => push,
        5 => (1..5_usize).prop_map(Step::Claim),
        6 => (which.clone(), outcome).prop_map(|(job, outcome)| Step::Settle(job, outcome)),
        4 => which.clone().prop_map(Step::Land),
        2 => which.clone().prop_map(Step::Beat),
        4 => (1..40_u64).prop_map(Step::Advance),
        3 => Just(Step::Promote),
        3 => Just(Step::Reap),
        1 => Just(Step::Prune),
        2 => which.clone().prop_map(Step::Cancel),
        2 => which.clone().prop_map(Step::Retry),
        1 => which.prop_map(Step::Forget),
        1 => any::<bool>().prop_map(Step::Pause),
    ];
    proptest::collection::vec(step, 1..80)
}

/// The engine, the model, and everything that was ever pushed or claimed.
struct Pair<S> {
    lab: Lab<S>,
    model: Model,
    pushed: Vec<JobId>,
    claimed: Vec<Job>,
}

fn chosen<T: Clone>(among: &[T], number: usize) -> Option<T> {
    (!among.is_empty()).then(|| among[number % among.len()].clone())
}

impl<S: Store> Pair<S> {
    async fn new() -> Self {
        let keep_ended = Duration::from_secs(KEEP_ENDED);
        let settings = Settings { max_losses: MAX_LOSSES, keep_ended, ..Settings::default() };
        let (model, pushed, claimed) = (Model::default(), Vec::new(), Vec::new());
        Pair { lab: Lab::with(settings).await, model, pushed, claimed }
    }

    async fn step(&mut self, step: Step) {
        let now = self.lab.queue.now();
        match step {
            Step::Push { priority, delay, key, in_transaction } => {
                self.push(priority, delay, key, in_transaction, now).await;
            }
            Step::Claim(max) => {
                let name = Arc::from("default");
                let jobs = self.lab.queue.claim(&name, max, WORKER, LEASE).await.unwrap();
                let expected = self.model.claim(max, now);
                assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), expected);
                self.claimed.extend(jobs);
            }
            Step::Settle(number, outcome) => self.settle(number, outcome, now).await,
            Step::Land(number) => self.land(number, now).await,
            Step::Beat(number) => self.beat(number, now).await,
            Step::Advance(seconds) => self.lab.advance(seconds),
            Step::Promote => {
                self.lab.queue.promote(1000).await.unwrap();
                self.model.promote(now);
            }
            Step::Reap => {
                self.lab.queue.reap(1000).await.unwrap();
                self.model.reap(now);
            }
            Step::Prune => {
                self.lab.queue.prune(1000).await.unwrap();
                self.model.prune(now);
            }
            Step::Cancel(number) => {
                let Some(id) = chosen(&self.pushed, number) else { return };
                self.lab.queue.cancel(Selection::Ids(vec![id]), "asked").await.unwrap();
                self.model.cancel(id, now);
            }
            Step::Retry(number) => {
                let Some(id) = chosen(&self.pushed, number) else { return };
                self.lab.queue.retry(Selection::Ids(vec![id])).await.unwrap();
                self.model.retry(id, now);
            }
            Step::Forget(number) => {
                let Some(id) = chosen(&self.pushed, number) else { return };
                self.lab.queue.forget(Selection::Ids(vec![id])).await.unwrap();
                self.model.forget(id);
            }
            Step::Pause(paused) => {
                let queue = &self.lab.queue;
                if paused {
                    queue.pause_queue("default").await
                } else {
                    queue.continue_queue("default").await
                }
                .unwrap();
                self.model.paused = paused;
            }
        }
    }

    async fn push(&mut self, priority: u8, delay: u64, key: Option<(u8, bool)>, in_tx: bool, now: Timestamp) {
        let run_at = now + Duration::from_secs(delay);
        let mut job = NewJob::new("default", "a", "{}").priority(priority).run_at(run_at);
        let key = key.map(|(key, started)| {
            (format!("key-{key}"), if started { Scope::UntilStarted } else { Scope::UntilFinished })
        });
        if let Some((key, scope)) = &key {
            job = job.unique(key, *scope);
        }
        let pushed = if in_tx {
            let queue = self.lab.queue.clone();
            let jobs = [job];
            self.lab.store.ledger().write("push", move |tx| queue.push_in(tx, &jobs)).await.unwrap()
        } else {
            self.lab.queue.push(vec![job]).await.unwrap()
        };
        let holder = key.as_ref().and_then(|(key, _)| self.model.holders.get(key)).copied();
        match (pushed[0], holder) {
            (Pushed::Exists(id), Some(holder)) => assert_eq!(id, holder),
            (Pushed::New(id), None) => {
                if let Some((key, _)) = &key {
                    self.model.holders.insert(key.clone(), id);
                }
                let state = if delay > 0 { State::Scheduled } else { State::Available };
                let known = Known {
                    state,
                    priority,
                    due: run_at,
                    started: now,
                    attempt: 0,
                    failures: 0,
                    losses: 0,
                    cancelling: false,
                    key,
                };
                self.model.jobs.insert(id, known);
                self.pushed.push(id);
            }
            (found, expected) => panic!("pushed {found:?} while {expected:?} holds the key"),
        }
    }

    async fn settle(&mut self, number: usize, outcome: Outcome, now: Timestamp) {
        let Some(job) = chosen(&self.claimed, number) else { return };
        let at = now + Duration::from_secs(LATER);
        let change = match outcome {
            Outcome::Complete => Change::Complete,
            Outcome::Retry => crate::lab::retry("failed", at),
            Outcome::Snooze => Change::Snooze { at },
            Outcome::HandBack => Change::HandBack,
            Outcome::Cancel => Change::Cancel { reason: "not needed".to_owned() },
            Outcome::Discard => crate::lab::discard("hopeless"),
        };
        let holds = self.model.holds(&job);
        let settled =
            self.lab.queue.settle(Arc::from([job.clone()]), Arc::from([Some(change)])).await.unwrap();
        if holds {
            assert_eq!(settled.stale, 0);
            self.model.settle(&job, outcome, now);
        }
    }

    async fn land(&mut self, number: usize, now: Timestamp) {
        let Some(job) = chosen(&self.claimed, number) else { return };
        let holds = self.model.holds(&job);
        assert_eq!(self.lab.land(std::slice::from_ref(&job)).await.unwrap(), usize::from(holds));
        if holds {
            self.model.settle(&job, Outcome::Complete, now);
            self.model.landed.push(job.id.0);
        }
    }

    async fn beat(&mut self, number: usize, now: Timestamp) {
        let Some(job) = chosen(&self.claimed, number) else { return };
        let token = Token { id: job.id, attempt: job.attempt };
        let beat = self.lab.queue.heartbeat(vec![token], LEASE).await.unwrap();
        let holds = self.model.holds(&job);
        assert_eq!(beat.lost.is_empty(), holds);
        if holds {
            let known = self.model.jobs.get_mut(&job.id).unwrap();
            known.due = now + LEASE;
            assert_eq!(beat.cancelled.contains(&job.id), known.cancelling);
        }
    }

    /// Both hold the same jobs, and the same effects have landed.
    async fn compare(&self) {
        let mut found = BTreeMap::new();
        let mut after = None;
        loop {
            let request = PageRequest { after, limit: 500 };
            let page = self.lab.queue.list(Filter::default(), request).await.unwrap();
            for job in page.jobs {
                let known = (
                    job.state,
                    job.priority,
                    job.due_at,
                    job.attempt,
                    job.failures,
                    job.losses,
                    job.cancelling,
                );
                found.insert(job.id, known);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let expected: BTreeMap<_, _> = self
            .model
            .jobs
            .iter()
            .map(|(id, job)| {
                (
                    *id,
                    (job.state, job.priority, job.due, job.attempt, job.failures, job.losses, job.cancelling),
                )
            })
            .collect();
        assert_eq!(found, expected);
        let mut landed = self.model.landed.clone();
        landed.sort_unstable();
        assert_eq!(self.lab.effects().await, landed);
    }
}

/// Each case makes a place of its own, which a server takes half a second for.
fn cases() -> u32 {
    if std::env::var(testkit::TEST_MYSQL).is_ok() { 24 } else { 96 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_does_what_the_model_does(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut pair = Pair::<Engines>::new().await;
            for step in steps {
                pair.step(step).await;
                pair.compare().await;
            }
        });
    }
}
