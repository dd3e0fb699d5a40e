//! Jobs may run twice, at once or long after, and on workers that have lost them: each effect is there once.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::OnceLock;
use std::time::Duration;

use app::imports::{self, ImportOptions, Origin};
use app::{Actor, orders};
use domain::RefundRequest;
use queue::{JobId, NewJob};

use crate::engine::Trigger;
use crate::gateway::{Fault, Faulty};
use crate::ledger::units;
use crate::order_file::{into, sample};
use crate::support::{TestApp, order};

/// What jobs leave of themselves, what is told of them and then forgotten, and deliveries, of which each is recorded.
const OF_JOBS: [&str; 16] = [
    "job_log",
    "job_copies",
    "jobs",
    "job_outbox",
    "job_epochs",
    "job_keys",
    "job_tags",
    "job_errors",
    "job_metrics",
    "job_supervisors",
    "id_sequences",
    "kpi_feed",
    "kpi_counter",
    "order_feed",
    "order_feed_counter",
    "webhook_deliveries",
];

/// Keeps what jobs were pushed.
async fn log_jobs(test: &TestApp) {
    test.execute("CREATE TABLE job_log (queue VARCHAR(50), kind VARCHAR(50), args VARCHAR(1000))").await;
    test.trigger(Trigger {
        name: "log",
        event: &format!("AFTER INSERT ON {}", test.table_of_jobs()),
        when: "NEW.id > 0",
        does: "INSERT INTO job_log VALUES (NEW.queue, NEW.kind, NEW.args)",
    })
    .await;
}

/// Has each job pushed a second time: in the transaction that pushes the first, where a trigger can do that, else kept
/// in `job_copies` until [`run_jobs`] pushes it.
async fn push_twice(test: &TestApp) {
    let jobs = test.table_of_jobs();
    let columns = test.columns(jobs).await.into_iter().filter(|column| column != "id");
    let columns: Vec<String> = columns.collect();
    let (names, values) = (columns.join(", "), columns.join(", NEW."));
    let kept = !test.triggers_change_their_own_table();
    if kept {
        test.execute(format!("CREATE TABLE job_copies AS SELECT * FROM {jobs} WHERE id < 0")).await;
    }
    let table = if kept { "job_copies" } else { jobs };
    test.trigger(Trigger {
        name: "twice",
        event: &format!("AFTER INSERT ON {jobs}"),
        // Ids are far from what any sequence reaches.
        when: "NEW.id < 4503599627370496",
        does: &format!("INSERT INTO {table} (id, {names}) VALUES (NEW.id + 4503599627370496, NEW.{values})"),
    })
    .await;
}

/// Runs every job that is due, and the copies of those that are kept for it.
async fn run_jobs(test: &TestApp) {
    let has_copies = test.tables().await.iter().any(|table| table == "job_copies");
    loop {
        if has_copies {
            push_copies(test).await;
        }
        if test.run_jobs().await == 0 {
            return;
        }
    }
}

/// Pushes the kept copies. Redis hears of jobs from whoever pushes them, so there they go through the engine.
async fn push_copies(test: &TestApp) {
    if test.app.redis().is_some() {
        let copies =
            test.texts("SELECT id || '|' || queue || '|' || kind || '|' || args FROM job_copies").await;
        let copies = copies.iter().map(|copy| {
            let parts: Vec<&str> = copy.splitn(4, '|').collect();
            NewJob::new(parts[1], parts[2], parts[3]).id(JobId(parts[0].parse().unwrap()))
        });
        test.app.queue().push(copies.collect()).await.unwrap();
    } else {
        test.execute("INSERT INTO jobs SELECT * FROM job_copies").await;
    }
    test.execute("DELETE FROM job_copies").await;
}

/// Moves the clock, takes back the jobs of lost workers, and runs what is due then.
async fn run_jobs_after(test: &TestApp, time: Duration) {
    test.run_jobs_after(time).await;
    run_jobs(test).await;
}

