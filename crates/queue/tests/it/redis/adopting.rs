//! A shop that begins to use Redis, and one that stops.

use std::sync::Arc;

use queue::{NewJob, Queue, Scope, Settings, State};
use sql::Tx;

use super::sweep;
use crate::lab::{Lab, WithRedis, job, land};

/// Jobs of every kind that can be left behind.
fn jobs(lab: &Lab<WithRedis>) -> Vec<NewJob> {
    vec![
        job("a"),
        job("a").priority(1).tag("red"),
        job("a").run_at(lab.in_seconds(60)),
        job("a").unique("only", Scope::UntilFinished),
    ]
}

async fn count(lab: &Lab<WithRedis>, text: &'static str) -> i64 {
    let read = move |tx: &mut Tx<'_>| tx.query_one(text, &[], |row| row.get(0));
    lab.store.0.ledger().read::<i64, sql::Error>("count", read).await.unwrap()
}

#[tokio::test]
async fn jobs_of_the_table_go_on_in_redis_and_back_again() {
    let lab = Lab::<WithRedis>::new().await;
    let table = Queue::sql(lab.store.0.ledger().clone(), lab.clock.clone(), Settings::default()).unwrap();
    let pushed = table.push(jobs(&lab)).await.unwrap();
    let name: Arc<str> = Arc::from("default");
    let running = table.claim(&name, 1, crate::lab::WORKER, crate::lab::LEASE).await.unwrap();
    assert_eq!(running[0].id, pushed[1].id());

    assert_eq!(lab.queue.adopt().await.unwrap(), 4);
    assert_eq!(lab.queue.adopt().await.unwrap(), 0);
    sweep(&lab.queue).await;
    assert_eq!(count(&lab, "SELECT COUNT(*) FROM jobs").await, 0);
    assert_eq!(count(&lab, "SELECT COUNT(*) FROM job_tags").await, 0);
    // Whoever still ran one under the table's token lands nothing.
    assert_eq!(land(lab.store.0.ledger(), &table, &running).await.unwrap(), 0);
    assert_eq!(lab.state(pushed[0].id()).await, State::Available);
    assert_eq!(lab.state(pushed[2].id()).await, State::Scheduled);
    let again = lab.queue.push(vec![job("a").unique("only", Scope::UntilFinished)]).await.unwrap();
    assert_eq!(again[0].id(), pushed[3].id());
    assert!(!again[0].is_new());

    let claimed = lab.claim(1).await;
    assert_eq!((claimed[0].id, claimed[0].tags.clone()), (pushed[1].id(), vec!["red".to_owned()]));
    assert_eq!(table.adopt().await.unwrap(), 4);
    assert_eq!(count(&lab, "SELECT COUNT(*) FROM job_outbox").await, 0);
    assert_eq!(lab.land(&claimed).await.unwrap(), 0);
    let claimed = table.claim(&name, 10, crate::lab::WORKER, crate::lab::LEASE).await.unwrap();
    assert_eq!(claimed.iter().map(|job| job.id).collect::<Vec<_>>()[0], pushed[1].id());
    assert_eq!(land(lab.store.0.ledger(), &table, &claimed).await.unwrap(), 3);
    assert_eq!(lab.effects().await.len(), 3);
}
