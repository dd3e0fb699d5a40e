//! Supervisors, with the system's clock: what happens and in which order, never how fast.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use queue::backend::Pausable;
use queue::{
    Balance, Batch, Error, Handler, Limits, NewJob, Outcome, PoolSettings, Queue, Registry, Selection,
    Settings, State, StopReason, Supervisor, SupervisorSettings, SystemClock,
};
use tokio::sync::{Barrier, Notify, Semaphore};

use crate::lab::{Engines, Store, does, job, land};

/// So long that only a wake-up, never polling, can explain that something happened.
const NEVER: Duration = Duration::from_hours(1);
/// When a test is given up: far beyond what anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

fn settings() -> Settings {
    Settings {
        poll: NEVER,
        supervisor: SupervisorSettings { balance: Balance::Off, ..SupervisorSettings::default() },
        ..Settings::default()
    }
}

fn registry(queue: &Queue, handler: impl Handler) -> Registry {
    Registry::new([Arc::new(handler) as Arc<dyn Handler>], queue.settings()).unwrap()
}

/// A handler that lets the test know of each job.
fn counts(done: &Arc<Semaphore>) -> impl Handler + use<> {
    let done = Arc::clone(done);
    does("a", move |batch: Batch| {
        done.add_permits(batch.jobs().len());
        async move { Ok(batch.all_done()) }
    })
}

async fn wait_for(done: &Semaphore, jobs: u32) {
    let seen = tokio::time::timeout(PATIENCE, done.acquire_many(jobs)).await;
    seen.expect("the jobs were not run").unwrap().forget();
}

async fn stop(supervisor: Supervisor) -> StopReason {
    supervisor.stop();
    tokio::time::timeout(PATIENCE, supervisor.wait()).await.expect("the supervisor did not stop")
}

