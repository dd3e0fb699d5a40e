use std::time::Duration;

use queue::backend::Change;
use queue::{Job, Scope, Settings, State};

use super::{base, sweep, with_a_server_of_its_own};
use crate::lab::{LEASE, Lab, Store, WORKER, WithRedis, job, land};

#[tokio::test]
async fn a_push_that_redis_never_heard_of_is_swept_when_the_relay_had_its_time() {
    let lab = Lab::<WithRedis>::new().await;
    lab.claim(1).await;
    sweep(&lab.queue).await;
    let unheard = lab.store.unheard(lab.clock.clone());
    let id = unheard.push(vec![job("a").tag("t")]).await.unwrap()[0].id();
    sweep(&lab.queue).await;
    let lag = lab.queue.outbox_lag().await.unwrap().unwrap();
    assert_eq!((lag.rows, lag.missing, lag.oldest_missing), (1, 1, Some(lab.queue.now())));
    assert!(lab.claim(1).await.is_empty());
    lab.advance(6);
    sweep(&lab.queue).await;
    let claimed = lab.claim_one().await;
    assert_eq!((claimed.id, claimed.tags.as_slice()), (id, ["t".to_owned()].as_slice()));
    assert_eq!(lab.land(&[claimed]).await.unwrap(), 1);
    let lag = lab.queue.outbox_lag().await.unwrap().unwrap();
    assert_eq!((lag.rows, lag.missing), (0, 0));
}

#[tokio::test]
async fn a_new_process_looks_at_everything_at_once() {
    let lab = Lab::<WithRedis>::new().await;
    lab.claim(1).await;
    sweep(&lab.queue).await;
    let unheard = lab.store.unheard(lab.clock.clone());
    unheard.push(vec![job("a"); 3]).await.unwrap();
    let restarted = lab.store.queue(lab.clock.clone(), Settings::default());
    sweep(&restarted).await;
    assert_eq!(lab.claim(9).await.len(), 3);
}

/// A job whose effect has landed, and that Redis believes to be executing.
async fn landed_unheard(lab: &Lab<WithRedis>) -> Job {
    lab.push(job("a")).await;
    let claimed = lab.claim_one().await;
    let unheard = lab.store.unheard(lab.clock.clone());
    assert_eq!(land(lab.store.ledger(), &unheard, std::slice::from_ref(&claimed)).await.unwrap(), 1);
    assert_eq!(lab.state(claimed.id).await, State::Executing);
    claimed
}

#[tokio::test]
async fn a_completion_that_redis_never_heard_of_ends_with_the_lease() {
    let lab = Lab::<WithRedis>::new().await;
    let landed = landed_unheard(&lab).await;
    lab.advance(31);
    assert_eq!(lab.queue.reap(10).await.unwrap(), 1);
    assert!(lab.is_gone(landed.id).await);
    assert!(lab.claim(1).await.is_empty());
    assert_eq!(lab.effects().await, [landed.id.0]);
}

#[tokio::test]
async fn a_job_that_the_ledger_does_not_expect_is_refused_and_forgotten() {
    let lab = Lab::<WithRedis>::new().await;
    let landed = landed_unheard(&lab).await;
    assert_eq!(lab.land(std::slice::from_ref(&landed)).await.unwrap(), 0);
    assert!(lab.is_gone(landed.id).await);
    let landed = landed_unheard(&lab).await;
    lab.settle(&landed, Change::Complete).await;
    assert!(lab.is_gone(landed.id).await);
    let landed = landed_unheard(&lab).await;
    assert!(!lab.settle(&landed, Change::Snooze { at: lab.in_seconds(5) }).await);
    assert!(lab.is_gone(landed.id).await);
    assert_eq!(lab.effects().await.len(), 3);
}

