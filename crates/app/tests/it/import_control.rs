//! Imports that are paused, called off, started twice, or whose file changes under them: each row still once.

use std::time::Duration;

use app::imports::{ImportOptions, Started, cancel, pause, resume, start, status};
use app::workers::Workers;
use domain::ImportId;
use store::imports::ImportStatus;

use crate::engine::Trigger;
use crate::ledger::at_once;
use crate::order_file::{csv, into, row, sample};
use crate::support::TestApp;

/// Stops every import, in the very transaction that does its third chunk, as an operator would: 3 pauses, 5 cancels.
async fn stop_after_three_chunks(test: &TestApp, status: i64) {
    test.trigger(Trigger {
        name: "stop",
        event: "AFTER UPDATE ON import_chunks",
        when: "OLD.state = 0 AND NEW.state = 1 \
               AND (SELECT SUM(state) FROM import_chunks WHERE import_id = NEW.import_id) = 3",
        does: &format!("UPDATE imports SET status = {status} WHERE id = NEW.import_id"),
    })
    .await;
}

/// Stops every import between its plan and its first chunk.
async fn stop_after_the_plan(test: &TestApp) {
    let own = test.triggers_change_their_own_table();
    test.trigger(Trigger {
        name: "stop",
        event: if own { "AFTER UPDATE ON imports" } else { "BEFORE UPDATE ON imports" },
        when: "OLD.status = 1 AND NEW.status = 2",
        does: if own { "UPDATE imports SET status = 3 WHERE id = NEW.id" } else { "SET NEW.status = 3" },
    })
    .await;
}

async fn go_on(test: &TestApp, id: ImportId) {
    test.drop_trigger("stop").await;
    resume(&test.app, &app::Actor::CLI, id).await.unwrap();
    test.run_jobs().await;
}

fn chunks_of(chunk_size: u32) -> ImportOptions {
    ImportOptions { chunk_size, ..into("shop") }
}

#[tokio::test]
async fn an_import_whose_chunk_fails_for_good_ends_and_says_why() {
    let test = TestApp::with(|_| ()).await;
    test.trigger(Trigger {
        name: "spoil",
        event: "BEFORE INSERT ON order_lines",
        when: "NEW.quantity > 0",
        does: match test.app.database().dialect() {
            sql::Dialect::Sqlite => "SELECT RAISE(ABORT, 'no line may come')",
            sql::Dialect::Mysql(_) => "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no line may come'",
        },
    })
    .await;
    let (text, totals) = sample(10, 3);
    let id = test.import(&test.file("a.csv", text.as_str()), into("shop")).await.import.id;
    for _ in 0..20 {
        assert_eq!(status(&test.app, id).await.unwrap().import.status, ImportStatus::Running);
        test.run_jobs_after(Duration::from_hours(48)).await;
        if status(&test.app, id).await.unwrap().import.status.is_final() {
            break;
        }
    }
    let import = status(&test.app, id).await.unwrap().import;
    let error = import.error.unwrap();
    assert_eq!(import.status, ImportStatus::Failed);
    assert!(error.contains("given up after 20 attempts") && error.contains("no line may come"), "{error}");
    // With the cause out of the way the same file comes whole.
    test.drop_trigger("spoil").await;
    let again = test.import(&test.file("a.csv", text.as_str()), into("shop")).await;
    let (imported, good) = (again.progress.counts.orders_imported, totals.orders - totals.bad_orders);
    assert_eq!((again.import.status, imported), (ImportStatus::Completed, good as i64));
    // The job that was discarded finds nothing left to do.
    let discarded = queue::Filter { state: Some(queue::State::Discarded), ..queue::Filter::default() };
    assert_eq!(test.app.queue().retry(queue::Selection::Matching(discarded)).await.unwrap(), 1);
    test.run_jobs().await;
    test.assert_clean().await;
}

#[tokio::test]
async fn a_paused_import_goes_on_where_it_stopped() {
    let (text, totals) = sample(60, 7);
    let whole = TestApp::with(|_| ()).await;
    whole.import(&whole.file("a.csv", text.as_str()), chunks_of(5)).await;

    let test = TestApp::with(|_| ()).await;
    stop_after_three_chunks(&test, 3).await;
    let stopped = test.import(&test.file("a.csv", text.as_str()), chunks_of(5)).await;
    let (id, counts) = (stopped.import.id, stopped.progress.counts);
    assert_eq!((stopped.import.status, stopped.progress.chunks_done), (ImportStatus::Paused, 3));
    assert_eq!(counts.rows() + stopped.rows_not_reached, totals.rows as i64);
    assert_eq!(test.number("SELECT COUNT(*) FROM orders").await, counts.orders_imported);
    test.assert_clean().await;
    assert!(app::workers::is_idle(&test.app).await.unwrap(), "a paused import waits for a person");
    go_on(&test, id).await;
    assert_eq!(status(&test.app, id).await.unwrap().import.status, ImportStatus::Completed);
    assert_eq!(test.imported().await, whole.imported().await);
    test.assert_clean().await;
}

