use std::sync::Arc;
use std::time::Duration;

use queue::backend::Change;
use queue::{Error, Job, JobId, Settings, State, Token};

use crate::lab::{LEASE, Lab, Store, discard, job, retry};

/// A worker that went away with a job, and another that has it by now.
async fn taken_over<S: Store>(lab: &Lab<S>) -> (Job, Job) {
    lab.push(job("a")).await;
    let zombie = lab.claim_one().await;
    lab.advance(31);
    assert_eq!(lab.queue.reap(10).await.unwrap(), 1);
    (zombie, lab.claim_one().await)
}

pub async fn a_stale_token_is_refused_by_every_settlement<S: Store>() {
    let lab = Lab::<S>::new().await;
    let (zombie, heir) = taken_over(&lab).await;
    let at = lab.in_seconds(9);
    for change in [
        Change::Complete,
        retry("x", at),
        Change::Snooze { at },
        Change::HandBack,
        Change::Cancel { reason: "x".to_owned() },
        discard("x"),
    ] {
        let named = format!("{change:?}");
        assert!(!lab.settle(&zombie, change).await, "{named}");
        let job = lab.job(heir.id).await;
        assert_eq!((job.state, job.attempt, job.failures), (State::Executing, 2, 0), "{named}");
    }
    assert!(lab.settle(&heir, Change::Complete).await);
    assert!(!lab.settle(&heir, Change::Complete).await);
}

pub async fn a_worker_past_its_lease_cannot_land_its_result<S: Store>() {
    let lab = Lab::<S>::new().await;
    let (zombie, heir) = taken_over(&lab).await;
    assert_eq!(lab.land(std::slice::from_ref(&zombie)).await.unwrap(), 0);
    assert_eq!(lab.land(std::slice::from_ref(&heir)).await.unwrap(), 1);
    assert_eq!(lab.land(&[zombie]).await.unwrap(), 0);
    assert_eq!(lab.effects().await, [heir.id.0]);
}

pub async fn a_batch_lands_without_its_stale_jobs<S: Store>() {
    let lab = Lab::<S>::new().await;
    lab.queue.push(vec![job("a"); 5]).await.unwrap();
    let jobs = lab.claim(5).await;
    lab.queue.forget(queue::Selection::Ids(vec![jobs[0].id])).await.unwrap();
    assert!(lab.settle(&jobs[1], Change::HandBack).await);
    assert!(lab.settle(&jobs[3], Change::Complete).await);
    let queue = lab.queue.clone();
    let claimed: Arc<[Job]> = Arc::from(jobs.clone());
    let inner = Arc::clone(&claimed);
    let (positions, stale) = lab
        .store
        .ledger()
        .write::<_, Error>("keep", move |tx| {
            let kept = queue.keep_in(tx, &inner)?;
            queue.complete_in(tx, &kept.jobs)?;
            Ok((kept.positions, kept.stale))
        })
        .await
        .unwrap();
    assert_eq!(positions, [0, 2, 4], "an executing job cannot be forgotten");
    assert_eq!(stale, [jobs[1].id, jobs[3].id]);
    assert!(lab.is_gone(jobs[4].id).await);
}

pub async fn a_completion_of_a_stale_job_rolls_its_effect_back<S: Store>() {
    let lab = Lab::<S>::new().await;
    let (zombie, heir) = taken_over(&lab).await;
    let queue = lab.queue.clone();
    let failed = lab
        .store
        .ledger()
        .write::<(), Error>("careless", move |tx| {
            tx.execute("INSERT INTO effects (job, attempt) VALUES (?, 1)", &[zombie.id.into()])?;
            queue.complete_in(tx, &[&zombie])
        })
        .await;
    assert!(matches!(failed, Err(Error::Stale { jobs: 1, stale: 1 })));
    assert!(lab.effects().await.is_empty());
    assert_eq!(lab.state(heir.id).await, State::Executing);
}

