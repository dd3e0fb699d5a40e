use std::time::Duration;

use queue::backend::Change;
use queue::{Selection, Settings, State};

use crate::lab::{Lab, Store, discard, job, retry};

pub async fn completed_jobs_are_deleted_unless_they_are_to_be_kept<S: Store>() {
    for (keep, state) in [(0, None), (60, Some(State::Completed))] {
        let lab = Lab::<S>::with(Settings { keep_completed: Duration::from_secs(keep), ..Settings::default() }).await;
        lab.queue.push(vec![job("a"); 2]).await.unwrap();
        let jobs = lab.claim(2).await;
        assert_eq!(lab.land(&jobs[..1]).await.unwrap(), 1);
        assert!(lab.settle(&jobs[1], Change::Complete).await);
        for job in &jobs {
            assert_eq!(lab.queue.find(job.id).await.unwrap().map(|job| job.state), state);
        }
        lab.advance(60);
        assert_eq!(lab.queue.prune(10).await.unwrap(), if keep == 0 { 0 } else { 2 });
    }
}

pub async fn ended_jobs_are_pruned_when_their_time_is_over<S: Store>() {
    let lab = Lab::<S>::with(Settings { keep_ended: Duration::from_mins(1), ..Settings::default() }).await;
    let pushed = lab.queue.push(vec![job("a"); 3]).await.unwrap();
    let claimed = lab.claim_one().await;
    assert!(lab.settle(&claimed, discard("x")).await);
    lab.advance(30);
    lab.queue.cancel(Selection::Ids(vec![pushed[1].id()]), "x").await.unwrap();
    lab.advance(30);
    assert_eq!(lab.queue.prune(10).await.unwrap(), 1);
    assert!(lab.is_gone(pushed[0].id()).await);
    assert_eq!(lab.state(pushed[1].id()).await, State::Cancelled);
    assert_eq!(lab.state(pushed[2].id()).await, State::Available);
}

pub async fn no_more_ended_jobs_are_kept_than_allowed<S: Store>() {
    let lab = Lab::<S>::with(Settings { keep_ended_at_most: 3, ..Settings::default() }).await;
    lab.queue.push(vec![job("a"); 8]).await.unwrap();
    for (index, claimed) in lab.claim(8).await.iter().enumerate() {
        // The first four end at the same instant.
        lab.advance(u64::from(index >= 4));
        assert!(lab.settle(claimed, discard("x")).await);
    }
    assert_eq!(lab.queue.prune(2).await.unwrap(), 2);
    assert_eq!(lab.queue.prune(100).await.unwrap(), 3);
    let left = lab.queue.list(queue::Filter::default(), queue::PageRequest::default()).await.unwrap().jobs;
    assert_eq!(left.len(), 3);
    assert!(left.iter().all(|job| job.finished_at > Some(job.enqueued_at)));
}

pub async fn nothing_is_left_of_a_pruned_job<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = lab.push(job("a").tag("t").unique("k", queue::Scope::For(Duration::from_secs(5)))).await;
    let claimed = lab.claim_one().await;
    assert!(lab.settle(&claimed, retry("first", lab.in_seconds(1))).await);
    lab.advance(1);
    lab.queue.promote(1).await.unwrap();
    let claimed = lab.claim_one().await;
    assert!(lab.settle(&claimed, discard("second")).await);
    lab.clock.advance(Duration::from_hours(24 * 8));
    // The job and its expired key.
    assert_eq!(lab.queue.prune(10).await.unwrap(), 2);
    let reborn = job("a").id(id).unique("k", queue::Scope::UntilFinished);
    assert_eq!(lab.push(reborn).await, id);
    let record = lab.job(id).await;
    assert_eq!((record.errors.len(), record.tags.len()), (0, 0));
    let filter = queue::Filter { tag: Some("t".to_owned()), ..queue::Filter::default() };
    assert!(lab.queue.list(filter, queue::PageRequest::default()).await.unwrap().jobs.is_empty());
}

pub async fn nothing_is_left_of_a_completed_or_forgotten_job<S: Store>() {
    let lab = Lab::<S>::new().await;
    for completes in [true, false] {
        let id = lab.push(job("a").tag("t")).await;
        let claimed = lab.claim_one().await;
        assert!(lab.settle(&claimed, retry("first", lab.in_seconds(1))).await);
        lab.advance(1);
        lab.queue.promote(1).await.unwrap();
        if completes {
            let claimed = lab.claim_one().await;
            assert_eq!(lab.land(&[claimed]).await.unwrap(), 1);
        } else {
            assert_eq!(lab.queue.forget(Selection::Ids(vec![id])).await.unwrap(), 1);
        }
        lab.push(job("a").id(id)).await;
        let record = lab.job(id).await;
        assert_eq!((record.errors.len(), record.tags.len()), (0, 0));
        let filter = queue::Filter { tag: Some("t".to_owned()), ..queue::Filter::default() };
        assert!(lab.queue.list(filter, queue::PageRequest::default()).await.unwrap().jobs.is_empty());
        lab.queue.forget(Selection::Ids(vec![id])).await.unwrap();
    }
}

pub async fn each_step_is_bounded<S: Store>() {
    let lab = Lab::<S>::new().await;
    lab.queue.push(vec![job("a").run_at(lab.in_seconds(1)); 10]).await.unwrap();
    lab.advance(1);
    assert_eq!(lab.queue.promote(4).await.unwrap(), 4);
    assert_eq!(lab.queue.promote(100).await.unwrap(), 6);
    assert_eq!(lab.claim(10).await.len(), 10);
    lab.advance(31);
    assert_eq!(lab.queue.reap(3).await.unwrap(), 3);
    assert_eq!(lab.queue.reap(100).await.unwrap(), 7);
}
