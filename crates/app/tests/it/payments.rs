//! What a gateway tells, late, twice, out of order or never, and what becomes of orders and money.

use std::time::Duration;

use app::gateways::RefundAnswer;
use app::gateways::simulator::{Callback, CallbackData, EventType};
use app::payments::{Incoming, Receipt};
use domain::{Currency, Money, OrderId, RefundRequest, Verdict};

use crate::gateway::{Fault, Faulty};
use crate::ledger::permutations;
use crate::support::{TestApp, order};

pub const MINUTE: Duration = Duration::from_mins(1);
/// Longer than stock is held for.
pub const TOO_LATE: Duration = Duration::from_mins(16);

/// An order of one line of 4 × 2.50 EUR, whose charge the gateway has and keeps silent about.
pub async fn charged(test: &TestApp, number: &str) -> OrderId {
    let id = order(number).line("TEA", 4, 250).place(test).await;
    test.run_jobs().await;
    id
}

/// A shop whose gateway accepts every charge and never calls back.
pub async fn silent() -> TestApp {
    silent_with(|_| ()).await
}

pub async fn silent_with(change: impl FnOnce(&mut app::config::Config)) -> TestApp {
    let test = TestApp::with(|config| {
        config.gateway.silence_rate = 1.0;
        change(config);
    })
    .await;
    test.stock("TEA", "Tea", 1_000).await;
    test
}

pub const OWED: Money = Money { amount: 1_000, currency: Currency::EUR };

pub fn incoming(test: &TestApp, event: &str, kind: EventType, key: String, amount: Money) -> Incoming {
    let data = CallbackData { key, reference: "ch_1".to_owned(), amount, reason: None };
    let body = serde_json::to_vec(&Callback { kind, data }).unwrap();
    let headers = test.app.secrets().sign(event, test.app.now(), &body).unwrap();
    Incoming { headers, body }
}

pub fn key(test: &TestApp, order: OrderId, attempt: u32) -> String {
    format!("{}-{:012}-{attempt}", test.app.instance(), order.get())
}

pub async fn tell(test: &TestApp, event: &str, kind: EventType, order: OrderId, amount: Money) -> Receipt {
    tell_of(test, event, kind, key(test, order, 1), amount).await
}

pub async fn tell_of(test: &TestApp, event: &str, kind: EventType, key: String, amount: Money) -> Receipt {
    app::payments::receive(&test.app, incoming(test, event, kind, key, amount)).await.unwrap()
}

/// All that is left of an order and its payment but times, ids, and who told it.
async fn outcome(test: &TestApp, id: OrderId) -> Vec<String> {
    let mut all = vec![test.state(id).await];
    let payments = "SELECT 'payment ' || status || ' ' || captured FROM payments WHERE order_id = ";
    let refunds = "SELECT 'refund ' || status || ' ' || amount FROM refunds WHERE order_id = ";
    let events = "SELECT 'event ' || kind || ' ' || after_state FROM order_events WHERE order_id = ";
    for sql in [payments, refunds, events] {
        all.extend(test.texts(format!("{sql}{id} ORDER BY 1")).await);
    }
    all.extend(test.movements(id).await);
    all.extend(test.told(id).await);
    all
}

pub async fn overdue(test: &TestApp) {
    test.clock.advance(TOO_LATE);
    app::workers::wind(&test.app).await.unwrap();
    test.run_jobs_after(Duration::ZERO).await;
}

#[tokio::test]
async fn the_events_of_a_charge_end_the_same_in_whatever_order_they_come() {
    let test = silent().await;
    let captured = [
        ("p", EventType::Pending),
        ("a", EventType::Captured),
        ("a", EventType::Captured),
        ("b", EventType::Captured),
    ];
    let declined = [
        ("p", EventType::Pending),
        ("a", EventType::Declined),
        ("b", EventType::Declined),
        ("q", EventType::Pending),
    ];
    for (name, events, end) in [
        ("c", captured, "confirmed paid unfulfilled 1000-0-0"),
        ("d", declined, "failed (declined) failed unfulfilled 0-0-0"),
    ] {
        let mut first: Option<Vec<String>> = None;
        for (n, told) in permutations(&events).into_iter().enumerate() {
            let id = charged(&test, &format!("{name}-{n}")).await;
            for (event, kind) in &told {
                tell(&test, &format!("{name}-{n}-{event}"), *kind, id, OWED).await;
            }
            test.run_jobs().await;
            let found = outcome(&test, id).await;
            assert_eq!(found[0], end, "{told:?}");
            assert_eq!(found, *first.get_or_insert_with(|| found.clone()), "{told:?}");
        }
    }
    test.assert_clean().await;
}