pub async fn an_effect_that_rolls_back_leaves_its_job<S: Store>() {
    let lab = Lab::<S>::new().await;
    lab.push(job("a")).await;
    let claimed = lab.claim_one().await;
    let (queue, inner) = (lab.queue.clone(), claimed.clone());
    let failed = lab
        .store
        .ledger()
        .write::<(), Error>("fails", move |tx| {
            queue.complete_in(tx, &[&inner])?;
            Err(Error::UnknownJob(JobId(0)))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(lab.land(&[claimed]).await.unwrap(), 1);
}

pub async fn a_heartbeat_keeps_a_lease_and_tells_of_lost_jobs<S: Store>() {
    let lab = Lab::<S>::new().await;
    lab.queue.push(vec![job("a"); 2]).await.unwrap();
    let jobs = lab.claim(2).await;
    let token = |job: &Job| Token { id: job.id, attempt: job.attempt };
    lab.advance(20);
    lab.queue.heartbeat(vec![token(&jobs[0])], LEASE).await.unwrap();
    lab.advance(20);
    assert_eq!(lab.queue.reap(10).await.unwrap(), 1);
    let beat = lab.queue.heartbeat(jobs.iter().map(token).collect(), LEASE).await.unwrap();
    assert_eq!(beat.lost, [jobs[1].id]);
    assert_eq!(lab.state(jobs[0].id).await, State::Executing);
    assert_eq!(lab.state(jobs[1].id).await, State::Available);
}

pub async fn a_lost_job_is_offered_before_those_that_came_later<S: Store>() {
    let lab = Lab::<S>::new().await;
    let first = lab.push(job("a")).await;
    lab.claim_one().await;
    lab.advance(10);
    lab.queue.push(vec![job("a"); 3]).await.unwrap();
    lab.advance(21);
    lab.queue.reap(10).await.unwrap();
    let again = lab.claim_one().await;
    assert_eq!((again.id, again.losses, again.failures), (first, 1, 0));
}

pub async fn a_job_that_keeps_losing_workers_is_discarded<S: Store>() {
    let lab = Lab::<S>::with(Settings { max_losses: 3, ..Settings::default() }).await;
    let id = lab.push(job("a")).await;
    for _ in 0..3 {
        assert_eq!(lab.claim(1).await.len(), 1);
        lab.advance(31);
        assert_eq!(lab.queue.reap(10).await.unwrap(), 1);
    }
    let ended = lab.job(id).await;
    assert_eq!((ended.state, ended.losses), (State::Discarded, 3));
    assert!(ended.errors[2].message.contains("3 workers were lost"), "{:?}", ended.errors);
}

pub async fn a_clock_that_jumps_forwards_repeats_work_but_not_effects<S: Store>() {
    let lab = Lab::<S>::new().await;
    lab.push(job("a")).await;
    let running = lab.claim_one().await;
    lab.clock.advance(Duration::from_hours(24 * 365));
    assert_eq!(lab.queue.reap(10).await.unwrap(), 1);
    let again = lab.claim_one().await;
    assert_eq!(lab.land(&[running]).await.unwrap() + lab.land(std::slice::from_ref(&again)).await.unwrap(), 1);
    assert_eq!(lab.effects().await, [again.id.0]);
}

pub async fn a_clock_that_jumps_backwards_loses_no_job<S: Store>() {
    let lab = Lab::<S>::new().await;
    lab.queue.push(vec![job("a"); 2]).await.unwrap();
    let jobs = lab.claim(2).await;
    lab.clock.turn_back(Duration::from_hours(24));
    assert_eq!(lab.queue.reap(10).await.unwrap(), 0);
    let living = Token { id: jobs[0].id, attempt: jobs[0].attempt };
    lab.queue.heartbeat(vec![living], LEASE).await.unwrap();
    for _ in 0..20 {
        lab.clock.advance(queue::LONGEST_LEASE / 20);
        lab.queue.heartbeat(vec![living], LEASE * 3).await.unwrap();
    }
    assert_eq!(lab.queue.reap(10).await.unwrap(), 1);
    assert_eq!(lab.claim_one().await.id, jobs[1].id);
    assert_eq!(lab.land(&jobs).await.unwrap(), 1);
}