#[tokio::test(flavor = "multi_thread")]
async fn pushed_jobs_are_run_without_polling() {
    let store = Engines::open().await;
    let queue = store.queue(Arc::new(SystemClock), settings());
    let done = Arc::new(Semaphore::new(0));
    let supervisor = Supervisor::start(queue.clone(), registry(&queue, counts(&done))).await.unwrap();
    for _ in 0..20 {
        queue.push(vec![job("a"); 3]).await.unwrap();
        wait_for(&done, 3).await;
    }
    assert_eq!(stop(supervisor).await, StopReason::Terminated);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_another_process_pushed_are_run_without_polling() {
    let store = Engines::open().await;
    let queue = store.queue(Arc::new(SystemClock), settings());
    let elsewhere = store.queue(Arc::new(SystemClock), settings());
    let done = Arc::new(Semaphore::new(0));
    let supervisor = Supervisor::start(queue.clone(), registry(&queue, counts(&done))).await.unwrap();
    for _ in 0..5 {
        elsewhere.push(vec![job("a"); 3]).await.unwrap();
        wait_for(&done, 3).await;
    }
    stop(supervisor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delayed_and_retried_jobs_are_run_when_due_without_polling() {
    let store = Engines::open().await;
    let queue = store.queue(Arc::new(SystemClock), settings());
    let done = Arc::new(Semaphore::new(0));
    let permits = Arc::clone(&done);
    let backoff = queue::Backoff { first: Duration::from_millis(20), ..queue::Backoff::default() };
    let fails_first = does("a", move |batch: Batch| {
        permits.add_permits(1);
        async move { Ok(batch.jobs().iter().map(fail_once).collect()) }
    });
    let handler = fails_first.limits(Limits { backoff, ..Limits::default() });
    let supervisor = Supervisor::start(queue.clone(), registry(&queue, handler)).await.unwrap();
    let soon = queue.now().checked_add(Duration::from_millis(30)).unwrap();
    queue.push(vec![job("a").run_at(soon)]).await.unwrap();
    wait_for(&done, 2).await;
    stop(supervisor).await;
}

fn fail_once(job: &queue::Job) -> Outcome {
    if job.failures == 0 { Outcome::Retry("the first time".to_owned()) } else { Outcome::Done }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_lost_worker_are_run_by_another() {
    let store = Engines::open().await;
    let queue = store.queue(Arc::new(SystemClock), settings());
    queue.push(vec![job("a"); 2]).await.unwrap();
    let name = Arc::from("default");
    let lost = queue.claim(&name, 2, crate::lab::WORKER, Duration::from_millis(50)).await.unwrap();
    let ledger = store.ledger().clone();
    let done = Arc::new(Semaphore::new(0));
    let permits = Arc::clone(&done);
    let handler = does("a", move |batch: Batch| {
        let (ledger, permits) = (ledger.clone(), Arc::clone(&permits));
        async move {
            permits.add_permits(land(&ledger, batch.queue(), batch.jobs()).await?);
            Ok(batch.all_done())
        }
    });
    let supervisor = Supervisor::start(queue.clone(), registry(&queue, handler)).await.unwrap();
    wait_for(&done, 2).await;
    assert_eq!(land(store.ledger(), &queue, &lost).await.unwrap(), 0);
    stop(supervisor).await;
}

/// A handler that outlasts its lease by a third: it lets the test know of each run's beginning and end.
fn outlasts(lease: Duration, runs: &Arc<Semaphore>, done: &Arc<Semaphore>) -> impl Handler + use<> {
    let (runs, done) = (Arc::clone(runs), Arc::clone(done));
    does("a", move |batch: Batch| {
        runs.add_permits(1);
        let done = Arc::clone(&done);
        async move {
            tokio::time::sleep(lease * 4 / 3).await;
            done.add_permits(1);
            Ok(batch.all_done())
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stopped_supervisor_finishes_is_not_taken_from_it() {
    let store = Engines::open().await;
    let settings = Settings { lease: Duration::from_secs(3), poll: Duration::from_millis(50), ..settings() };
    let (queue, elsewhere) =
        (store.queue(Arc::new(SystemClock), settings.clone()), store.queue(Arc::new(SystemClock), settings));
    let (runs, done) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let slow = |queue: &Queue| registry(queue, outlasts(queue.settings().lease, &runs, &done));
    let stopping = Supervisor::start(queue.clone(), slow(&queue)).await.unwrap();
    let id = queue.push(vec![job("a")]).await.unwrap()[0].id();
    wait_for(&runs, 1).await;
    let other = Supervisor::start(elsewhere.clone(), slow(&elsewhere)).await.unwrap();
    stop(stopping).await;
    assert_eq!(done.available_permits(), 1);
    stop(other).await;
    assert_eq!(runs.available_permits(), 0, "the other supervisor ran it as well");
    assert!(queue.find(id).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_run_keeps_its_lease_by_heartbeats() {
    let store = Engines::open().await;
    let lease = Duration::from_secs(3);
    let poll = Duration::from_millis(50);
    let queue = store.queue(Arc::new(SystemClock), Settings { lease, poll, ..settings() });
    let (runs, done) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let slow = registry(&queue, outlasts(lease, &runs, &done));
    let supervisor = Supervisor::start(queue.clone(), slow).await.unwrap();
    let id = queue.push(vec![job("a")]).await.unwrap()[0].id();
    wait_for(&done, 1).await;
    stop(supervisor).await;
    assert_eq!(runs.available_permits(), 1);
    assert!(queue.find(id).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_finishes_what_runs() {
    let store = Engines::open().await;
    let queue = store.queue(Arc::new(SystemClock), settings());
    let (began, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&began), Arc::clone(&finish));
    let handler = does("a", move |batch: Batch| {
        tell.notify_one();
        let wait = Arc::clone(&wait);
        async move {
            wait.notified().await;
            Ok(batch.all_done())
        }
    });
    let supervisor = Supervisor::start(queue.clone(), registry(&queue, handler)).await.unwrap();
    let id = queue.push(vec![job("a")]).await.unwrap()[0].id();
    began.notified().await;
    assert_eq!(supervisor.workers()[0].busy.len(), 1);
    supervisor.stop();
    let left = queue.push(vec![job("a")]).await.unwrap()[0].id();
    finish.notify_one();
    assert_eq!(supervisor.wait().await, StopReason::Terminated);
    assert!(queue.find(id).await.unwrap().is_none());
    assert_eq!(queue.get(left).await.unwrap().state, State::Available);
    assert!(queue.supervisors().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_hands_back_what_does_not_finish_in_time() {
    let store = Engines::open().await;
    let mut settings = settings();
    settings.supervisor.stop_within = Duration::from_millis(20);
    let queue = store.queue(Arc::new(SystemClock), settings);
    let began = Arc::new(Notify::new());
    let tell = Arc::clone(&began);
    let handler = does("a", move |_: Batch| {
        tell.notify_one();
        std::future::pending()
    });
    let supervisor = Supervisor::start(queue.clone(), registry(&queue, handler)).await.unwrap();
    let pushed = queue.push(vec![job("a"); 3]).await.unwrap();
    began.notified().await;
    stop(supervisor).await;
    for job in pushed {
        let record = queue.get(job.id()).await.unwrap();
        assert_eq!((record.state, record.failures, record.losses), (State::Available, 0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn running_until_idle_waits_for_retries_too() {
    let store = Engines::open().await;
    let queue = store.queue(Arc::new(SystemClock), settings());
    queue.push(vec![job("a"); 700]).await.unwrap();
    let backoff = queue::Backoff { first: Duration::from_millis(20), ..queue::Backoff::default() };
    let handler = does("a", |batch: Batch| async move { Ok(batch.jobs().iter().map(fail_once).collect()) });
    let registry = registry(&queue, handler.limits(Limits { backoff, ..Limits::default() }));
    let supervisor = Supervisor::start(queue.clone(), registry).await.unwrap();
    assert_eq!(supervisor.run_until_idle().await.unwrap(), StopReason::Idle);
    assert!(queue.depths(None).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_stops_at_its_limit_of_jobs_and_says_so() {
    let store = Engines::open().await;
    let mut settings = settings();
    settings.supervisor.max_jobs = Some(10);
    settings.supervisor.pools = vec![PoolSettings { max: 1, batch: 4, ..PoolSettings::new("default") }];
    let queue = store.queue(Arc::new(SystemClock), settings);
    queue.push(vec![job("a"); 10]).await.unwrap();
    let done = Arc::new(Semaphore::new(0));
    let supervisor = Supervisor::start(queue.clone(), registry(&queue, counts(&done))).await.unwrap();
    let reason = tokio::time::timeout(PATIENCE, supervisor.wait()).await.unwrap();
    assert_eq!(reason, StopReason::JobLimit { ran: 10, limit: 10 });
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_stops_when_the_process_has_grown_too_large() {
    let store = Engines::open().await;
    let mut settings = settings();
    settings.supervisor.max_memory_mib = Some(0);
    let queue = store.queue(Arc::new(SystemClock), settings);
    let done = Arc::new(Semaphore::new(0));
    let supervisor = Supervisor::start(queue.clone(), registry(&queue, counts(&done))).await.unwrap();
    let reason = tokio::time::timeout(PATIENCE, supervisor.wait()).await.unwrap();
    assert!(matches!(reason, StopReason::MemoryLimit { used, limit: 0 } if used > 0), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_supervisor_takes_nothing_also_after_a_restart() {
    let store = Engines::open().await;
    let poll = Duration::from_millis(20);
    let queue = store.queue(Arc::new(SystemClock), Settings { poll, ..settings() });
    queue.pause_supervisor("default").await.unwrap();
    assert_eq!(queue.paused(Pausable::Supervisor).await.unwrap(), ["default"]);
    let done = Arc::new(Semaphore::new(0));
    let supervisor = Supervisor::start(queue.clone(), registry(&queue, counts(&done))).await.unwrap();
    queue.push(vec![job("a")]).await.unwrap();
    tokio::time::sleep(poll * 10).await;
    assert_eq!(done.available_permits(), 0);
    queue.continue_supervisor("default").await.unwrap();
    wait_for(&done, 1).await;
    stop(supervisor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_may_tell_a_supervisor_to_stop() {
    let store = Engines::open().await;
    let poll = Duration::from_millis(20);
    let queue = store.queue(Arc::new(SystemClock), Settings { poll, ..settings() });
    let elsewhere = store.queue(Arc::new(SystemClock), settings());
    let done = Arc::new(Semaphore::new(0));
    let supervisor = Supervisor::start(queue.clone(), registry(&queue, counts(&done))).await.unwrap();
    let told = elsewhere.supervisors().await.unwrap();
    assert_eq!(told.len(), 1);
    assert!(told[0].pools.iter().map(|pool| pool.workers).sum::<usize>() > 0, "from its start: {told:?}");
    let unknown = elsewhere.terminate(Some("nobody")).await;
    assert!(matches!(unknown, Err(Error::UnknownSupervisor(_))));
    assert_eq!(elsewhere.terminate(None).await.unwrap(), 1);
    let reason = tokio::time::timeout(PATIENCE, supervisor.wait()).await.unwrap();
    assert_eq!(reason, StopReason::Terminated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_hears_of_a_cancellation_by_another_process() {
    let store = Engines::open().await;
    let lease = Duration::from_millis(300);
    let queue = store.queue(Arc::new(SystemClock), Settings { lease, ..settings() });
    let elsewhere = store.queue(Arc::new(SystemClock), settings());
    let began = Arc::new(Notify::new());
    let tell = Arc::clone(&began);
    let handler = does("a", move |batch: Batch| {
        tell.notify_one();
        async move {
            let id = batch.jobs()[0].id;
            while !batch.cancelled(id) && !batch.lost(id) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(vec![Outcome::Cancel("stopped as asked".to_owned())])
        }
    });
    let supervisor = Supervisor::start(queue.clone(), registry(&queue, handler)).await.unwrap();
    let id = queue.push(vec![job("a")]).await.unwrap()[0].id();
    began.notified().await;
    assert_eq!(elsewhere.cancel(Selection::Ids(vec![id]), "no").await.unwrap(), 1);
    assert_eq!(supervisor.run_until_idle().await.unwrap(), StopReason::Idle);
    assert_eq!(queue.get(id).await.unwrap().state, State::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_runs_no_more_batches_at_once_than_it_may() {
    let store = Engines::open().await;
    let mut settings = settings();
    settings.supervisor.pools = vec![PoolSettings { max: 6, batch: 1, ..PoolSettings::new("default") }];
    let queue = store.queue(Arc::new(SystemClock), settings);
    queue.push(vec![job("a"); 30]).await.unwrap();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (running, peak) = (Arc::clone(&now), Arc::clone(&most));
    let handler = does("a", move |batch: Batch| {
        let (running, peak) = (Arc::clone(&running), Arc::clone(&peak));
        async move {
            peak.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(batch.all_done())
        }
    });
    let limits = Limits { concurrency: Some(2), ..Limits::default() };
    let supervisor =
        Supervisor::start(queue.clone(), registry(&queue, handler.limits(limits))).await.unwrap();
    supervisor.run_until_idle().await.unwrap();
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_takes_no_more_jobs_than_it_can_run_at_once() {
    let store = Engines::open().await;
    let queue = store.queue(Arc::new(SystemClock), settings());
    let (both, done) = (Arc::new(Barrier::new(2)), Arc::new(Semaphore::new(0)));
    let permits = Arc::clone(&done);
    let single = does("a", move |batch: Batch| {
        let (both, permits) = (Arc::clone(&both), Arc::clone(&permits));
        async move {
            if batch.jobs()[0].args == "{}" {
                both.wait().await;
            }
            permits.add_permits(1);
            Ok(batch.all_done())
        }
    });
    let single = single.limits(Limits { batch: 1, ..Limits::default() });
    let many = does("b", |batch: Batch| async move { Ok(batch.all_done()) });
    let handlers: [Arc<dyn Handler>; 2] = [Arc::new(single), Arc::new(many)];
    let registry = Registry::new(handlers, queue.settings()).unwrap();
    let supervisor = Supervisor::start(queue.clone(), registry).await.unwrap();
    // More than once: who began to claim before the first of them ran knows nothing yet of how many are useful.
    for _ in 0..20 {
        queue.push(vec![NewJob::new("default", "a", "\"alone\"")]).await.unwrap();
        wait_for(&done, 1).await;
    }
    queue.push(vec![job("a"); 10]).await.unwrap();
    wait_for(&done, 10).await;
    stop(supervisor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_supervisors_share_the_work_and_each_effect_lands_once() {
    let store = Engines::open().await;
    let jobs = 3_000;
    let mut running = Vec::new();
    for _ in 0..3 {
        let queue = store.queue(Arc::new(SystemClock), settings());
        let ledger = store.ledger().clone();
        let handler = does("a", move |batch: Batch| {
            let ledger = ledger.clone();
            async move {
                land(&ledger, batch.queue(), batch.jobs()).await?;
                Ok(batch.all_done())
            }
        });
        let handler = handler.limits(Limits { batch: 50, ..Limits::default() });
        let registry = registry(&queue, handler);
        queue.push(vec![job("a"); jobs / 3]).await.unwrap();
        running.push(tokio::spawn(async move {
            Supervisor::start(queue, registry).await.unwrap().run_until_idle().await.unwrap()
        }));
    }
    for supervisor in running {
        supervisor.await.unwrap();
    }
    let count = |tx: &mut sql::Tx<'_>| {
        tx.query_one("SELECT COUNT(*), COUNT(DISTINCT job) FROM effects", &[], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    };
    let (effects, distinct): (usize, usize) =
        store.ledger().read::<_, sql::Error>("count", count).await.unwrap();
    assert_eq!((effects, distinct), (jobs, jobs));
}
