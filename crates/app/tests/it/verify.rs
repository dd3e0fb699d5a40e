mod rules;

use app::App;
use app::verify::{Breach, Report, Scope, run};

use crate::engine::lift_checks;
use crate::lived::{ids, lived};
use crate::support::{TestApp, order};

#[tokio::test]
async fn a_shop_that_has_lived_breaks_no_rule() {
    let test = lived().await;
    let report = run(&test.app, Scope::All).await.unwrap();
    assert_clean(&report);
    assert_eq!((report.scope, report.notes.len()), (Scope::All, 0));
    let checked: Vec<u64> = report.rules.iter().map(|rule| rule.checked).collect();
    assert!(checked.iter().all(|things| *things > 0), "{checked:?}");
    assert_eq!([checked[1], checked[2], checked[4]], [report.orders; 3]);
    let states = ids(&test.app, "SELECT DISTINCT after_state FROM order_events").await;
    assert!(states.len() >= 15, "the shop has seen {} states only", states.len());
}

#[tokio::test]
async fn an_incremental_run_checks_what_changed_since_the_last_clean_one() {
    let test = lived().await;
    let first = run(&test.app, Scope::Changed).await.unwrap();
    assert_eq!(first.scope, Scope::All, "there was no run to go on from");
    assert_clean(&first);
    test.clock.advance(std::time::Duration::from_hours(24));
    let new = order("later").line("TEA", 2, 500).place(&test).await;
    test.run_jobs().await;
    let second = run(&test.app, Scope::Changed).await.unwrap();
    assert_clean(&second);
    assert_eq!(second.scope, Scope::Changed);
    assert!(second.orders < first.orders / 2, "{} of {} orders", second.orders, first.orders);
    execute(&test.app, &[&format!("UPDATE orders SET total = total + 1 WHERE id = {new}")]).await;
    for _ in 0..2 {
        // A run that finds something does not move on: the next one finds it too.
        let third = run(&test.app, Scope::Changed).await.unwrap();
        assert!(
            third.breaches().any(|breach| is(breach, (3, &format!("order {new}"), "total"))),
            "{third:#?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_reports_nothing_while_orders_move() {
    let test = TestApp::with(|config| {
        config.database.readers = 3;
        config.gateway.decline_rate = 0.2;
    })
    .await;
    test.stock("TEA", "Tea", 1_000_000).await;
    let app = test.app.clone();
    let checking = tokio::spawn(async move {
        let mut runs = 0;
        for scope in [Scope::All, Scope::Changed].into_iter().cycle() {
            let report = run(&app, scope).await.unwrap();
            assert_clean(&report);
            runs += 1;
            if report.rules[6].checked == 0
                && ids(&app, "SELECT id FROM orders WHERE external_id = 'last'").await.len() == 1
            {
                return runs;
            }
        }
        runs
    });
    for n in 0..200 {
        let id = order(&format!("{n}")).line("TEA", 2, 700).line("TEA", 1, 650).place(&test).await;
        if n % 10 == 9 {
            test.run_jobs().await;
        }
        if n % 20 == 19 {
            let confirmed =
                ids(&test.app, "SELECT MAX(id) FROM orders WHERE status = 3 AND refunded = 0").await;
            crate::lived::refund(&test.app, confirmed[0], "some", domain::RefundRequest::Amount(70), false)
                .await;
        }
        if n % 40 == 0 {
            crate::lived::cancel(&test.app, id).await;
        }
    }
    order("last").line("TEA", 1, 700).place(&test).await;
    assert!(checking.await.unwrap() > 1);
    assert_clean(&run(&test.app, Scope::All).await.unwrap());
}

fn is(breach: &Breach, (rule, name, what): (u8, &str, &str)) -> bool {
    breach.rule == rule && breach.name.contains(name) && breach.what.starts_with(what)
}

fn assert_clean(report: &Report) {
    let breaches: Vec<String> = report.breaches().map(ToString::to_string).collect();
    assert_eq!(breaches, Vec::<String>::new());
    assert!(report.is_clean());
}

/// Changes the ledger by hand, against the database's own rules too.
async fn execute(app: &App, statements: &[&str]) {
    let statements: Vec<String> = statements.iter().map(ToString::to_string).collect();
    app.transaction("break", move |tx| {
        lift_checks(tx)?;
        for statement in &statements {
            let changed = tx.execute(statement, &[])?;
            assert!(changed > 0 || statement.starts_with("DROP"), "{statement} changes nothing");
        }
        Ok::<_, app::Error>(())
    })
    .await
    .unwrap();
}