#[tokio::test]
async fn events_that_contradict_each_other_leave_no_money_with_a_dead_order() {
    let test = silent().await;
    let events = [
        ("p", EventType::Pending),
        ("a", EventType::Captured),
        ("b", EventType::Captured),
        ("d", EventType::Declined),
    ];
    let mut outcomes = std::collections::BTreeMap::<bool, Vec<String>>::new();
    for (n, told) in permutations(&events).into_iter().enumerate() {
        let id = charged(&test, &format!("{n}")).await;
        for (event, kind) in &told {
            tell(&test, &format!("{n}-{event}"), *kind, id, OWED).await;
        }
        test.run_jobs().await;
        let place = |wanted: EventType| told.iter().position(|(_, kind)| *kind == wanted).unwrap();
        let died = place(EventType::Declined) < place(EventType::Captured);
        let found = outcome(&test, id).await;
        let end = if died {
            "failed (declined) refunded unfulfilled 1000-1000-0"
        } else {
            "confirmed paid unfulfilled 1000-0-0"
        };
        assert_eq!(found[0], end, "{told:?}");
        assert_eq!(found, *outcomes.entry(died).or_insert_with(|| found.clone()), "{told:?}");
    }
    test.assert_clean().await;
}

#[tokio::test]
async fn money_that_comes_after_an_order_died_goes_back_and_stays_out_of_the_figures() {
    let test = silent_with(|config| config.gateway.latency = Duration::from_hours(1)).await;
    let declined = charged(&test, "declined").await;
    let cancelled = charged(&test, "cancelled").await;
    let expired = charged(&test, "expired").await;
    tell(&test, "d", EventType::Declined, declined, OWED).await;
    test.cancel(cancelled).await.unwrap();
    overdue(&test).await;
    // The bank took the money all the same.
    test.execute("UPDATE simulated_charges SET voided_at = NULL").await;
    test.clock.advance(Duration::from_hours(1));
    for (id, end) in [
        (declined, "failed (declined) refunded unfulfilled 1000-1000-0"),
        (cancelled, "cancelled refunded unfulfilled 1000-1000-0"),
        (expired, "failed (expired) refunded unfulfilled 1000-1000-0"),
    ] {
        let receipt = tell(&test, &format!("late-{id}"), EventType::Captured, id, OWED).await;
        assert_eq!(receipt.verdict, Verdict::Applied);
        assert!(receipt.reason.unwrap().contains("the money goes back"));
        test.run_jobs().await;
        assert_eq!(test.state(id).await, end);
        assert!(test.told(id).await.contains(&"refunded".to_owned()));
        let late = format!("SELECT COUNT(*) FROM order_events WHERE kind = 16 AND order_id = {id}");
        assert_eq!(test.number(late).await, 1);
    }
    assert_eq!(test.level("TEA").await, (1_000, 0));
    let kpis = test.kpis_of_all_time().await;
    assert_eq!((kpis.orders, kpis.gross.amount, kpis.refunds.amount), (0, 0, 0));
    assert_eq!((kpis.failed, kpis.cancelled), (2, 1));
    test.assert_clean().await;
}

#[tokio::test]
async fn money_of_another_amount_or_currency_never_confirms() {
    let mut test = silent_with(|config| config.gateway.latency = MINUTE).await;
    let gateway = Faulty::before(&mut test);
    let id = charged(&test, "1").await;
    for (n, wrong) in [
        Money { amount: 999, ..OWED },
        Money { amount: 1_001, ..OWED },
        Money { currency: Currency::GBP, ..OWED },
        Money { amount: -1_000, ..OWED },
        Money { amount: 0, ..OWED },
    ]
    .into_iter()
    .enumerate()
    {
        let receipt = tell(&test, &format!("w{n}"), EventType::Captured, id, wrong).await;
        assert_eq!(receipt.verdict, Verdict::Rejected, "{wrong}");
        assert!(receipt.reason.unwrap().contains("10.00 EUR is owed"));
        assert_eq!(test.state(id).await, "reserved pending unfulfilled 0-0-0");
    }
    // The right money after all.
    assert_eq!(tell(&test, "r", EventType::Captured, id, OWED).await.verdict, Verdict::Applied);
    assert_eq!(test.state(id).await, "confirmed paid unfulfilled 1000-0-0");

    // Asked at the deadline, the gateway has wrong money: the stock is not held for it for ever.
    let stuck = charged(&test, "2").await;
    gateway.voids.then(&[Fault::Captured(Money { amount: 1, ..OWED })]);
    overdue(&test).await;
    assert_eq!(test.state(stuck).await, "failed (expired) failed unfulfilled 0-0-0");
    let told = format!("SELECT COUNT(*) FROM order_events WHERE kind = 17 AND order_id = {stuck}");
    assert_eq!(test.number(told.as_str()).await, 1);
    overdue(&test).await;
    assert_eq!(test.number(told).await, 1, "the same wrong money was told of again");
    assert_eq!(test.level("TEA").await, (1_000, 4));
    test.assert_clean().await;
}

