//! The inbox of webhooks: each event once, each delivery with its verdict, and nothing from strangers.

use app::gateways::signature::{Headers, Secrets};
use app::gateways::simulator::EventType;
use app::payments::{Incoming, Standing};
use domain::{OrderId, Verdict};

use crate::ledger::at_once;
use crate::payments::{OWED, charged, incoming, key, silent};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn one_capture_delivered_fifty_times_at_once_is_applied_once() {
    let test = silent().await;
    let id = charged(&test, "1").await;
    let app = test.app.clone();
    let delivery = incoming(&test, "e", EventType::Captured, key(&test, id, 1), OWED);
    let receipts = at_once((0..50).map(|_| {
        let (app, delivery) = (app.clone(), delivery.clone());
        async move { app::payments::receive(&app, delivery).await.unwrap().verdict }
    }))
    .await;
    assert_eq!(receipts.iter().filter(|verdict| **verdict == Verdict::Applied).count(), 1);
    assert_eq!(receipts.iter().filter(|verdict| **verdict == Verdict::Duplicate).count(), 49);
    test.run_jobs().await;
    assert_eq!(test.state(id).await, "confirmed paid unfulfilled 1000-0-0");
    assert_eq!(test.movements(id).await, ["order reserve 4"]);
    assert_eq!(test.told(id).await, ["confirmation"]);
    assert_eq!(test.number("SELECT COUNT(*) FROM webhook_events").await, 1);
    assert_eq!(test.verdicts().await.len(), 50);
    test.assert_clean().await;
}

/// Deliveries that must do nothing, each with a part of the reason that is told.
fn forged(test: &TestApp, good: &Incoming) -> Vec<(Incoming, &'static str)> {
    let (secrets, now) = (test.app.secrets(), test.app.now());
    let with = |headers| Incoming { headers, ..good.clone() };
    let stranger = Secrets::new(&["somebody else's".to_owned()]);
    let signed_at = |seconds: i64| {
        let at = now.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        with(secrets.sign("e1", at, &good.body).unwrap())
    };
    let shouted = good.body.iter().map(u8::to_ascii_uppercase).collect();
    vec![
        (with(stranger.sign("e1", now, &good.body).unwrap()), "no signature"),
        (Incoming { body: shouted, ..good.clone() }, "no signature"),
        (with(Headers { id: "e2".to_owned(), ..good.headers.clone() }), "no signature"),
        (with(Headers { signature: String::new(), ..good.headers.clone() }), "no signature"),
        (signed_at(-301), "more than 5 minutes"),
        (signed_at(301), "more than 5 minutes"),
        (with(Headers { timestamp: "soon".to_owned(), ..good.headers.clone() }), "not a number"),
        (with(Headers { id: String::new(), ..good.headers.clone() }), "webhook-id"),
        (with(Headers { id: "e".repeat(129), ..good.headers.clone() }), "webhook-id"),
    ]
}

fn unreadable(test: &TestApp) -> Vec<(Incoming, &'static str)> {
    let bodies: [&[u8]; 5] =
        [b"\xff\x00 junk", b"{}", b"", b"[]", br#"{"type":"charge.captured","data":{"key":1}}"#];
    let signed = |(n, body): (usize, &&[u8])| Incoming {
        headers: test.app.secrets().sign(&format!("j{n}"), test.app.now(), body).unwrap(),
        body: body.to_vec(),
    };
    bodies.iter().enumerate().map(signed).map(|delivery| (delivery, "not a charge event")).collect()
}

fn not_ours(test: &TestApp, id: OrderId) -> Vec<(Incoming, &'static str)> {
    let nobody = OrderId::from_ledger(999_999);
    [
        (EventType::Captured, "somebody-000000000001-1".to_owned(), "no payment of ours"),
        (EventType::Captured, key(test, nobody, 1), "no payment of ours"),
        (EventType::Declined, key(test, id, 7), "no payment of ours"),
        (EventType::Pending, key(test, nobody, 1), "nothing follows"),
        (EventType::Unknown, key(test, id, 1), "no event of this type"),
    ]
    .into_iter()
    .enumerate()
    .map(|(n, (kind, key, reason))| (incoming(test, &format!("n{n}"), kind, key, OWED), reason))
    .collect()
}

#[tokio::test]
async fn what_is_not_genuine_or_not_ours_changes_nothing_and_is_told_why() {
    const INBOX: [&str; 3] = ["webhook_deliveries", "webhook_events", "id_sequences"];
    let test = silent().await;
    let id = charged(&test, "1").await;
    let before = test.dump(&INBOX).await;
    let good = incoming(&test, "e1", EventType::Captured, key(&test, id, 1), OWED);
    let mut told = 0;
    for (cases, standing, verdict) in [
        (forged(&test, &good), Standing::NotGenuine, Verdict::Rejected),
        (unreadable(&test), Standing::Unreadable, Verdict::Rejected),
        (not_ours(&test, id), Standing::Event, Verdict::Ignored),
    ] {
        for (delivery, reason) in cases {
            let receipt = app::payments::receive(&test.app, delivery).await.unwrap();
            assert_eq!((receipt.standing, receipt.verdict), (standing, verdict), "{reason}");
            assert!(receipt.reason.as_ref().unwrap().contains(reason), "{reason}: {:?}", receipt.reason);
            told += 1;
        }
    }
    assert_eq!(test.dump(&INBOX).await, before);
    assert_eq!(test.verdicts().await.len(), told);
    // What was forged took nothing from the real event.
    assert_eq!(app::payments::receive(&test.app, good.clone()).await.unwrap().verdict, Verdict::Applied);
    app::payments::receive(&test.app, good).await.unwrap();
    let story = app::orders::story(&test.app, id).await.unwrap();
    let told: Vec<Verdict> = story.webhooks.iter().map(|delivery| delivery.verdict).collect();
    assert_eq!(told, [Verdict::Ignored, Verdict::Applied, Verdict::Duplicate], "what is about the order");
    test.run_jobs().await;
    test.assert_clean().await;
}