/// A shop in which every job there is has something to do.
async fn live(test: &mut TestApp) {
    let gateway = Faulty::before(test);
    test.stock("TEA", "Tea", 100).await;
    test.stock("RARE", "Rare", 1).await;
    let paid = order("paid").line("TEA", 4, 500).place(test).await;
    let returned = order("returned").line("TEA", 2, 500).shipping(300).place(test).await;
    order("short").line("RARE", 2, 500).line("TEA", 1, 100).place(test).await;
    order("free").line("TEA", 1, 0).place(test).await;
    let cancelled = order("cancelled").line("TEA", 1, 500).place(test).await;
    run_jobs(test).await;
    test.cancel(cancelled).await.unwrap();
    run_jobs(test).await;
    run_jobs_after(test, Duration::from_mins(1)).await;
    gateway.charges.then(&[Fault::Refused]);
    order("declined").line("TEA", 1, 500).place(test).await;
    run_jobs(test).await;
    order("overdue").line("TEA", 1, 500).place(test).await;
    test.app.queue().pause_queue("callbacks").await.unwrap();
    run_jobs(test).await;
    test.clock.advance(Duration::from_mins(16));
    app::workers::wind(&test.app).await.unwrap();
    run_jobs(test).await;
    test.app.queue().continue_queue("callbacks").await.unwrap();
    run_jobs(test).await;
    test.refund(paid, "one", units(1), true).await.unwrap();
    test.refund(paid, "two", RefundRequest::Amount(77), false).await.unwrap();
    run_jobs(test).await;
    orders::ship(&test.app, &Actor::CLI, paid, orders::Shipping::default()).await.unwrap();
    orders::deliver(&test.app, &Actor::CLI, paid).await.unwrap();
    test.cancel(returned).await.unwrap();
    run_jobs(test).await;
    let path = test.file("a.csv", sample(12, 4).0);
    test.import(&path, ImportOptions { chunk_size: 3, ..into("file") }).await;
    let origin = Origin::path(&test.app.config().imports, path.to_str().unwrap()).unwrap();
    let options = ImportOptions { chunk_size: 3, ..into("fetched") };
    imports::fetch(&test.app, &Actor::CLI, origin, options, false).await.unwrap();
    run_jobs(test).await;
    run_jobs_after(test, Duration::from_mins(1)).await;
}

/// The address of a receiver of webhooks that takes every call, the same for all shops of a test.
fn receiver() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || {
                    let (mut call, mut piece) = (String::new(), [0; 4096]);
                    while !is_whole(&call) {
                        let read = stream.read(&mut piece).unwrap();
                        call.push_str(std::str::from_utf8(&piece[..read]).unwrap());
                    }
                    stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
                });
            }
        });
        address
    })
}

/// Whether a call has come to its end.
fn is_whole(call: &str) -> bool {
    let Some((head, body)) = call.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| body.len() >= length.parse::<usize>().unwrap())
}

async fn shop() -> TestApp {
    TestApp::with(|config| config.gateway.latency = Duration::from_mins(1)).await
}

/// A shop that [`live`] can live in: it also takes files from folders, and has a receiver of webhooks.
async fn open_shop() -> TestApp {
    // Nothing here speaks TLS, but a client cannot be made without somebody who could.
    let _ = rustls::crypto::ring::default_provider().install_default();
    TestApp::with(|config| {
        config.gateway.latency = Duration::from_mins(1);
        config.imports.folders = vec!["/".into()];
        config.notifications.channels.push("webhook".to_owned());
        receiver().clone_into(&mut config.notifications.webhook.url);
        config.notifications.webhook.secrets = vec!["a secret of the receiver".to_owned()];
        config.notifications.webhook.allow_private = true;
    })
    .await
}

/// The ledger, with what each installation draws for itself taken out.
async fn ledger(test: &TestApp) -> BTreeMap<String, Vec<String>> {
    let mut dump = test.dump(&OF_JOBS).await;
    let folder = test.folder().to_str().unwrap().to_owned();
    let body = |bytes: &str| bytes.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02X}"));
    let word = test.app.instance();
    for row in dump.values_mut().flatten() {
        *row = row.replace(word, "shop").replace(&body(word), &body("shop")).replace(&folder, "folder");
    }
    // The time of a file is its own, and so is the number of a life of the figures.
    dump.remove("imports");
    dump.remove("kpi_counter");
    dump
}