#[tokio::test]
async fn a_second_capture_goes_back_and_a_refund_takes_the_first() {
    second_capture(MINUTE).await;
    // In one moment, as events that are taken over together.
    second_capture(Duration::ZERO).await;
}

async fn second_capture(later: Duration) {
    let test = silent_with(|config| config.gateway.payment_attempts = 2).await;
    let id = charged(&test, "1").await;
    tell(&test, "d1", EventType::Declined, id, OWED).await;
    test.run_jobs().await;
    assert_eq!(test.state(id).await, "reserved pending unfulfilled 0-0-0");
    tell_of(&test, "c2", EventType::Captured, key(&test, id, 2), OWED).await;
    test.clock.advance(later);
    // The first attempt was captured after all, under both charges the bank took money.
    let late = tell(&test, "c1", EventType::Captured, id, OWED).await;
    assert_eq!(late.verdict, Verdict::Applied);
    test.run_jobs().await;
    assert_eq!(test.state(id).await, "confirmed paid unfulfilled 2000-1000-0");
    test.refund(id, "all", RefundRequest::All, true).await.unwrap();
    test.run_jobs().await;
    assert_eq!(test.state(id).await, "confirmed refunded unfulfilled 2000-2000-0");
    let given = "SELECT '' || refunded FROM simulated_charges ORDER BY charge_key";
    let given = test.texts(given).await;
    assert_eq!(given, ["1000", "1000"]);
    let kpis = test.kpis_of_all_time().await;
    assert_eq!((kpis.orders, kpis.gross.amount, kpis.refunds.amount), (1, 1_000, 1_000));
    test.assert_clean().await;
}

#[tokio::test]
async fn a_declined_charge_is_tried_again_as_often_as_the_shop_says() {
    let test = silent_with(|config| config.gateway.payment_attempts = 2).await;
    let paid = charged(&test, "paid").await;
    tell(&test, "a1", EventType::Declined, paid, OWED).await;
    test.run_jobs().await;
    // A decline of the attempt before, under another event's id, says nothing of the one that is open.
    assert_eq!(tell(&test, "a1-again", EventType::Declined, paid, OWED).await.verdict, Verdict::Stale);
    assert_eq!(test.state(paid).await, "reserved pending unfulfilled 0-0-0");
    let second = key(&test, paid, 2);
    assert_eq!(tell_of(&test, "a2", EventType::Captured, second, OWED).await.verdict, Verdict::Applied);
    assert_eq!(test.state(paid).await, "confirmed paid unfulfilled 1000-0-0");

    let lost = charged(&test, "lost").await;
    tell(&test, "b1", EventType::Declined, lost, OWED).await;
    test.run_jobs().await;
    let second = key(&test, lost, 2);
    assert_eq!(tell_of(&test, "b2", EventType::Declined, second, OWED).await.verdict, Verdict::Applied);
    test.run_jobs().await;
    assert_eq!(test.state(lost).await, "failed (declined) failed unfulfilled 0-0-0");
    assert_eq!(test.told(lost).await, ["payment_failed"]);
    assert_eq!(test.number(format!("SELECT COUNT(*) FROM payments WHERE order_id = {lost}")).await, 2);
    assert_eq!(test.level("TEA").await, (1_000, 4));
    test.assert_clean().await;
}

#[tokio::test]
async fn the_simulated_gateway_gives_no_more_back_than_it_took_and_once_for_each_key() {
    let test = silent().await;
    let order = charged(&test, "1").await;
    test.clock.advance(MINUTE);
    let of = |charge_key: String| {
        move |key: &str, amount| {
            let (key, charge_key) = (key.to_owned(), charge_key.clone());
            app::gateways::RefundRequest { key, charge_key, amount: Money { amount, ..OWED } }
        }
    };
    let (wish, lost) = (of(key(&test, order, 1)), of("nobody's".to_owned()));
    let gives_back = async |wishes| {
        let answers = test.app.gateway().refund(wishes).await.into_iter();
        let said = answers.map(|answer| match answer.unwrap() {
            RefundAnswer::Succeeded { reference } => reference,
            RefundAnswer::Refused { reason } => reason,
        });
        said.collect::<Vec<_>>()
    };
    let first = vec![wish("a", 600), wish("a", 600), wish("b", 500), wish("c", 400), lost("d", 1)];
    let charge = key(&test, order, 1);
    assert_eq!(
        gives_back(first).await,
        [
            "re_a",
            "re_a",
            &format!("the charge {charge} has only 400 minor units left"),
            "re_c",
            "there is no charge nobody's"
        ]
    );
    let again = vec![wish("c", 400), wish("e", 1), wish("a", 600)];
    let spent = format!("the charge {charge} has only 0 minor units left");
    assert_eq!(gives_back(again).await, ["re_c", &spent, "re_a"]);
    assert_eq!(test.number("SELECT SUM(amount) FROM simulated_refunds").await, 1_000);
    assert_eq!(test.number("SELECT refunded FROM simulated_charges").await, 1_000);
}
