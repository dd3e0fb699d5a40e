use std::sync::{Arc, Mutex};
use std::time::Duration;

use queue::backend::Change;
use async_trait::async_trait;
use queue::{Backoff, Batch, BoxError, Handler, Limits, NewJob, Outcome, Rate, Selection, Settings, State};

use crate::lab::{Does, Lab, Store, does, job, land};

/// The sizes of the batches that a handler was given.
#[derive(Clone, Default)]
struct Sizes(Arc<Mutex<Vec<usize>>>);

impl Sizes {
    fn note(&self, batch: &Batch) {
        self.0.lock().unwrap().push(batch.jobs().len());
    }

    fn seen(&self) -> Vec<usize> {
        self.0.lock().unwrap().clone()
    }
}

/// Whether a batch holds the job that spoils it.
fn is_spoilt(batch: &Batch) -> bool {
    batch.jobs().iter().any(|job| job.args == "\"poison\"")
}

async fn push_with_poison<S: Store>(lab: &Lab<S>) -> queue::JobId {
    lab.queue.push(vec![job("a"); 4]).await.unwrap();
    lab.push(queue::NewJob::new("default", "a", "\"poison\"")).await
}

async fn spoils<S: Store>(how: fn() -> Result<Vec<Outcome>, queue::BoxError>) -> (Lab<S>, queue::JobRecord) {
    let lab = Lab::<S>::new().await;
    let poison = push_with_poison(&lab).await;
    let sizes = Sizes::default();
    let seen = sizes.clone();
    lab.drain(does("a", move |batch| {
        sizes.note(&batch);
        async move { if is_spoilt(&batch) { how() } else { Ok(batch.all_done()) } }
    }))
    .await;
    assert_eq!(seen.seen(), [5, 1, 1, 1, 1, 1]);
    let record = lab.job(poison).await;
    assert_eq!((record.state, record.failures), (State::Retryable, 1));
    (lab, record)
}

pub async fn a_failing_batch_runs_its_jobs_one_at_a_time<S: Store>() {
    let (lab, poison) = spoils::<S>(|| Err("no such order".into())).await;
    assert_eq!(poison.errors[0].message, "no such order");
    let depth = lab.queue.depths(None).await.unwrap().remove(0);
    assert_eq!(depth.states.into_iter().collect::<Vec<_>>(), [(State::Retryable, 1)]);
}

pub async fn a_panic_is_a_failure_with_its_message<S: Store>() {
    let (_, poison) = spoils::<S>(|| panic!("index {} of nothing", 7)).await;
    assert!(poison.errors[0].message.contains("panicked: index 7 of nothing"), "{:?}", poison.errors);
}

pub async fn a_wrong_number_of_outcomes_is_a_failure<S: Store>() {
    let (_, poison) = spoils::<S>(|| Ok(Vec::new())).await;
    assert!(poison.errors[0].message.contains("0 of 1 jobs"), "{:?}", poison.errors);
}

/// Fails always, and notes what it was told when its job was given up; the first time it cannot.
#[derive(Default)]
struct Hopeless {
    told: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Handler for Hopeless {
    fn kind(&self) -> &'static str {
        "a"
    }

    fn limits(&self) -> Limits {
        Limits { attempts: 2, timeout: Duration::from_millis(20), ..Limits::default() }
    }

    async fn run(&self, _: &Batch) -> Result<Vec<Outcome>, BoxError> {
        std::future::pending().await
    }

    async fn give_up(&self, batch: &Batch, error: &str) -> Result<(), BoxError> {
        let mut told = self.told.lock().unwrap();
        told.push(format!("{} {error}", batch.jobs().len()));
        if told.len() == 1 { Err("not now".into()) } else { Ok(()) }
    }
}

