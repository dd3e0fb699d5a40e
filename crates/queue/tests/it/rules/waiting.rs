use std::sync::Arc;
use std::time::Duration;

use queue::backend::Change;
use queue::{Error, JobId, NewJob, Pushed, Settings, State};

use crate::lab::{LEASE, Lab, Store, WORKER, job, retry};

pub async fn the_most_urgent_and_then_the_oldest_job_goes_first<S: Store>() {
    let lab = Lab::<S>::new().await;
    let late = lab.push(job("a").priority(200)).await;
    let first = lab.push(job("a")).await;
    lab.advance(1);
    let second = lab.push(job("a")).await;
    let urgent = lab.push(job("a").priority(0)).await;
    let order: Vec<JobId> = lab.claim(10).await.iter().map(|job| job.id).collect();
    assert_eq!(order, [urgent, first, second, late]);
}

pub async fn a_delayed_job_is_not_had_before_its_time<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = lab.push(job("a").run_at(lab.in_seconds(60))).await;
    assert_eq!(lab.state(id).await, State::Scheduled);
    lab.advance(59);
    assert_eq!(lab.queue.promote(10).await.unwrap(), 0);
    lab.advance(1);
    assert_eq!(lab.queue.promote(10).await.unwrap(), 1);
    assert_eq!(lab.claim_one().await.id, id);
}

pub async fn a_claim_is_bounded_and_of_one_queue<S: Store>() {
    let lab = Lab::<S>::new().await;
    lab.queue.push(vec![job("a"); 7]).await.unwrap();
    lab.push(NewJob::new("other", "a", "{}")).await;
    assert_eq!(lab.claim(5).await.len(), 5);
    assert_eq!(lab.claim(5).await.len(), 2);
    assert!(lab.claim(5).await.is_empty());
    assert!(lab.queue.claim(&Arc::from("other"), 0, WORKER, LEASE).await.unwrap().is_empty());
}

pub async fn no_two_claims_have_the_same_job<S: Store>() {
    let lab = Lab::<S>::new().await;
    lab.queue.push(vec![job("a"); 100]).await.unwrap();
    let mut claims = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let queue = lab.queue.clone();
        claims.spawn(async move { queue.claim(&Arc::from("default"), 20, WORKER, LEASE).await.unwrap() });
    }
    let mut ids: Vec<JobId> = claims.join_all().await.into_iter().flatten().map(|job| job.id).collect();
    // A claim passes over what another one holds at that moment, and may come back with less than there is.
    ids.extend(lab.claim(100).await.into_iter().map(|job| job.id));
    assert_eq!(ids.len(), 100);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 100, "no job was had twice");
}

pub async fn a_job_pushed_twice_by_its_id_exists_once<S: Store>() {
    let lab = Lab::<S>::new().await;
    let own = JobId(1 << 40);
    let jobs = vec![job("a").id(own), job("b"), job("c").id(own)];
    let pushed = lab.queue.push(jobs.clone()).await.unwrap();
    assert_eq!(pushed[0], Pushed::New(own));
    assert!(pushed[1].is_new());
    assert_eq!(pushed[2], Pushed::Exists(own));
    assert_eq!(lab.queue.push(jobs[..1].to_vec()).await.unwrap(), [Pushed::Exists(own)]);
    assert_eq!(lab.job(own).await.kind, "a");
    assert_eq!(lab.claim(10).await.len(), 2);
}

pub async fn a_push_that_rolls_back_leaves_nothing<S: Store>() {
    let lab = Lab::<S>::new().await;
    let queue = lab.queue.clone();
    let failed = lab.store.ledger().write::<(), Error>("place", move |tx| {
        queue.push_in(tx, &[job("a").unique("k", queue::Scope::UntilFinished).tag("t")])?;
        Err(Error::UnknownJob(JobId(0)))
    });
    assert!(failed.await.is_err());
    assert!(lab.claim(10).await.is_empty());
    lab.push(job("a").unique("k", queue::Scope::UntilFinished)).await;
}

pub async fn names_that_do_not_fit_are_refused<S: Store>() {
    let lab = Lab::<S>::new().await;
    for wrong in [
        NewJob::new("", "a", "{}"),
        NewJob::new("default", "k".repeat(65), "{}"),
        job("a").tag(""),
        job("a").unique("k".repeat(181), queue::Scope::UntilStarted),
    ] {
        assert!(matches!(lab.queue.push(vec![wrong]).await, Err(Error::Name { .. })));
    }
    assert!(lab.claim(10).await.is_empty());
}

pub async fn a_paused_queue_gives_nothing_also_after_a_restart<S: Store>() {
    let lab = Lab::<S>::new().await;
    lab.push(job("a")).await;
    lab.queue.pause_queue("default").await.unwrap();
    lab.queue.pause_queue("default").await.unwrap();
    let restarted = lab.store.queue(lab.clock.clone(), Settings::default());
    let name = Arc::from("default");
    assert!(restarted.claim(&name, 1, WORKER, LEASE).await.unwrap().is_empty());
    assert!(restarted.depths(None).await.unwrap()[0].paused);
    restarted.continue_queue("default").await.unwrap();
    assert_eq!(restarted.claim(&name, 1, WORKER, LEASE).await.unwrap().len(), 1);
}

pub async fn a_snoozed_job_comes_back_without_a_failure<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = lab.push(job("a")).await;
    let claimed = lab.claim_one().await;
    assert!(lab.settle(&claimed, Change::Snooze { at: lab.in_seconds(5) }).await);
    assert_eq!(lab.state(id).await, State::Scheduled);
    lab.advance(5);
    lab.queue.promote(1).await.unwrap();
    let again = lab.claim_one().await;
    assert_eq!((again.failures, again.attempt), (0, 2));
}

pub async fn a_job_handed_back_keeps_its_place<S: Store>() {
    let lab = Lab::<S>::new().await;
    let first = lab.push(job("a")).await;
    lab.advance(1);
    lab.push(job("a")).await;
    let claimed = lab.claim_one().await;
    lab.clock.advance(Duration::from_millis(10));
    assert!(lab.settle(&claimed, Change::HandBack).await);
    assert_eq!(lab.claim_one().await.id, first);
}

pub async fn what_is_special_of_a_job_is_given_with_it_and_with_no_other<S: Store>() {
    let lab = Lab::<S>::new().await;
    let again = lab.push(job("a").tag("again")).await;
    assert!(lab.settle(&lab.claim_one().await, retry("x", lab.in_seconds(9))).await);
    let plain = lab.push(job("a")).await;
    let tagged = lab.push(job("a").tag("tagged").tag("twice")).await;
    lab.push(job("a")).await;
    lab.advance(10);
    lab.queue.promote(9).await.unwrap();
    let claimed = lab.claim(9).await;
    let of = |id: JobId| claimed.iter().find(|job| job.id == id).unwrap();
    assert_eq!((of(again).attempt, of(again).failures, of(again).tags.join(" ")), (2, 1, "again".to_owned()));
    assert_eq!((of(plain).attempt, of(plain).failures, of(plain).tags.len()), (1, 0, 0));
    assert_eq!((of(tagged).attempt, of(tagged).tags.join(" ")), (1, "tagged twice".to_owned()));
    assert_eq!(lab.land(&claimed).await.unwrap(), 4, "whatever their attempts are");
}
