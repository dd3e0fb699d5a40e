//! Random lives of a paid order: whatever is done in whatever order, the caps hold and nothing drifts.

use app::orders::Shipping;
use app::{Actor, Error};
use domain::{OrderId, RefundRequest};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::gateway::{Fault, Faulty};
use crate::support::{TestApp, order};

#[derive(Debug, Clone)]
enum Deed {
    Refund(RefundRequest, bool),
    Ship(Vec<(i64, i64)>),
    Cancel,
    Deliver,
    /// Jobs run; the gateway refuses the refunds that wait for it.
    GatewayRefuses,
    /// Jobs run; the gateway carries refunds out and its answer is lost.
    AnswerLost,
    Work,
}

fn lines() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((1..=3_i64, 1..=4_i64), 1..3)
}

fn deed() -> impl Strategy<Value = Deed> {
    let request = prop_oneof![
        3 => (1..4_000_i64).prop_map(RefundRequest::Amount),
        5 => (lines(), 0..300_i64).prop_map(|(lines, shipping)| RefundRequest::Lines { lines, shipping }),
        1 => Just(RefundRequest::All),
    ];
    prop_oneof![
        6 => (request, any::<bool>()).prop_map(|(what, restock)| Deed::Refund(what, restock)),
        2 => lines().prop_map(Deed::Ship),
        1 => Just(Deed::Ship(Vec::new())),
        1 => Just(Deed::Cancel),
        1 => Just(Deed::Deliver),
        1 => Just(Deed::GatewayRefuses),
        1 => Just(Deed::AnswerLost),
        3 => Just(Deed::Work),
    ]
}

/// What a life has granted, reckoned beside the ledger.
#[derive(Debug, Default)]
struct Granted {
    pending: i64,
    paid: i64,
}

async fn live(test: &TestApp, gateway: &Faulty, id: OrderId, deeds: &[Deed]) {
    let mut granted = Granted::default();
    for (n, deed) in deeds.iter().enumerate() {
        let done: Result<(), Error> = match deed {
            Deed::Refund(what, restock) => {
                let asked = test.refund(id, &format!("k{n}"), what.clone(), *restock).await;
                asked.map(|asked| granted.pending += asked.refund.amount.amount)
            }
            Deed::Ship(lines) => {
                let shipping = Shipping { lines: lines.clone(), ..Shipping::default() };
                app::orders::ship(&test.app, &Actor::CLI, id, shipping).await.map(|_| ())
            }
            Deed::Cancel => {
                let left = test.order(id).await.captured.amount - granted.pending - granted.paid;
                test.cancel(id).await.map(|_| granted.pending += left)
            }
            Deed::Deliver => app::orders::deliver(&test.app, &Actor::CLI, id).await.map(|_| ()),
            Deed::GatewayRefuses | Deed::AnswerLost | Deed::Work => {
                work(test, gateway, deed, &mut granted).await;
                Ok(())
            }
        };
        if let Err(error) = done {
            let is_told = matches!(error, Error::Refused(_) | Error::RefundRefused(_) | Error::Invalid(_));
            assert!(is_told, "{deed:?}: {error}");
        }
        let row = test.order(id).await;
        assert_eq!(
            (row.refunded.amount, row.refund_pending.amount),
            (granted.paid, granted.pending),
            "{deed:?}"
        );
        assert!(granted.paid + granted.pending <= row.captured.amount, "{deed:?}: {granted:?}");
    }
}

async fn work(test: &TestApp, gateway: &Faulty, deed: &Deed, granted: &mut Granted) {
    let waits = granted.pending > 0;
    match deed {
        Deed::GatewayRefuses if waits => {
            // The batch is asked about in one call.
            gateway.refunds.then(&[Fault::Refused]);
            granted.pending = 0;
        }
        Deed::AnswerLost if waits => gateway.refunds.then(&[Fault::Unanswered]),
        _ => {}
    }
    for _ in 0..2 {
        test.run_jobs_after(std::time::Duration::from_secs(301)).await;
    }
    granted.paid += std::mem::take(&mut granted.pending);
}

#[test]
fn refunds_stay_within_money_and_units_whatever_is_done_in_between() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut test = runtime.block_on(async {
        let test = TestApp::with(|_| ()).await;
        for sku in ["TEA", "CUP"] {
            test.stock(sku, sku, 100_000).await;
        }
        test
    });
    let gateway = Faulty::before(&mut test);
    let number = std::sync::atomic::AtomicU32::new(0);
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let deeds = prop::collection::vec(deed(), 1..14);
    let ran = runner.run(&(deeds, 0..400_i64, 0..300_i64), |(deeds, discount, shipping)| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        runtime.block_on(async {
            let order =
                order(&number.to_string()).line("TEA", 3, 333).line("CUP", 2, 1_001).line("TEA", 4, 50);
            let id = order.discount(discount).shipping(shipping).place(&test).await;
            test.run_jobs().await;
            live(&test, &gateway, id, &deeds).await;
            for _ in 0..2 {
                test.run_jobs_after(std::time::Duration::from_secs(301)).await;
            }
            test.assert_clean().await;
        });
        Ok(())
    });
    ran.unwrap();
}