pub async fn a_job_that_fails_for_good_is_given_up_by_its_handler_before_it_is_discarded<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = lab.push(job("a")).await;
    let told = Arc::<Mutex<Vec<String>>>::default();
    let hopeless = || Hopeless { told: Arc::clone(&told) };
    for (state, times_told) in [(State::Retryable, 0), (State::Scheduled, 1), (State::Discarded, 2)] {
        lab.drain(hopeless()).await;
        assert_eq!((lab.state(id).await, told.lock().unwrap().len()), (state, times_told));
        lab.advance(3_600);
        lab.queue.promote(1).await.unwrap();
    }
    assert_eq!(*told.lock().unwrap(), ["1 timed out after 20ms"; 2]);
}

pub async fn a_run_that_takes_too_long_is_a_failure<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = lab.push(job("a")).await;
    let limits = Limits { timeout: Duration::from_millis(20), ..Limits::default() };
    let sleepy = does("a", |batch: Batch| async move {
        std::future::pending::<()>().await;
        Ok(batch.all_done())
    });
    lab.drain(sleepy.limits(limits)).await;
    let record = lab.job(id).await;
    assert_eq!((record.state, record.errors[0].message.as_str()), (State::Retryable, "timed out after 20ms"));
}

pub async fn what_landed_before_a_batch_failed_is_not_run_again<S: Store>() {
    let lab = Lab::<S>::new().await;
    let poison = push_with_poison(&lab).await;
    let ledger = lab.store.ledger().clone();
    lab.drain(does("a", move |batch: Batch| {
        let ledger = ledger.clone();
        async move {
            let sound: Vec<_> = batch.jobs().iter().filter(|job| job.args == "{}").cloned().collect();
            land(&ledger, batch.queue(), &sound).await?;
            if is_spoilt(&batch) { Err("the rest failed".into()) } else { Ok(batch.all_done()) }
        }
    }))
    .await;
    assert_eq!(lab.effects().await.len(), 4);
    assert_eq!(lab.state(poison).await, State::Retryable);
}

fn failing() -> Does<impl Fn(Batch) -> std::future::Ready<Result<Vec<Outcome>, queue::BoxError>>> {
    let limits = Limits {
        attempts: 3,
        backoff: Backoff { first: Duration::from_secs(10), jitter: 0.0, ..Backoff::default() },
        ..Limits::default()
    };
    let fail = |batch: Batch| std::future::ready(Ok(vec![Outcome::Retry("down".to_owned()); batch.jobs().len()]));
    Does { kind: "a", limits, run: fail }
}

pub async fn a_failed_job_waits_longer_each_time_and_is_discarded_in_the_end<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = lab.push(job("a")).await;
    for (failures, wait) in [(1, 10), (2, 20)] {
        assert_eq!(lab.drain(failing()).await, 1);
        let record = lab.job(id).await;
        assert_eq!((record.state, record.failures), (State::Retryable, failures));
        assert_eq!(record.due_at, lab.in_seconds(wait));
        lab.advance(wait - 1);
        assert_eq!(lab.drain(failing()).await, 0);
        lab.advance(1);
    }
    assert_eq!(lab.drain(failing()).await, 1);
    let record = lab.job(id).await;
    assert_eq!((record.state, record.failures, record.errors.len()), (State::Discarded, 3, 3));
    assert!(record.finished_at.is_some());
}

pub async fn a_job_that_fails_for_ever_keeps_its_newest_errors<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = lab.push(job("a").max_attempts(u32::MAX)).await;
    for _ in 0..60 {
        assert_eq!(lab.drain(failing()).await, 1);
        lab.advance(3600);
    }
    let errors = lab.job(id).await.errors;
    assert_eq!(errors.iter().map(|error| error.attempt).collect::<Vec<_>>(), (11..=60).collect::<Vec<_>>());
}

pub async fn a_job_may_have_its_own_limit_of_attempts<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = lab.push(job("a").max_attempts(1)).await;
    lab.drain(failing()).await;
    assert_eq!(lab.state(id).await, State::Discarded);
}

