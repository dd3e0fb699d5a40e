//! Gateways that keep silent, lose calls and answers, or change their mind: nothing is lost, and nothing done twice.

use std::time::Duration;

use crate::gateway::{Fault, Faulty};
use crate::payments::{MINUTE, TOO_LATE, charged, overdue, silent, silent_with};
use crate::support::{TestApp, order};

#[tokio::test]
async fn a_gateway_that_never_calls_back_is_asked_before_stock_is_let_go() {
    // One charge is decided at once, one after an hour, one declined: nobody calls back about any.
    let test = silent().await;
    let captured = charged(&test, "captured").await;
    let test = test.restarted(|config| config.gateway.decline_rate = 1.0).await;
    let declined = charged(&test, "declined").await;
    let test = test
        .restarted(|config| {
            config.gateway.decline_rate = 0.0;
            config.gateway.latency = Duration::from_hours(1);
        })
        .await;
    let undecided = charged(&test, "undecided").await;
    test.clock.advance(Duration::from_secs(15 * 60 - 1));
    app::workers::wind(&test.app).await.unwrap();
    test.run_jobs().await;
    assert_eq!(test.state(undecided).await, "reserved pending unfulfilled 0-0-0");
    assert_eq!(test.level("TEA").await, (1_000, 12));
    overdue(&test).await;
    assert_eq!(test.state(captured).await, "confirmed paid unfulfilled 1000-0-0");
    assert_eq!(test.state(declined).await, "failed (declined) failed unfulfilled 0-0-0");
    assert_eq!(test.state(undecided).await, "failed (expired) failed unfulfilled 0-0-0");
    assert_eq!(test.told(undecided).await, ["expired"]);
    assert_eq!(test.level("TEA").await, (1_000, 4));
    // The gateway will not take the money either.
    test.run_jobs_after(Duration::from_hours(2)).await;
    assert_eq!(test.number("SELECT COUNT(*) FROM simulated_charges WHERE voided_at IS NOT NULL").await, 1);
    assert!(app::workers::is_idle(&test.app).await.unwrap());
    test.assert_clean().await;
}

#[tokio::test]
async fn an_order_cancelled_while_its_charge_is_decided_keeps_no_money() {
    // Cancelled before the gateway decides: called off. After: given back.
    for (latency, end) in [
        (MINUTE, "cancelled failed unfulfilled 0-0-0"),
        (Duration::ZERO, "cancelled refunded unfulfilled 1000-1000-0"),
    ] {
        let test = silent_with(|config| config.gateway.latency = latency).await;
        let id = charged(&test, "1").await;
        test.cancel(id).await.unwrap();
        test.run_jobs().await;
        test.run_jobs_after(TOO_LATE).await;
        assert_eq!(test.state(id).await, end);
        assert_eq!(test.level("TEA").await, (1_000, 0));
        assert!(app::workers::is_idle(&test.app).await.unwrap());
        test.assert_clean().await;
    }
}

#[tokio::test]
async fn a_charge_that_the_gateway_keeps_open_is_in_the_way_of_no_other() {
    let mut test = silent_with(|config| config.gateway.latency = Duration::from_hours(1)).await;
    let gateway = Faulty::before(&mut test);
    let (first, second) = (charged(&test, "1").await, charged(&test, "2").await);
    test.clock.advance(TOO_LATE);
    gateway.voids.then(&[Fault::Undecided]);
    assert_eq!(app::payments::settle_overdue(&test.app, 1).await.unwrap(), 0);
    assert_eq!(app::payments::settle_overdue(&test.app, 1).await.unwrap(), 1);
    assert_eq!(test.state(first).await, "reserved pending unfulfilled 0-0-0");
    assert_eq!(test.state(second).await, "failed (expired) failed unfulfilled 0-0-0");
    test.run_jobs().await;
    test.assert_clean().await;
    test.clock.advance(MINUTE);
    assert_eq!(app::payments::settle_overdue(&test.app, 1).await.unwrap(), 1);
    assert_eq!(test.state(first).await, "failed (expired) failed unfulfilled 0-0-0");
    test.run_jobs().await;
    test.assert_clean().await;
}