#[tokio::test]
async fn the_same_file_goes_on_with_an_import_that_was_paused() {
    let test = TestApp::with(|_| ()).await;
    stop_after_three_chunks(&test, 3).await;
    let path = test.file("a.csv", sample(40, 0).0);
    let stopped = test.import(&path, chunks_of(3)).await;
    test.drop_trigger("stop").await;
    match start(&test.app, &app::Actor::CLI, &path, chunks_of(3), false).await.unwrap() {
        Started::Resumed(id) => assert_eq!(id, stopped.import.id),
        other => panic!("{other:?}"),
    }
    test.run_jobs().await;
    assert_eq!(status(&test.app, stopped.import.id).await.unwrap().import.status, ImportStatus::Completed);
    assert_eq!(test.number("SELECT COUNT(*) FROM orders").await, 40);
    test.assert_clean().await;
}

#[tokio::test]
async fn a_cancelled_import_keeps_what_it_did_and_counts_what_it_did_not_reach() {
    let test = TestApp::with(|_| ()).await;
    stop_after_three_chunks(&test, 5).await;
    let (text, totals) = sample(60, 7);
    let path = test.file("a.csv.zst", zstd::encode_all(text.as_bytes(), 1).unwrap());
    let stopped = test.import(&path, chunks_of(5)).await;
    assert_eq!((stopped.import.status, stopped.progress.chunks_done), (ImportStatus::Cancelled, 3));
    assert!(stopped.rows_not_reached > 0);
    assert_eq!(stopped.progress.counts.rows() + stopped.rows_not_reached, totals.rows as i64);
    assert_eq!(test.spooled(), 0);
    assert!(resume(&test.app, &app::Actor::CLI, stopped.import.id).await.is_err());
    test.assert_clean().await;
    // Begun again, it is a new import that finds the orders of the first.
    test.drop_trigger("stop").await;
    let again = test.import(&path, chunks_of(5)).await;
    let counts = again.progress.counts;
    assert_eq!(again.import.status, ImportStatus::Completed);
    assert_eq!(counts.rows_duplicate, stopped.progress.counts.rows_imported);
    assert_eq!((counts.orders_imported + counts.orders_duplicate) as u64, totals.orders - totals.bad_orders);
    test.assert_clean().await;
}