pub async fn outcomes_are_told_apart<S: Store>() {
    let lab = Lab::<S>::new().await;
    let pushed = lab.queue.push(vec![job("a"); 5]).await.unwrap();
    lab.drain(does("a", |_| async {
        Ok(vec![
            Outcome::Done,
            Outcome::Retry("later".to_owned()),
            Outcome::Snooze(Duration::from_secs(5)),
            Outcome::Cancel("not needed".to_owned()),
            Outcome::discard("hopeless"),
        ])
    }))
    .await;
    assert!(lab.is_gone(pushed[0].id()).await);
    let mut ends = Vec::new();
    for job in &pushed[1..] {
        let record = lab.job(job.id()).await;
        let reason = record.errors.last().map(|error| error.message.clone()).unwrap_or_default();
        ends.push((record.state, record.failures, reason));
    }
    let expected = [
        (State::Retryable, 1, "later"),
        (State::Scheduled, 0, ""),
        (State::Cancelled, 0, "not needed"),
        (State::Discarded, 1, "hopeless"),
    ];
    assert_eq!(ends, expected.map(|(state, failures, reason)| (state, failures, reason.to_owned())));
}

/// A worker that is told to stop gives back so what it has not begun; it must not look like work for later.
pub async fn what_is_put_off_by_no_time_is_available_at_once<S: Store>() {
    let lab = Lab::<S>::new().await;
    let put_off = lab.push(NewJob::new("first", "put_off", "{}")).await;
    lab.push(NewJob::new("second", "look", "{}")).await;
    let (queue, seen) = (lab.queue.clone(), Arc::new(Mutex::new(None)));
    let see = Arc::clone(&seen);
    let look = does("look", move |batch: Batch| {
        let (queue, see) = (queue.clone(), Arc::clone(&see));
        async move {
            let record = queue.get(put_off).await?;
            *see.lock().unwrap() = Some((record.state, record.failures));
            Ok(batch.all_done())
        }
    });
    let put_off = does("put_off", |batch: Batch| async move {
        let again = batch.jobs()[0].attempt > 1;
        Ok(vec![if again { Outcome::Done } else { Outcome::Snooze(Duration::ZERO) }])
    });
    let registry = lab.registry([Arc::new(put_off) as Arc<dyn queue::Handler>, Arc::new(look)]);
    queue::drain(&lab.queue, &registry).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), Some((State::Available, 0)));
}

pub async fn jobs_without_a_handler_fail_and_say_so<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = lab.push(job("unheard_of")).await;
    lab.drain(failing()).await;
    let record = lab.job(id).await;
    assert_eq!(record.state, State::Retryable);
    assert!(record.errors[0].message.contains("no handler for jobs of kind `unheard_of`"));
}

pub async fn no_batch_is_larger_than_its_kind_allows<S: Store>() {
    let lab = Lab::<S>::new().await;
    lab.queue.push([vec![job("a"); 7], vec![job("b"); 5]].concat()).await.unwrap();
    let sizes = Sizes::default();
    let handler = |kind, batch| {
        let sizes = sizes.clone();
        let run = move |batch: Batch| {
            sizes.note(&batch);
            async move { Ok(batch.all_done()) }
        };
        Arc::new(does(kind, run).limits(Limits { batch, ..Limits::default() })) as Arc<dyn queue::Handler>
    };
    let registry = lab.registry([handler("a", 3), handler("b", 100)]);
    assert_eq!(queue::drain(&lab.queue, &registry).await.unwrap(), 12);
    assert_eq!(sizes.seen(), [3, 3, 1, 5]);
}

pub async fn what_exceeds_the_rate_is_put_off<S: Store>() {
    let lab = Lab::<S>::new().await;
    lab.queue.push(vec![job("a"); 10]).await.unwrap();
    let rate = Some(Rate { jobs: 4, per: Duration::from_hours(1) });
    let sizes = Sizes::default();
    let seen = sizes.clone();
    let slow = does("a", move |batch: Batch| {
        sizes.note(&batch);
        async move { Ok(batch.all_done()) }
    });
    lab.drain(slow.limits(Limits { rate, ..Limits::default() })).await;
    assert_eq!(seen.seen(), [4]);
    let depth = lab.queue.depths(None).await.unwrap().remove(0);
    assert_eq!(depth.states.into_iter().collect::<Vec<_>>(), [(State::Scheduled, 6)]);
}