#[tokio::test]
async fn a_redis_that_forgets_everything_loses_no_job_and_repeats_no_effect() {
    let (lab, server) = with_a_server_of_its_own(Settings::default()).await;
    lab.queue.push(vec![job("a"); 300]).await.unwrap();
    lab.queue.push(vec![job("a").run_at(lab.in_seconds(60)); 5]).await.unwrap();
    let held = lab.claim(100).await;
    server.command(&["FLUSHALL"]);
    let tokens = held.iter().map(|job| queue::Token { id: job.id, attempt: job.attempt }).collect();
    assert!(
        lab.queue.heartbeat(tokens, LEASE).await.unwrap().lost.is_empty(),
        "they are still this worker's"
    );
    assert_eq!(lab.land(&held[..50]).await.unwrap(), 50);
    assert!(lab.claim(500).await.is_empty());
    sweep(&lab.queue).await;
    let again = lab.claim(500).await;
    assert_eq!(again.len(), 250);
    // The worker of old and the new one have the same fifty jobs; the first to land has the effect.
    assert_eq!(lab.land(&held[50..]).await.unwrap(), 50);
    assert_eq!(lab.land(&again).await.unwrap(), 200);
    lab.advance(60);
    assert_eq!(lab.queue.promote(10).await.unwrap(), 5);
    let late = lab.claim(500).await;
    assert_eq!(lab.land(&late).await.unwrap(), 5);
    let mut effects = lab.effects().await;
    effects.dedup();
    assert_eq!(effects.len(), 305);
    lab.advance(31);
    lab.queue.reap(500).await.unwrap();
    assert!(lab.queue.depths(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_job_that_redis_remembers_from_long_ago_is_told_anew_and_counts_no_lost_worker() {
    let (lab, mut server) = with_a_server_of_its_own(Settings { max_losses: 1, ..Settings::default() }).await;
    let id = lab.push(job("a")).await;
    server.command(&["SAVE"]);
    for _ in 0..3 {
        let claimed = lab.claim_one().await;
        assert!(lab.settle(&claimed, Change::Snooze { at: lab.queue.now() }).await);
        assert_eq!(lab.queue.promote(1).await.unwrap(), 1);
    }
    server.kill();
    server.run();
    while lab.queue.depths(None).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let outdated = lab.claim_one().await;
    assert_eq!(outdated.attempt, 1, "Redis has not gone back in time");
    assert_eq!(lab.land(&[outdated]).await.unwrap(), 0);
    lab.advance(31);
    lab.queue.reap(10).await.unwrap();
    lab.queue.promote(10).await.unwrap();
    let again = lab.claim_one().await;
    assert_eq!((again.id, again.losses), (id, 0));
    assert_eq!(lab.land(&[again]).await.unwrap(), 1);
    assert_eq!(lab.effects().await, [id.0]);
}

#[tokio::test]
async fn jobs_move_on_in_a_queue_that_redis_lists_no_more() {
    let lab = Lab::<WithRedis>::new().await;
    assert!(lab.claim(1).await.is_empty());
    lab.push(job("a").run_at(lab.in_seconds(1))).await;
    let list = format!("{}:{{all}}:queues", lab.store.0.space.redis_prefix());
    let gone: i64 = lab.store.0.redis.as_ref().unwrap().run(redis_link::cmd("DEL").arg(list)).await.unwrap();
    assert_eq!(gone, 1);
    lab.advance(1);
    assert_eq!(lab.queue.promote(1).await.unwrap(), 1);
    assert_eq!(lab.claim(1).await.len(), 1);
}

#[tokio::test]
async fn a_pause_and_a_unique_key_outlive_what_redis_knows() {
    let (lab, server) = with_a_server_of_its_own(Settings::default()).await;
    let unique = job("a").unique("k", Scope::UntilFinished);
    let id = lab.push(unique.clone()).await;
    lab.queue.pause_queue("default").await.unwrap();
    server.command(&["FLUSHALL"]);
    assert_eq!(lab.queue.push(vec![unique]).await.unwrap(), [queue::Pushed::Exists(id)]);
    lab.queue.push(vec![job("b")]).await.unwrap();
    assert!(lab.claim(9).await.is_empty());
    sweep(&lab.queue).await;
    assert!(lab.claim(9).await.is_empty());
    lab.queue.continue_queue("default").await.unwrap();
    assert_eq!(lab.claim(9).await.len(), 2);
}

#[tokio::test]
async fn a_job_that_redis_forgot_can_still_be_cancelled() {
    let (lab, server) = with_a_server_of_its_own(Settings::default()).await;
    let id = lab.push(job("a")).await;
    server.command(&["FLUSHALL"]);
    assert_eq!(lab.queue.cancel(queue::Selection::Ids(vec![id]), "no").await.unwrap(), 1);
    sweep(&lab.queue).await;
    assert_eq!(lab.state(id).await, State::Cancelled);
    assert!(lab.queue.claim(&"default".into(), 1, WORKER, LEASE).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_relay_that_failed_is_made_up_for_at_once() {
    let (lab, server) = with_a_server_of_its_own(Settings::default()).await;
    lab.claim(1).await;
    sweep(&lab.queue).await;
    let texts = base(&lab) + "s";
    server.command(&["SET", &texts, "no hash"]);
    lab.push(job("a")).await;
    server.command(&["DEL", &texts]);
    assert!(lab.claim(1).await.is_empty());
    // No time has passed: the sweeper would leave so new a row to the relay.
    sweep(&lab.queue).await;
    assert_eq!(lab.claim(1).await.len(), 1);
}
