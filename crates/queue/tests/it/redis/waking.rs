use std::sync::Arc;
use std::time::Duration;

use queue::{
    Balance, Batch, Handler, NewJob, PoolSettings, Registry, Settings, Supervisor, SupervisorSettings,
    SystemClock,
};

use super::with_a_server_of_its_own;
use crate::lab::{Store as _, does};

/// Scripts that the server has run so far.
fn scripts_run(server: &super::Server) -> u64 {
    let counts = server.command(&["INFO", "commandstats"]);
    let calls = counts.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
    calls.map_or(0, |calls| calls.split(',').next().unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_pushes_jobs_does_not_have_its_own_queues_looked_through_for_them() {
    // Nothing has a queue looked at but a wake-up.
    let settings = Settings {
        poll: Duration::from_hours(1),
        supervisor: SupervisorSettings {
            balance: Balance::Off,
            pools: ["a", "b", "c"].map(PoolSettings::new).into(),
            ..SupervisorSettings::default()
        },
        ..Settings::default()
    };
    let (lab, server) = with_a_server_of_its_own(settings.clone()).await;
    let queue = lab.store.queue(Arc::new(SystemClock), settings);
    let handler = does("a", |batch: Batch| async move { Ok(batch.all_done()) });
    let registry = Registry::new([Arc::new(handler) as Arc<dyn Handler>], queue.settings()).unwrap();
    let supervisor = Supervisor::start(queue.clone(), registry).await.unwrap();
    // Jobs of others, so that nobody takes them.
    let push = || queue.push(vec![NewJob::new("d", "d", "{}")]);
    push().await.unwrap();
    let (before, pushes) = (scripts_run(&server), 200);
    for _ in 0..pushes {
        push().await.unwrap();
        // So that each is heard of by itself.
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let scripts = scripts_run(&server) - before;
    assert!(scripts < 2 * pushes, "{scripts} scripts were run for {pushes} pushes");
    supervisor.stop();
    supervisor.wait().await;
}
