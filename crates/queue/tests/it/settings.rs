use std::sync::Arc;
use std::time::Duration;

use queue::{Balance, Batch, Error, Handler, Limits, PoolSettings, Queue, Registry, Settings, SystemClock};

use crate::lab::{Engines, Store, does};

#[test]
fn a_registry_refuses_what_cannot_work() {
    let handler = |kind, timeout| {
        let limits = Limits { timeout, ..Limits::default() };
        Arc::new(does(kind, |batch: Batch| async move { Ok(batch.all_done()) }).limits(limits))
            as Arc<dyn Handler>
    };
    let settings = Settings { keep_alive: Duration::from_mins(1), ..Settings::default() };
    let minute = Duration::from_mins(1);
    let twice = Registry::new([handler("a", minute), handler("a", minute)], &settings);
    assert!(matches!(twice, Err(Error::DuplicateHandler("a"))));
    let slow = Registry::new([handler("a", minute * 2)], &settings);
    assert!(matches!(slow, Err(Error::TimeoutTooLong { kind: "a", .. })));
    assert_eq!(
        Registry::new([handler("b", minute), handler("a", minute)], &settings).unwrap().kinds(),
        ["a", "b"]
    );
}

#[test]
fn settings_are_texts_with_defaults_and_all_their_mistakes_are_told() {
    let read = |text: &str| serde_json::from_str::<Settings>(text);
    let settings =
        read(r#"{"lease": "10s", "alerts": {"default": "1m"}, "supervisor": {"balance": "simple"}}"#)
            .unwrap();
    assert_eq!(settings.lease, Duration::from_secs(10));
    assert_eq!(settings.supervisor.balance, Balance::Simple);
    assert_eq!(settings.poll, Settings::default().poll);
    let written = serde_json::to_string(&settings).unwrap();
    assert_eq!(read(&written).unwrap(), settings);
    assert!(read(r#"{"leese": "10s"}"#).is_err());
    assert!(read(r#"{"lease": 10}"#).is_err());
    let wrong = Settings { lease: Duration::ZERO, step: 0, ..Settings::default() };
    let told = wrong.check().unwrap_err().to_string();
    assert!(told.contains("`lease`") && told.contains("`step`"), "{told}");
}

#[tokio::test]
async fn a_queue_in_two_pools_is_refused() {
    let store = Engines::open().await;
    let mut settings = Settings::default();
    settings.supervisor.pools = vec![PoolSettings::new("a"), PoolSettings::new("a")];
    let told = settings.check().unwrap_err().to_string();
    assert!(told.contains("queue `a` has two pools"), "{told}");
    let queue = Queue::sql(store.ledger().clone(), Arc::new(SystemClock), settings);
    assert!(matches!(queue, Err(Error::Settings(_))));
}