#[tokio::test]
async fn a_charge_that_arrives_after_it_was_called_off_is_called_off_again() {
    let mut test = silent_with(|config| config.gateway.latency = MINUTE).await;
    let gateway = Faulty::before(&mut test);
    let id = order("1").line("TEA", 4, 250).place(&test).await;
    // Between the look at the order and the call: cancelled, and called off at a gateway that knows nothing of it yet.
    let app = test.app.clone();
    gateway.before_charge(move || {
        let app = app.clone();
        async move {
            app::orders::cancel(&app, &app::Actor::CLI, id, None).await.unwrap();
            queue::drain(app.queue(), &app::jobs::registry(&app).unwrap()).await.unwrap();
        }
    });
    test.run_jobs().await;
    app::workers::wind(&test.app).await.unwrap();
    test.run_jobs().await;
    assert_eq!(test.number("SELECT COUNT(*) FROM simulated_charges WHERE voided_at IS NULL").await, 0);
    assert_eq!(test.state(id).await, "cancelled unpaid unfulfilled 0-0-0");
    assert!(app::workers::is_idle(&test.app).await.unwrap());
    test.assert_clean().await;
}

#[tokio::test]
async fn a_charge_that_the_gateway_would_not_call_off_is_asked_about_until_it_does() {
    let mut test = silent_with(|config| config.gateway.latency = MINUTE).await;
    let gateway = Faulty::before(&mut test);
    gateway.charges.then(&[Fault::Unanswered]);
    gateway.voids.then(&[Fault::Undecided, Fault::Unheard, Fault::Lasting, Fault::Undecided]);
    let id = charged(&test, "1").await;
    test.cancel(id).await.unwrap();
    for _ in 0..8 {
        test.run_jobs_after(Duration::from_secs(301)).await;
    }
    // It had captured the money by the time it answered.
    assert_eq!(test.state(id).await, "cancelled refunded unfulfilled 1000-1000-0");
    test.assert_clean().await;
}

#[tokio::test]
async fn a_gateway_with_faults_charges_each_order_once() {
    let mut test = TestApp::with(|_| ()).await;
    test.stock("TEA", "Tea", 1_000).await;
    let gateway = Faulty::before(&mut test);
    gateway.charges.then(&[
        Fault::Unheard,
        Fault::Unanswered,
        Fault::Lasting,
        Fault::Unanswered,
        Fault::Unheard,
    ]);
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(order(&n.to_string()).line("TEA", 1, 100).place(&test).await);
    }
    for _ in 0..10 {
        test.run_jobs_after(Duration::from_secs(31)).await;
    }
    for id in ids {
        assert_eq!(test.state(id).await, "confirmed paid unfulfilled 100-0-0");
    }
    assert_eq!(test.number("SELECT COUNT(*) FROM simulated_charges").await, 20);
    assert_eq!(test.number("SELECT SUM(amount) FROM simulated_charges").await, 2_000);
    test.assert_clean().await;
}

#[tokio::test]
async fn an_order_whose_gateway_gives_no_answer_in_time_fails_and_keeps_no_money() {
    for arrived in [Fault::Unanswered, Fault::Unheard] {
        let mut test = silent().await;
        let gateway = Faulty::before(&mut test);
        gateway.charges.then(&[arrived]);
        gateway.charges.then(&[Fault::Unheard; 100]);
        gateway.voids.then(&[Fault::Unheard; 3]);
        let id = charged(&test, "1").await;
        for _ in 0..40 {
            test.run_jobs_after(Duration::from_secs(31)).await;
        }
        assert_eq!(test.level("TEA").await, (1_000, 0), "{arrived:?}");
        for _ in 0..10 {
            test.run_jobs_after(Duration::from_secs(301)).await;
        }
        let end = match arrived {
            Fault::Unanswered => "failed (expired) refunded unfulfilled 1000-1000-0",
            _ => "failed (expired) failed unfulfilled 0-0-0",
        };
        assert_eq!(test.state(id).await, end);
        test.assert_clean().await;
    }
}

#[tokio::test]
async fn one_charge_that_cannot_be_asked_about_holds_up_no_other() {
    let mut test = silent_with(|config| config.gateway.latency = Duration::from_hours(1)).await;
    let gateway = Faulty::before(&mut test);
    let ids = [charged(&test, "1").await, charged(&test, "2").await];
    gateway.voids.then(&[Fault::FirstUnanswered, Fault::Lasting, Fault::Unheard, Fault::Undecided]);
    overdue(&test).await;
    let (held, gone) = ("reserved pending unfulfilled 0-0-0", "failed (expired) failed unfulfilled 0-0-0");
    let mut states = [test.state(ids[0]).await, test.state(ids[1]).await];
    states.sort();
    assert_eq!(states, [gone, held]);
    for _ in 0..5 {
        test.clock.advance(MINUTE);
        app::workers::wind(&test.app).await.unwrap();
        test.run_jobs().await;
    }
    for id in ids {
        assert_eq!(test.state(id).await, gone);
    }
    test.assert_clean().await;
}
