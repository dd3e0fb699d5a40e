//! Refunds: once for each key, within the caps of money and units, and with each unit of stock moved once.

use app::refunds::{Request, Restock};
use app::{Actor, App, Error};
use domain::{IdempotencyKey, OrderId, RefundRefused, RefundRequest};

use crate::gateway::{Fault, Faulty};
use crate::ledger::{at_once, units};
use crate::support::{TestApp, order};

/// A shop with 10 teas, and an order of 4 for 10.00 EUR each that is paid.
async fn paid() -> (TestApp, OrderId) {
    let test = TestApp::with(|_| ()).await;
    test.stock("TEA", "Tea", 10).await;
    let id = order("1").line("TEA", 4, 1_000).place(&test).await;
    test.run_jobs().await;
    (test, id)
}

async fn ship(test: &TestApp, id: OrderId, lines: Vec<(i64, i64)>) -> Result<(), Error> {
    let shipping = app::orders::Shipping { lines, ..app::orders::Shipping::default() };
    app::orders::ship(&test.app, &Actor::CLI, id, shipping).await.map(|_| ())
}

async fn ask(
    app: App,
    order: OrderId,
    key: String,
    what: RefundRequest,
) -> Result<app::refunds::Asked, Error> {
    let key = IdempotencyKey::parse(&key).unwrap();
    let request = Request { order, key, what, restock: true.into(), reason: None };
    app::refunds::request(&app, &Actor::CLI, request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_requests_at_once_with_one_key_are_one_refund() {
    let (test, id) = paid().await;
    let asked =
        at_once((0..50).map(|_| ask(test.app.clone(), id, "double-click".to_owned(), units(1)))).await;
    let asked: Vec<_> = asked.into_iter().map(Result::unwrap).collect();
    assert_eq!(asked.iter().filter(|asked| !asked.replayed).count(), 1);
    assert!(asked.iter().all(|one| one.refund.id == asked[0].refund.id));
    test.run_jobs().await;
    assert_eq!(test.state(id).await, "confirmed partially_refunded unfulfilled 4000-1000-0");
    // For ever: also when it was settled long ago.
    let again = ask(test.app.clone(), id, "double-click".to_owned(), units(1)).await.unwrap();
    assert!(again.replayed && again.refund.settled_at.is_some());
    assert_eq!(test.number("SELECT COUNT(*) FROM refunds").await, 1);
    assert_eq!(test.number("SELECT COUNT(*) FROM simulated_refunds").await, 1);
    test.run_jobs().await;
    test.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_refunds_at_once_never_give_back_more_than_was_captured() {
    let (test, id) = paid().await;
    let wish = |n: i64| if n % 2 == 0 { RefundRequest::Amount(300 + n) } else { units(1) };
    let asked = at_once((0..50).map(|n| ask(test.app.clone(), id, format!("k-{n}"), wish(n)))).await;
    let granted: i64 = asked.iter().flatten().map(|asked| asked.refund.amount.amount).sum();
    assert!((1..=4_000).contains(&granted), "{granted}");
    for refused in asked.iter().filter_map(|asked| asked.as_ref().err()) {
        assert!(matches!(refused, Error::RefundRefused(_) | Error::Refused(_)), "{refused}");
    }
    assert_eq!(test.state(id).await, format!("confirmed paid unfulfilled 4000-0-{granted}"));
    test.run_jobs().await;
    assert_eq!(test.number("SELECT SUM(amount) FROM simulated_refunds").await, granted);
    test.assert_clean().await;
}

/// What went back before counts from the moment it is asked for, not from when it is settled.
#[tokio::test]
async fn shipping_goes_back_once_and_an_amount_is_spread_over_what_lines_are_still_worth() {
    let test = TestApp::with(|_| ()).await;
    test.stock("TEA", "Tea", 10).await;
    test.stock("CUP", "Cup", 10).await;
    let id = order("1").line("TEA", 1, 1_000).line("CUP", 1, 3_000).shipping(500).place(&test).await;
    test.run_jobs().await;
    let with_shipping = |shipping| RefundRequest::Lines { lines: vec![(1, 1)], shipping };
    ask(test.app.clone(), id, "tea".to_owned(), with_shipping(500)).await.unwrap();
    for key in ["before-it-is-settled", "after-it"] {
        let again = RefundRequest::Lines { lines: Vec::new(), shipping: 1 };
        let refused = ask(test.app.clone(), id, key.to_owned(), again).await;
        assert!(
            matches!(refused, Err(Error::RefundRefused(RefundRefused::AboveShipping { .. }))),
            "{key}: {refused:?}"
        );
        test.run_jobs().await;
    }
    ask(test.app.clone(), id, "some".to_owned(), RefundRequest::Amount(600)).await.unwrap();
    let of_lines =
        "SELECT SUM(amount * (line_no = 2)) * 10000 + SUM(amount * (line_no = 1)) FROM refund_lines";
    assert_eq!(test.number(of_lines).await, 600 * 10_000 + 1_000);
    test.run_jobs().await;
    test.assert_clean().await;
}

#[tokio::test]
async fn a_key_stands_for_one_request_only() {
    let (test, id) = paid().await;
    let other = order("2").line("TEA", 1, 1_000).place(&test).await;
    test.run_jobs().await;
    let key = || "key".to_owned();
    ask(test.app.clone(), id, key(), units(1)).await.unwrap();
    for (order, what) in
        [(id, units(2)), (id, RefundRequest::Amount(1_000)), (id, RefundRequest::All), (other, units(1))]
    {
        let refused = ask(test.app.clone(), order, key(), what).await.unwrap_err();
        assert!(matches!(refused, Error::KeyReused { .. }), "{refused}");
    }
    assert_eq!(test.number("SELECT COUNT(*) FROM refunds").await, 1);
    assert_eq!(test.order(other).await.refund_pending.amount, 0);
    test.run_jobs().await;
    test.assert_clean().await;
}

#[tokio::test]
async fn goods_come_back_into_stock_of_those_lines_alone_that_say_so() {
    let test = TestApp::with(|_| ()).await;
    test.stock("TEA", "Tea", 10).await;
    test.stock("CUP", "Cup", 10).await;
    let id = order("1").line("TEA", 4, 1_000).line("CUP", 4, 500).place(&test).await;
    test.run_jobs().await;
    ship(&test, id, Vec::new()).await.unwrap();
    let request = |key: &str, restock| Request {
        order: id,
        key: IdempotencyKey::parse(key).unwrap(),
        what: RefundRequest::Lines { lines: vec![(1, 2), (2, 3)], shipping: 0 },
        restock,
        reason: None,
    };
    let cups = Restock::Lines([2].into());
    let first = app::refunds::request(&test.app, &Actor::CLI, request("k", cups.clone())).await.unwrap();
    let again = app::refunds::request(&test.app, &Actor::CLI, request("k", cups)).await.unwrap();
    assert_eq!(format!("{:?}", first.refund), format!("{:?}", again.refund), "what is told is what is kept");
    assert!(again.replayed);
    let other = app::refunds::request(&test.app, &Actor::CLI, request("k", Restock::All)).await.unwrap_err();
    assert!(matches!(other, Error::KeyReused { .. }), "{other}");
    test.run_jobs().await;
    let on_hand = async |sku: &'static str| {
        let product = test.app.read("product", move |tx| store::products::get_by_sku(tx, sku)).await.unwrap();
        product.on_hand
    };
    assert_eq!((on_hand("TEA").await, on_hand("CUP").await), (6, 9));
    test.assert_clean().await;
}

#[tokio::test]
async fn what_a_refund_would_give_back_is_told_before_it_is_asked_for() {
    let (test, id) = paid().await;
    let plan = app::refunds::preview(&test.app, id, units(3)).await.unwrap();
    assert_eq!((plan.amount, plan.units().total), (3_000, 3));
    let refused = app::refunds::preview(&test.app, id, units(5)).await.unwrap_err();
    assert!(matches!(refused, Error::RefundRefused(_)), "{refused}");
    assert_eq!(test.state(id).await, "confirmed paid unfulfilled 4000-0-0");
    test.assert_clean().await;
}

#[derive(Debug, Clone, Copy)]
enum Act {
    /// Units, and whether they come back into stock; the gateway pays at once.
    Refund(i64, bool),
    /// The same, with the gateway yet to be asked.
    Ask(i64, bool),
    /// Money alone.
    Money(i64),
    Ship(i64),
    Cancel,
    Deliver,
    /// The next act is refused.
    Not,
}
use Act::{Ask, Cancel, Deliver, Money, Not, Refund, Ship};

struct Case {
    acts: &'static [Act],
    state: &'static str,
    movements: &'static [&'static str],
    level: (i64, i64),
}

const CASES: &[Case] = &[
    Case {
        acts: &[Refund(4, true), Cancel],
        state: "cancelled refunded unfulfilled 4000-4000-0",
        movements: &["order reserve 4", "refund release 4"],
        level: (10, 0),
    },
    Case {
        acts: &[Refund(4, false), Cancel],
        state: "cancelled refunded unfulfilled 4000-4000-0",
        movements: &["order reserve 4", "refund release 4", "refund adjust -4"],
        level: (6, 0),
    },
    Case {
        acts: &[Cancel, Not, Refund(1, true)],
        state: "cancelled refunded unfulfilled 4000-4000-0",
        movements: &["order reserve 4", "order release 4"],
        level: (10, 0),
    },
    Case {
        acts: &[Refund(1, true), Cancel],
        state: "cancelled refunded unfulfilled 4000-4000-0",
        movements: &["order reserve 4", "order release 3", "refund release 1"],
        level: (10, 0),
    },
    Case {
        acts: &[Refund(1, false), Cancel],
        state: "cancelled refunded unfulfilled 4000-4000-0",
        movements: &["order reserve 4", "order release 3", "refund release 1", "refund adjust -1"],
        level: (9, 0),
    },
    Case {
        acts: &[Ask(1, true), Cancel],
        state: "cancelled refunded unfulfilled 4000-4000-0",
        movements: &["order reserve 4", "order release 4"],
        level: (10, 0),
    },
    Case {
        acts: &[Ask(4, true), Cancel],
        state: "cancelled refunded unfulfilled 4000-4000-0",
        movements: &["order reserve 4", "order release 4"],
        level: (10, 0),
    },
    Case {
        acts: &[Money(500), Cancel],
        state: "cancelled refunded unfulfilled 4000-4000-0",
        movements: &["order reserve 4", "order release 4"],
        level: (10, 0),
    },
    Case {
        acts: &[Ship(4), Refund(2, true), Not, Cancel],
        state: "confirmed partially_refunded shipped 4000-2000-0",
        movements: &["order reserve 4", "refund return 2", "shipment ship 4"],
        level: (8, 0),
    },
    Case {
        acts: &[Ship(4), Refund(2, false), Refund(2, true)],
        state: "confirmed refunded shipped 4000-4000-0",
        movements: &["order reserve 4", "refund return 2", "shipment ship 4"],
        level: (8, 0),
    },
    Case {
        acts: &[Ship(1), Refund(4, true)],
        state: "confirmed refunded shipped 4000-4000-0",
        movements: &["order reserve 4", "refund release 3", "refund return 1", "shipment ship 1"],
        level: (10, 0),
    },
    Case {
        acts: &[Ship(1), Refund(4, false)],
        state: "confirmed refunded shipped 4000-4000-0",
        movements: &["order reserve 4", "refund release 3", "refund adjust -3", "shipment ship 1"],
        level: (6, 0),
    },
    Case {
        acts: &[Ship(1), Not, Cancel, Ask(3, true), Not, Ship(1)],
        state: "confirmed partially_refunded shipped 4000-3000-0",
        movements: &["order reserve 4", "refund release 3", "shipment ship 1"],
        level: (9, 0),
    },
    Case {
        acts: &[Refund(2, true), Not, Ship(3), Ship(2), Not, Ship(1)],
        state: "confirmed partially_refunded shipped 4000-2000-0",
        movements: &["order reserve 4", "refund release 2", "shipment ship 2"],
        level: (8, 0),
    },
    Case {
        acts: &[Ask(2, true), Not, Ship(3), Ship(2)],
        state: "confirmed partially_refunded shipped 4000-2000-0",
        movements: &["order reserve 4", "refund release 2", "shipment ship 2"],
        level: (8, 0),
    },
    Case {
        acts: &[Ship(4), Deliver, Refund(3, true), Refund(1, true), Not, Refund(1, true)],
        state: "completed refunded returned 4000-4000-0",
        movements: &["order reserve 4", "refund return 3", "refund return 1", "shipment ship 4"],
        level: (10, 0),
    },
    Case {
        acts: &[Ship(4), Deliver, Refund(4, false), Not, Cancel],
        state: "completed refunded delivered 4000-4000-0",
        movements: &["order reserve 4", "shipment ship 4"],
        level: (6, 0),
    },
    Case {
        acts: &[Money(3_500), Not, Refund(1, true), Ship(4)],
        state: "confirmed partially_refunded shipped 4000-3500-0",
        movements: &["order reserve 4", "shipment ship 4"],
        level: (6, 0),
    },
];

async fn act(test: &TestApp, id: OrderId, key: &str, act: Act) -> Result<(), Error> {
    match act {
        Refund(count, restock) | Ask(count, restock) => {
            test.refund(id, key, units(count), restock).await?;
            if matches!(act, Refund(..)) {
                test.run_jobs().await;
            }
        }
        Money(amount) => {
            test.refund(id, key, RefundRequest::Amount(amount), true).await?;
            test.run_jobs().await;
        }
        Ship(count) => ship(test, id, vec![(1, count)]).await?,
        Cancel => test.cancel(id).await.map(|_| ())?,
        Deliver => app::orders::deliver(&test.app, &Actor::CLI, id).await.map(|_| ())?,
        Not => {}
    }
    Ok(())
}

#[tokio::test]
async fn refunds_shipments_and_cancellations_move_each_unit_once_in_whatever_order() {
    for case in CASES {
        let (test, id) = paid().await;
        let mut refused = false;
        for (n, one) in case.acts.iter().enumerate() {
            let done = act(&test, id, &format!("k{n}"), *one).await;
            assert_eq!(done.is_err(), refused, "{one:?} of {:?}: {done:?}", case.acts);
            refused = matches!(one, Not);
        }
        test.run_jobs().await;
        assert_eq!(test.state(id).await, case.state, "{:?}", case.acts);
        assert_eq!(test.movements(id).await, case.movements, "{:?}", case.acts);
        assert_eq!(test.level("TEA").await, case.level, "{:?}", case.acts);
        let refunded = test.order(id).await.refunded.amount;
        let kpis = test.kpis_of_all_time().await;
        assert_eq!((kpis.orders, kpis.units, kpis.gross.amount), (1, 4, 4_000), "{:?}", case.acts);
        assert_eq!(kpis.refunds.amount, refunded, "{:?}", case.acts);
        assert_eq!(kpis.cancelled, i64::from(case.state.starts_with("cancelled")), "{:?}", case.acts);
        for of in [analytics::BoardOf::Customers, analytics::BoardOf::Products] {
            let net: Vec<i64> = test.nets(of).await;
            assert_eq!(net, [4_000 - refunded], "{of:?} after {:?}", case.acts);
        }
        test.assert_clean().await;
    }
}

#[tokio::test]
async fn a_refund_that_the_gateway_refuses_frees_its_money_and_units() {
    let (mut test, id) = paid().await;
    let gateway = Faulty::before(&mut test);
    gateway.refunds.then(&[Fault::Refused]);
    let asked = test.refund(id, "refused", units(3), true).await.unwrap();
    assert!(ship(&test, id, vec![(1, 2)]).await.is_err(), "units of a refund under way were shipped");
    test.run_jobs().await;
    assert_eq!(test.state(id).await, "confirmed paid unfulfilled 4000-0-0");
    assert_eq!(test.movements(id).await, ["order reserve 4"]);
    assert_eq!(test.told(id).await, ["confirmation"]);
    let failed =
        test.number(format!("SELECT COUNT(*) FROM refunds WHERE id = {} AND status = 4", asked.refund.id));
    assert_eq!(failed.await, 1);
    ship(&test, id, vec![(1, 2)]).await.unwrap();
    test.refund(id, "all", RefundRequest::All, true).await.unwrap();
    test.run_jobs().await;
    assert_eq!(test.state(id).await, "confirmed refunded shipped 4000-4000-0");
    assert_eq!(test.level("TEA").await, (10, 0));
    test.assert_clean().await;
}

#[tokio::test]
async fn a_refund_without_an_answer_is_asked_for_again_and_paid_once() {
    let (mut test, id) = paid().await;
    let gateway = Faulty::before(&mut test);
    gateway.refunds.then(&[Fault::Unanswered, Fault::Unheard, Fault::Lasting, Fault::Unanswered]);
    test.refund(id, "k", units(1), true).await.unwrap();
    for _ in 0..3 {
        test.run_jobs_after(std::time::Duration::from_secs(301)).await;
        assert_eq!(test.state(id).await, "confirmed paid unfulfilled 4000-0-1000");
    }
    for _ in 0..3 {
        test.run_jobs_after(std::time::Duration::from_secs(301)).await;
    }
    assert_eq!(test.state(id).await, "confirmed partially_refunded unfulfilled 4000-1000-0");
    assert_eq!(test.number("SELECT SUM(refunded) FROM simulated_charges").await, 1_000);
    assert_eq!(test.movements(id).await, ["order reserve 4", "refund release 1"]);
    test.assert_clean().await;
}

#[tokio::test]
async fn the_cancellation_of_a_paid_order_that_the_gateway_will_not_refund_can_be_refunded_later() {
    let (mut test, id) = paid().await;
    let gateway = Faulty::before(&mut test);
    gateway.refunds.then(&[Fault::Refused]);
    test.cancel(id).await.unwrap();
    test.run_jobs().await;
    assert_eq!(test.state(id).await, "cancelled paid unfulfilled 4000-0-0");
    test.refund(id, "by-hand", RefundRequest::All, true).await.unwrap();
    test.run_jobs().await;
    assert_eq!(test.state(id).await, "cancelled refunded unfulfilled 4000-4000-0");
    assert_eq!(test.movements(id).await, ["order reserve 4", "order release 4"]);
    assert_eq!(test.level("TEA").await, (10, 0));
    test.assert_clean().await;
}
