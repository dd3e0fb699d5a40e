use queue::backend::Change;
use queue::{BatchId, Error, JobId, NewBatch, NewJob, Selection};

use crate::lab::{Lab, Store, discard, job};

async fn create<S: Store>(lab: &Lab<S>, jobs: usize) -> BatchId {
    let queue = lab.queue.clone();
    let batch = NewBatch {
        name: "chunks".to_owned(),
        jobs: vec![job("part"); jobs],
        callback: Some(NewJob::new("callbacks", "finish", "{}")),
    };
    let created = lab.store.ledger().write("create", move |tx| queue.create_batch_in(tx, &batch)).await;
    created.unwrap().id
}

/// How often the callback was pushed.
async fn callbacks<S: Store>(lab: &Lab<S>) -> usize {
    let depths = lab.queue.depths(None).await.unwrap();
    depths.iter().filter(|depth| depth.queue == "callbacks").flat_map(|depth| depth.states.values()).sum()
}

pub async fn the_callback_is_pushed_once_by_the_last_job_however_it_ended<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = create(&lab, 5).await;
    let jobs = lab.claim(4).await;
    assert_eq!(lab.land(&jobs[..1]).await.unwrap(), 1);
    assert!(lab.settle(&jobs[1], discard("x")).await);
    assert!(lab.settle(&jobs[2], Change::Cancel { reason: "x".to_owned() }).await);
    assert!(lab.settle(&jobs[3], Change::Complete).await);
    let progress = lab.queue.batch(id).await.unwrap().unwrap();
    assert_eq!((progress.pending, progress.percent(), progress.finished_at), (1, 80, None));
    assert_eq!(callbacks(&lab).await, 0);
    let last = lab.claim_one().await;
    assert_eq!(lab.land(std::slice::from_ref(&last)).await.unwrap(), 1);
    lab.settle(&last, Change::Complete).await;
    let progress = lab.queue.batch(id).await.unwrap().unwrap();
    assert_eq!((progress.completed, progress.discarded, progress.cancelled), (3, 1, 1));
    assert!(progress.finished_at.is_some());
    assert_eq!(callbacks(&lab).await, 1);
}

pub async fn a_batch_without_jobs_is_finished_at_once<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = create(&lab, 0).await;
    assert!(lab.queue.batch(id).await.unwrap().unwrap().finished_at.is_some());
    assert_eq!(callbacks(&lab).await, 1);
}

pub async fn jobs_may_push_more_into_their_batch<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = create(&lab, 1).await;
    let plan = lab.claim_one().await;
    lab.queue.push(vec![job("part").batch(id); 2]).await.unwrap();
    assert!(lab.settle(&plan, Change::Complete).await);
    assert_eq!(callbacks(&lab).await, 0);
    let parts = lab.claim(2).await;
    assert_eq!(lab.land(&parts).await.unwrap(), 2);
    assert_eq!(callbacks(&lab).await, 1);
}

pub async fn a_finished_batch_takes_no_more_jobs<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = create(&lab, 0).await;
    let refused = lab.queue.push(vec![job("part").batch(id)]).await;
    assert!(matches!(refused, Err(Error::BatchFinished(batch)) if batch == id));
    let refused = lab.queue.push(vec![job("part").batch(BatchId(999))]).await;
    assert!(matches!(refused, Err(Error::UnknownBatch(BatchId(999)))));
}

pub async fn a_retry_after_the_end_does_not_call_back_again<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = create(&lab, 1).await;
    let failed = lab.claim_one().await;
    assert!(lab.settle(&failed, discard("x")).await);
    assert_eq!(callbacks(&lab).await, 1);
    lab.queue.retry(Selection::Ids(vec![failed.id])).await.unwrap();
    let progress = lab.queue.batch(id).await.unwrap().unwrap();
    assert_eq!((progress.pending, progress.discarded), (1, 0));
    let again = lab.claim_one().await;
    assert_eq!(lab.land(&[again]).await.unwrap(), 1);
    let progress = lab.queue.batch(id).await.unwrap().unwrap();
    assert_eq!((progress.pending, progress.completed), (0, 1));
    assert_eq!(callbacks(&lab).await, 1);
}

pub async fn the_last_job_completed_in_a_transaction_that_rolls_back_does_not_call_back<S: Store>() {
    let lab = Lab::<S>::new().await;
    create(&lab, 1).await;
    let last = lab.claim_one().await;
    let (queue, inner) = (lab.queue.clone(), last.clone());
    let failed = lab.store.ledger().write::<(), Error>("fails", move |tx| {
        queue.complete_in(tx, &[&inner])?;
        Err(Error::UnknownJob(JobId(0)))
    });
    assert!(failed.await.is_err());
    assert_eq!(callbacks(&lab).await, 0);
    assert_eq!(lab.land(&[last]).await.unwrap(), 1);
    assert_eq!(callbacks(&lab).await, 1);
}

pub async fn finished_batches_are_pruned_and_others_stay<S: Store>() {
    let lab = Lab::<S>::new().await;
    let open = create(&lab, 1).await;
    let finished = create(&lab, 0).await;
    lab.clock.advance(lab.queue.settings().keep_ended * 2);
    let late = create(&lab, 0).await;
    assert_eq!(lab.queue.prune(10).await.unwrap(), 1);
    let left: Vec<BatchId> = lab.queue.batches(None, 10).await.unwrap().iter().map(|batch| batch.id).collect();
    assert_eq!(left, [late, open]);
    assert!(lab.queue.batch(finished).await.unwrap().is_none());
}