pub async fn jobs_that_cost_workers_run_alone<S: Store>() {
    let lab = Lab::<S>::with(Settings { isolate_after: 1, ..Settings::default() }).await;
    lab.queue.push(vec![job("a"); 2]).await.unwrap();
    lab.claim(2).await;
    lab.advance(31);
    lab.queue.reap(10).await.unwrap();
    lab.queue.push(vec![job("a"); 3]).await.unwrap();
    let sizes = Sizes::default();
    let seen = sizes.clone();
    lab.drain(does("a", move |batch: Batch| {
        sizes.note(&batch);
        async move { Ok(batch.all_done()) }
    }))
    .await;
    assert_eq!(seen.seen(), [3, 1, 1]);
}

/// Or else a worker that is killed while it runs one of them would count against all.
pub async fn while_a_job_that_cost_workers_runs_the_others_are_held_by_nobody<S: Store>() {
    let lab = Lab::<S>::with(Settings { isolate_after: 1, ..Settings::default() }).await;
    lab.queue.push(vec![job("a"); 4]).await.unwrap();
    lab.claim(4).await;
    lab.advance(31);
    lab.queue.reap(10).await.unwrap();
    let held = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&held);
    lab.drain(does("a", move |batch: Batch| {
        let held = Arc::clone(&held);
        async move {
            let depths = batch.queue().depths(None).await?;
            held.lock().unwrap().push(depths[0].count(State::Executing));
            Ok(batch.all_done())
        }
    }))
    .await;
    assert_eq!(*seen.lock().unwrap(), [1, 1, 1, 1]);
}

pub async fn a_handler_hears_of_a_cancellation<S: Store>() {
    let lab = Lab::<S>::new().await;
    let pushed = lab.queue.push(vec![job("a"); 2]).await.unwrap();
    let second = pushed[1].id();
    lab.drain(does("a", move |batch: Batch| async move {
        batch.queue().cancel(Selection::Ids(vec![second]), "no").await?;
        let end = |job: &queue::Job| {
            if batch.cancelled(job.id) {
                Outcome::Cancel("stopped as asked".to_owned())
            } else {
                Outcome::Done
            }
        };
        Ok(batch.jobs().iter().map(end).collect())
    }))
    .await;
    assert!(lab.is_gone(pushed[0].id()).await);
    assert_eq!(lab.job(second).await.errors[0].message, "stopped as asked");
    let again = lab.push(job("a")).await;
    let claimed = lab.claim_one().await;
    assert!(lab.settle(&claimed, Change::Complete).await);
    assert!(lab.is_gone(again).await);
}

pub async fn a_job_called_off_before_its_turn_is_not_run<S: Store>() {
    let lab = Lab::<S>::new().await;
    let pushed = lab.queue.push(vec![job("a"); 2]).await.unwrap();
    let second = pushed[1].id();
    let sizes = Sizes::default();
    let seen = sizes.clone();
    let one_by_one = does("a", move |batch: Batch| {
        sizes.note(&batch);
        async move {
            batch.queue().cancel(Selection::Ids(vec![second]), "no").await?;
            Ok(batch.all_done())
        }
    });
    let registry = lab.registry([
        Arc::new(one_by_one.limits(Limits { batch: 1, ..Limits::default() })) as Arc<dyn queue::Handler>,
        Arc::new(does("b", |batch: Batch| async move { Ok(batch.all_done()) })),
    ]);
    assert_eq!(queue::drain(&lab.queue, &registry).await.unwrap(), 2);
    assert_eq!(seen.seen(), [1]);
    assert_eq!(lab.state(second).await, State::Cancelled);
}