#[tokio::test]
async fn an_import_cancelled_before_its_plan_stays_cancelled() {
    for bytes in [csv(&[row("A", "TEA", 1, 500)]), format!("{}\n\"", csv(&[row("A", "TEA", 1, 500)]))] {
        let test = TestApp::with(|_| ()).await;
        let path = test.file("a.csv.zst", zstd::encode_all(bytes.as_bytes(), 1).unwrap());
        let id = test.queue_import(&path, into("a")).await;
        assert!(pause(&test.app, &app::Actor::CLI, id).await.is_err(), "there is nothing to pause yet");
        assert_eq!(test.spooled(), 1);
        cancel(&test.app, &app::Actor::CLI, id).await.unwrap();
        assert_eq!(test.spooled(), 0);
        test.run_jobs().await;
        assert_eq!(test.rows(id).await, "cancelled 0-0-0-0-0");
        for refused in [
            cancel(&test.app, &app::Actor::CLI, id).await,
            pause(&test.app, &app::Actor::CLI, id).await,
            resume(&test.app, &app::Actor::CLI, id).await,
        ] {
            assert!(refused.unwrap_err().to_string().contains("it is cancelled"));
        }
        assert_eq!(test.number("SELECT COUNT(*) FROM orders").await, 0);
        test.assert_clean().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_can_be_paused_and_continued_while_many_workers_run_it() {
    let test = TestApp::with(|_| ()).await;
    let (text, totals) = sample(300, 9);
    let id = test.queue_import(&test.file("a.csv", text), chunks_of(1)).await;
    let workers = Workers::start(&test.app).await.unwrap();
    let (mut pauses, mut last) = (0, -1);
    while last < totals.rows as i64 {
        let now = status(&test.app, id).await.unwrap();
        let reached = now.progress.counts.rows();
        assert!(reached + now.rows_not_reached == now.import.rows_total && now.rows_not_reached >= 0);
        if reached > last && pauses < 20 && pause(&test.app, &app::Actor::CLI, id).await.is_ok() {
            // What is asked for twice does no harm.
            resume(&test.app, &app::Actor::CLI, id).await.unwrap();
            resume(&test.app, &app::Actor::CLI, id).await.unwrap();
            pauses += 1;
        }
        last = reached;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(pauses > 0, "the import ended before it could be paused");
    workers.run_until_idle().await.unwrap();
    assert_eq!(status(&test.app, id).await.unwrap().import.status, ImportStatus::Completed);
    let orders = totals.orders - totals.bad_orders;
    assert_eq!(test.number("SELECT COUNT(*) FROM orders").await as u64, orders);
    test.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_of_the_same_orders_at_once_bring_each_order_once() {
    let test = TestApp::with(|_| ()).await;
    let (text, totals) = sample(200, 0);
    // The same orders, the last ones first.
    let (header, body) = text.split_once('\n').unwrap();
    let mut orders: Vec<Vec<&str>> = Vec::new();
    for line in body.lines() {
        let id = |line: &str| line.split(',').next().map(str::to_owned);
        match orders.last_mut().filter(|order| id(order[0]) == id(line)) {
            Some(order) => order.push(line),
            None => orders.push(vec![line]),
        }
    }
    let reversed: Vec<&str> = orders.into_iter().rev().flatten().collect();
    let first = test.queue_import(&test.file("a.csv", &text), chunks_of(4)).await;
    let path = test.file("b.csv", format!("{header}\n{}\n", reversed.join("\n")));
    let second = test.queue_import(&path, chunks_of(9)).await;
    Workers::start(&test.app).await.unwrap().run_until_idle().await.unwrap();
    let (first, second) = (status(&test.app, first).await.unwrap(), status(&test.app, second).await.unwrap());
    let (one, other) = (first.progress.counts, second.progress.counts);
    assert_eq!((one.orders_imported + other.orders_imported) as u64, totals.orders);
    assert_eq!((one.orders_duplicate + other.orders_duplicate) as u64, totals.orders);
    assert_eq!((one.orders_differ, other.orders_differ), (0, 0));
    assert_eq!(test.number("SELECT COUNT(*) FROM orders WHERE status = 3").await as u64, totals.orders);
    test.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_started_many_times_at_once_is_one_import() {
    let test = TestApp::with(|_| ()).await;
    let path = test.file("a.csv.zst", zstd::encode_all(sample(50, 0).0.as_bytes(), 1).unwrap());
    let workers = Workers::start(&test.app).await.unwrap();
    let started = at_once((0..12).map(|_| {
        let (app, path) = (test.app.clone(), path.clone());
        async move { start(&app, &app::Actor::CLI, &path, chunks_of(2), false).await.unwrap() }
    }))
    .await;
    assert_eq!(started.iter().filter(|one| matches!(one, Started::New(_))).count(), 1);
    workers.run_until_idle().await.unwrap();
    assert_eq!(test.number("SELECT COUNT(*) FROM imports").await, 1);
    assert_eq!(test.number("SELECT COUNT(*) FROM orders").await, 50);
    assert_eq!(test.spooled(), 0);
    test.assert_clean().await;
}

#[tokio::test]
async fn two_sources_read_their_own_copies_of_one_packed_file() {
    let test = TestApp::with(|_| ()).await;
    let path = test.file("a.csv.zst", zstd::encode_all(sample(30, 0).0.as_bytes(), 1).unwrap());
    stop_after_the_plan(&test).await;
    let (one, other) = (into("one"), into("other"));
    let waiting = test.queue_import(&path, one).await;
    test.run_jobs().await;
    test.drop_trigger("stop").await;
    assert_eq!(test.import(&path, other).await.import.status, ImportStatus::Completed);
    resume(&test.app, &app::Actor::CLI, waiting).await.unwrap();
    test.run_jobs().await;
    assert_eq!(status(&test.app, waiting).await.unwrap().import.status, ImportStatus::Completed);
    assert_eq!((test.number("SELECT COUNT(*) FROM orders").await, test.spooled()), (60, 0));
    test.assert_clean().await;
}

#[tokio::test]
async fn a_file_that_changes_after_it_was_received_ends_its_import_with_the_reason() {
    let text = csv(&[row("A", "TEA", 1, 500), row("B", "TEA", 1, 500), row("C", "TEA", 1, 500)]);
    let priced = text.replace(",500,", ",900,");
    assert_eq!(priced.len(), text.len());
    let changes = [Some(priced), Some(csv(&[row("A", "TEA", 1, 500)])), Some(format!("{text}\n\"")), None];
    for planned in [true, false] {
        for changed in &changes {
            let test = TestApp::with(|_| ()).await;
            let path = test.file("a.csv", &text);
            stop_after_the_plan(&test).await;
            let id = test.queue_import(&path, chunks_of(1)).await;
            if planned {
                test.run_jobs().await;
            }
            match changed {
                Some(text) => drop(test.file("a.csv", text)),
                None => std::fs::remove_file(&path).unwrap(),
            }
            if planned {
                go_on(&test, id).await;
            } else {
                test.run_jobs().await;
            }
            let failed = status(&test.app, id).await.unwrap();
            assert_eq!(failed.import.status, ImportStatus::Failed, "{changed:?}");
            let error = failed.import.error.unwrap();
            let wanted = if changed.is_some() { "was changed after its import began" } else { "cannot open" };
            assert!(error.contains(wanted) && error.contains("a.csv"), "{error}");
            assert_eq!(failed.progress.counts.rows(), 0);
            assert_eq!(test.number("SELECT COUNT(*) FROM orders").await, 0);
            test.assert_clean().await;
        }
    }
}
