use std::sync::{Arc, Mutex};
use std::time::Duration;

use queue::{Alert, Settings, WaitLimit};

use crate::lab::{Engines, Lab, job};

#[tokio::test]
async fn a_long_wait_is_told_once_and_so_is_its_end() {
    let limit = Duration::from_mins(1);
    let alerts = [("default".to_owned(), WaitLimit(limit))].into();
    let lab = Lab::<Engines>::with(Settings { alerts, ..Settings::default() }).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&told);
    lab.queue.on_alert(move |alert| hook.lock().unwrap().push(alert.clone()));
    lab.push(job("a")).await;
    lab.advance(60);
    lab.queue.check_waits().await.unwrap();
    assert!(told.lock().unwrap().is_empty(), "a wait at the limit is in order");
    lab.advance(1);
    lab.queue.check_waits().await.unwrap();
    lab.queue.check_waits().await.unwrap();
    lab.claim_one().await;
    lab.queue.check_waits().await.unwrap();
    let queue = "default".to_owned();
    let waiting = Duration::from_secs(61);
    let expected =
        [Alert::LongWait { queue: queue.clone(), waiting, limit, paused: false }, Alert::Recovered { queue }];
    assert_eq!(*told.lock().unwrap(), expected);
}
