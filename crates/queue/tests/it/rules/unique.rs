use std::time::Duration;

use queue::backend::Change;
use queue::{NewJob, Pushed, Scope, Selection, State};

use crate::lab::{Lab, Store, discard, job, retry};

fn keyed(scope: Scope) -> NewJob {
    job("a").unique("order-7", scope)
}

async fn push_again<S: Store>(lab: &Lab<S>, scope: Scope) -> Pushed {
    lab.queue.push(vec![keyed(scope)]).await.unwrap()[0]
}

pub async fn until_started_a_second_push_is_a_no_op<S: Store>() {
    let lab = Lab::<S>::new().await;
    let first = lab.push(keyed(Scope::UntilStarted)).await;
    assert_eq!(push_again(&lab, Scope::UntilStarted).await, Pushed::Exists(first));
    assert_eq!(lab.claim(10).await.len(), 1);
    assert!(push_again(&lab, Scope::UntilStarted).await.is_new());
}

pub async fn until_finished_holds_through_retries_and_ends_with_the_job<S: Store>() {
    let lab = Lab::<S>::new().await;
    let first = lab.push(keyed(Scope::UntilFinished)).await;
    let claimed = lab.claim_one().await;
    assert_eq!(push_again(&lab, Scope::UntilFinished).await, Pushed::Exists(first));
    assert!(lab.settle(&claimed, retry("x", lab.in_seconds(1))).await);
    assert_eq!(push_again(&lab, Scope::UntilFinished).await, Pushed::Exists(first));
    lab.advance(1);
    lab.queue.promote(1).await.unwrap();
    let claimed = lab.claim_one().await;
    assert_eq!(lab.land(&[claimed]).await.unwrap(), 1);
    assert!(push_again(&lab, Scope::UntilFinished).await.is_new());
}

pub async fn for_a_time_outlives_the_job<S: Store>() {
    let lab = Lab::<S>::new().await;
    let scope = Scope::For(Duration::from_mins(1));
    let first = lab.push(keyed(scope)).await;
    let claimed = lab.claim_one().await;
    assert!(lab.settle(&claimed, Change::Complete).await);
    assert!(lab.is_gone(first).await);
    lab.advance(59);
    assert_eq!(push_again(&lab, scope).await, Pushed::Exists(first));
    lab.advance(1);
    assert!(push_again(&lab, scope).await.is_new());
}

pub async fn one_push_with_a_key_twice_stores_it_once<S: Store>() {
    let lab = Lab::<S>::new().await;
    let pushed = lab.queue.push(vec![keyed(Scope::UntilFinished); 3]).await.unwrap();
    assert!(pushed[0].is_new());
    assert_eq!(pushed[1..], [Pushed::Exists(pushed[0].id()); 2]);
    assert_eq!(lab.claim(10).await.len(), 1);
}

pub async fn a_retried_job_takes_its_key_back_or_stays_ended<S: Store>() {
    let lab = Lab::<S>::new().await;
    let first = lab.push(keyed(Scope::UntilFinished)).await;
    let claimed = lab.claim_one().await;
    assert!(lab.settle(&claimed, discard("x")).await);
    let second = push_again(&lab, Scope::UntilFinished).await;
    assert!(second.is_new());
    assert_eq!(lab.queue.retry(Selection::Ids(vec![first])).await.unwrap(), 0);
    assert_eq!(lab.state(first).await, State::Discarded);
    lab.queue.forget(Selection::Ids(vec![second.id()])).await.unwrap();
    assert_eq!(lab.queue.retry(Selection::Ids(vec![first])).await.unwrap(), 1);
    assert_eq!(push_again(&lab, Scope::UntilFinished).await, Pushed::Exists(first));
}

pub async fn a_cancelled_or_forgotten_job_gives_its_key_back<S: Store>() {
    let lab = Lab::<S>::new().await;
    let first = lab.push(keyed(Scope::UntilFinished)).await;
    lab.queue.cancel(Selection::Ids(vec![first]), "not needed").await.unwrap();
    let second = lab.push(keyed(Scope::UntilFinished)).await;
    lab.queue.forget(Selection::Ids(vec![second])).await.unwrap();
    lab.push(keyed(Scope::UntilFinished)).await;
}