#[tokio::test]
async fn every_job_run_again_after_it_was_done_changes_nothing() {
    let mut test = open_shop().await;
    log_jobs(&test).await;
    live(&mut test).await;
    let kinds = test.texts("SELECT DISTINCT kind FROM job_log ORDER BY kind").await;
    assert_eq!(kinds, app::jobs::registry(&test.app).unwrap().kinds());
    test.assert_clean().await;
    let done = test.texts("SELECT DISTINCT queue || '|' || kind || '|' || args FROM job_log").await;
    test.drop_trigger("log").await;
    let before = test.dump(&OF_JOBS).await;
    for _ in 0..2 {
        let again = done.iter().chain(&done).map(|job| {
            let parts: Vec<&str> = job.splitn(3, '|').collect();
            NewJob::new(parts[0], parts[1], parts[2])
        });
        test.app.queue().push(again.collect()).await.unwrap();
        assert!(test.run_jobs().await >= 2 * done.len());
        let after = test.dump(&OF_JOBS).await;
        for (table, rows) in &before {
            assert_eq!(after[table], *rows, "{table}");
        }
        test.clock.advance(Duration::from_hours(1));
    }
    test.assert_clean().await;
}

#[tokio::test]
async fn jobs_that_are_all_pushed_twice_leave_the_same_ledger() {
    let mut once = open_shop().await;
    live(&mut once).await;
    once.assert_clean().await;
    let mut twice = open_shop().await;
    push_twice(&twice).await;
    live(&mut twice).await;
    twice.assert_clean().await;
    let (once, twice) = (ledger(&once).await, ledger(&twice).await);
    for (table, rows) in &once {
        assert_eq!(twice[table], *rows, "{table}");
    }
}

/// Orders of which a first worker charges while its lease ends and another one does all there is to do.
async fn overtaken(test: &mut TestApp, late_answer: Fault) -> Vec<domain::OrderId> {
    let gateway = Faulty::before(test);
    test.stock("TEA", "Tea", 100).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(order(&n.to_string()).line("TEA", 1, 500).place(test).await);
    }
    gateway.charges.then(&[Fault::None, late_answer]);
    let (app, clock) = (test.app.clone(), test.clock.clone());
    gateway.before_charge(move || {
        let (app, clock) = (app.clone(), clock.clone());
        async move {
            clock.advance(Duration::from_secs(31));
            assert_eq!(app.queue().reap(100).await.unwrap(), 5);
            let registry = app::jobs::registry(&app).unwrap();
            queue::drain(app.queue(), &registry).await.unwrap();
        }
    });
    test.run_jobs().await;
    ids
}

#[tokio::test]
async fn a_worker_that_lost_its_jobs_while_it_called_out_lands_nothing() {
    // What the first worker hears, it hears too late: even a decline.
    for late_answer in [Fault::None, Fault::Refused, Fault::Unheard, Fault::Lasting] {
        let mut test = shop().await;
        let ids = overtaken(&mut test, late_answer).await;
        for id in &ids {
            assert_eq!(test.state(*id).await, "reserved pending unfulfilled 0-0-0", "{late_answer:?}");
        }
        test.run_jobs_after(Duration::from_mins(1)).await;
        for id in ids {
            assert_eq!(test.state(id).await, "confirmed paid unfulfilled 500-0-0", "{late_answer:?}");
            assert_eq!(test.told(id).await, ["confirmation"]);
            let events = format!("SELECT COUNT(*) FROM order_events WHERE order_id = {id}");
            assert_eq!(test.number(events).await, 4);
        }
        assert_eq!(test.number("SELECT COUNT(*) FROM simulated_charges").await, 5);
        test.assert_clean().await;
    }
}
