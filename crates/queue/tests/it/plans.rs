use queue::State;
use sql::{Error, Tx};

use crate::lab::{Lab, Sqlite, Store};

const WAITING: usize = 1_000_000;

/// A million jobs as `push` would have stored them.
fn fill(tx: &mut Tx<'_>) -> Result<u64, Error> {
    tx.execute(
        "INSERT INTO jobs (id, queue, state, due, kind, priority, enqueued_at, args) \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) \
         SELECT i, 'default', 1, 100 * 36028797018963968 + i, 'a', 100, 0, '{}' FROM n",
        &[],
    )
}

#[tokio::test]
async fn a_million_waiting_jobs_are_had_in_order_and_none_is_touched_that_is_not_claimed() {
    let lab = Lab::<Sqlite>::new().await;
    assert_eq!(lab.store.ledger().write("fill", fill).await.unwrap(), WAITING as u64);
    let jobs = lab.claim(500).await;
    assert!(jobs.iter().map(|job| job.id.0).eq(1..=500));
    assert_eq!(lab.land(&jobs).await.unwrap(), 500);
    assert_eq!(lab.claim(500).await[0].id.0, 501);
    let depth = lab.queue.depths(None).await.unwrap().remove(0);
    assert_eq!((depth.count(State::Executing), depth.count(State::Available)), (500, WAITING - 1000));
}
