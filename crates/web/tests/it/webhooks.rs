//! The webhook inbox over HTTP: what is answered, what is recorded, what follows.

use std::time::Duration;

use app::config::GatewaySettings;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Callback, PRICE, SECRET, Shop, client, silent};

const CAPTURED: &str = "charge.captured";
const DECLINED: &str = "charge.declined";
const PENDING: &str = "charge.pending";

async fn shop() -> Shop {
    let shop = Shop::open(silent()).await;
    shop.stock(1_000).await;
    shop
}

#[tokio::test]
async fn each_genuine_event_gets_a_verdict() {
    let shop = shop().await;
    let order = shop.place_reserved(1).await;

    assert_eq!(shop.verdict(&shop.callback(order, "e0", PENDING)).await, "ignored");
    assert_eq!(shop.verdict(&shop.callback(order, "e1", CAPTURED)).await, "applied");
    assert_eq!(shop.status(order).await, "confirmed/paid");

    let (_, again) = shop.deliver(&shop.callback(order, "e1", CAPTURED)).await;
    assert_eq!(again, json!({"verdict": "duplicate", "reason": "this event was received before"}));
    assert_eq!(shop.verdict(&shop.callback(order, "e2", CAPTURED)).await, "stale");
    assert_eq!(shop.verdict(&shop.callback(order, "e3", DECLINED)).await, "stale");
    assert_eq!(shop.verdict(&shop.callback(order, "e4", PENDING)).await, "stale");
    assert_eq!(shop.verdict(&shop.callback(order, "e5", "charge.disputed")).await, "ignored");

    assert_eq!(shop.status(order).await, "confirmed/paid");
    assert_eq!(shop.count_deliveries().await, 7);
    assert_eq!(shop.count_verdict("applied").await, 1);
}

#[tokio::test]
async fn an_event_about_nobodys_payment_is_ignored() {
    let shop = shop().await;
    let order = shop.place_reserved(1).await;
    for foreign in ["another-000000000001-1", "", "\u{0}", &format!("{}-000000009999-1", shop.app.instance())]
    {
        let mut callback = shop.callback(order, &format!("e-{}", foreign.len()), CAPTURED);
        let data = json!({"key": foreign, "reference": "ch", "amount": 1, "currency": "EUR"});
        callback.body = json!({"type": CAPTURED, "data": data}).to_string();
        assert_eq!(shop.verdict(&callback).await, "ignored", "{foreign:?}");
    }
    assert_eq!(shop.status(order).await, "reserved/pending");
}

#[tokio::test]
async fn what_is_not_signed_by_us_in_time_is_refused_and_recorded() {
    let shop = shop().await;
    let order = shop.place_reserved(1).await;
    let sound = shop.callback(order, "e1", CAPTURED);
    let seconds = |seconds: i64| sound.at + jiff::SignedDuration::from_secs(seconds);
    let wrong = [
        ("another secret", Callback { secret: "someone".to_owned(), ..sound.clone() }, "no signature"),
        ("too old", Callback { at: seconds(-301), ..sound.clone() }, "more than 5 minutes"),
        ("too new", Callback { at: seconds(301), ..sound.clone() }, "more than 5 minutes"),
        ("an endless id", Callback { id: "x".repeat(129), ..sound.clone() }, "`webhook-id`"),
    ];
    for (name, callback, why) in &wrong {
        let response = shop.send(callback).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{name}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert!(response.headers().contains_key("www-authenticate"));
        let problem: serde_json::Value = response.json().await.unwrap();
        assert_eq!(problem["type"], "urn:ordermill:problem:webhook-not-genuine", "{name}");
        assert!(problem["detail"].as_str().unwrap().contains(why), "{name}: {problem}");
    }
    assert_eq!(shop.count_verdict("rejected").await, wrong.len() as i64);
    assert_eq!(shop.status(order).await, "reserved/pending");

    let at_the_edge = Callback { at: seconds(-300), ..sound };
    assert_eq!(
        shop.verdict(&at_the_edge).await,
        "applied",
        "a refused delivery uses its event's id up for nobody"
    );
}

#[tokio::test]
async fn a_delivery_without_its_headers_is_refused() {
    let shop = shop().await;
    let url = format!("{}/api/webhooks/payments", shop.url);
    let response = client().post(url).body("{}").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(shop.count_verdict("rejected").await, 1);
}

#[tokio::test]
async fn a_changed_body_is_refused() {
    let shop = shop().await;
    let order = shop.place_reserved(1).await;
    let Callback { id, body, at, secret } = shop.callback(order, "e1", CAPTURED);
    let signed = app::gateways::signature::Secrets::new(&[secret]).sign(&id, at, body.as_bytes()).unwrap();
    let response = client()
        .post(format!("{}/api/webhooks/payments", shop.url))
        .header("webhook-id", id)
        .header("webhook-timestamp", signed.timestamp)
        .header("webhook-signature", signed.signature)
        .body(body.replace("2500", "2501"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(shop.status(order).await, "reserved/pending");
}

#[tokio::test]
async fn both_secrets_are_taken_while_they_are_exchanged() {
    let webhook_secrets = vec!["the new one".to_owned(), SECRET.to_owned()];
    let shop = Shop::open(GatewaySettings { webhook_secrets, ..silent() }).await;
    shop.stock(10).await;
    let orders = [shop.place_reserved(1).await, shop.place_reserved(2).await];
    for (order, secret) in orders.into_iter().zip(["the new one", SECRET]) {
        let event = format!("e-{order}");
        let callback = Callback { secret: secret.to_owned(), ..shop.callback(order, &event, CAPTURED) };
        assert_eq!(shop.verdict(&callback).await, "applied", "{secret}");
    }
}

#[tokio::test]
async fn a_genuine_body_that_holds_no_event_is_a_bad_request() {
    let shop = shop().await;
    let order = shop.place_reserved(1).await;
    let sound = shop.callback(order, "e1", CAPTURED);
    let key = shop.charge_key(order);
    let bodies = [
        "not JSON".to_owned(),
        String::new(),
        "[]".to_owned(),
        json!({"type": CAPTURED}).to_string(),
        json!({"type": CAPTURED, "data": {"key": key, "reference": "r", "amount": "25.00", "currency": "EUR"}})
            .to_string(),
        json!({"type": CAPTURED, "data": {"key": key, "reference": "r", "amount": 1, "currency": "Euro"}})
            .to_string(),
        "[".repeat(60_000),
    ];
    for body in &bodies {
        let (status, problem) = shop.deliver(&Callback { body: body.clone(), ..sound.clone() }).await;
        let start: String = body.chars().take(80).collect();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{start}");
        assert_eq!(problem["type"], "urn:ordermill:problem:webhook-unreadable", "{start}");
    }
    assert_eq!(shop.count_verdict("rejected").await, bodies.len() as i64);
    assert_eq!(
        shop.verdict(&sound).await,
        "applied",
        "an unreadable delivery uses its event's id up for nobody"
    );
}

#[tokio::test]
async fn a_capture_of_another_amount_is_kept_and_confirms_nothing() {
    let shop = shop().await;
    let order = shop.place_reserved(1).await;
    let mut callback = shop.callback(order, "e1", CAPTURED);
    callback.body = callback.body.replace(&(2 * PRICE).to_string(), "1");
    let (status, answer) = shop.deliver(&callback).await;
    assert_eq!((status, answer["verdict"].as_str()), (StatusCode::OK, Some("rejected")), "{answer}");
    assert_eq!(shop.status(order).await, "reserved/pending");
    assert_eq!(shop.verdict(&callback).await, "duplicate");
}

#[tokio::test]
async fn a_body_beyond_64_kib_is_not_read() {
    let shop = shop().await;
    let order = shop.place_reserved(1).await;
    let mut callback = shop.callback(order, "e1", CAPTURED);
    callback.body.extend(std::iter::repeat_n(' ', 64 * 1024 - callback.body.len()));
    assert_eq!(shop.verdict(&callback).await, "applied");
    callback.body.push(' ');
    let (status, problem) = shop.deliver(&callback).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(problem["detail"], "the body is larger than 65536 bytes, the most this address takes");
    assert_eq!(shop.count_deliveries().await, 1);
}

#[tokio::test]
async fn a_flood_of_forgeries_is_recorded_up_to_a_limit_and_harms_no_genuine_event() {
    let shop = shop().await;
    let order = shop.place_reserved(1).await;
    let sound = shop.callback(order, "e1", CAPTURED);
    let forged = Callback { secret: "someone".to_owned(), ..sound.clone() };
    let mut refused = 0;
    for _ in 0..60 {
        let response = shop.send(&forged).await;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(response.headers()["retry-after"], "1");
            refused += 1;
        } else {
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        }
    }
    assert_eq!(refused, 10);
    assert_eq!(shop.count_deliveries().await, 50);
    assert_eq!(shop.verdict(&sound).await, "applied");
    shop.clock.advance(Duration::from_secs(1));
    assert_eq!(shop.deliver(&forged).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_capture_delivered_fifty_times_at_once_confirms_once() {
    let shop = std::sync::Arc::new(shop().await);
    let order = shop.place_reserved(1).await;
    let mut deliveries = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let shop = std::sync::Arc::clone(&shop);
        let callback = shop.callback(order, "e1", CAPTURED);
        deliveries.spawn(async move { shop.verdict(&callback).await });
    }
    let mut verdicts = deliveries.join_all().await;
    verdicts.sort();
    assert_eq!(verdicts[0], "applied");
    assert!(verdicts[1..].iter().all(|verdict| verdict == "duplicate"), "{verdicts:?}");

    shop.work().await;
    let row = shop.order(order).await.row;
    assert_eq!((row.status, row.captured.amount), ("confirmed", 2 * PRICE));
    assert_eq!(shop.count_events(order, "order_confirmed").await, 1);
    let mugs = shop.mugs().await;
    assert_eq!((mugs.on_hand, mugs.reserved), (1_000, 2));
    assert_eq!(shop.count_deliveries().await, 50);
}

#[tokio::test]
async fn a_charges_events_end_the_same_in_every_order() {
    let shop = shop().await;
    let stories = [
        (CAPTURED, "confirmed/paid", "order_confirmed", 2),
        (DECLINED, "failed/failed", "payment_declined", 0),
    ];
    let mut number = 0;
    for (decision, end, event, held) in stories {
        // The decision twice under one id, once more under another, and the news before it.
        let events = [("0", PENDING), ("1", decision), ("1", decision), ("2", decision)];
        for story in permutations(&events) {
            number += 1;
            let before = shop.mugs().await;
            let order = shop.place_reserved(number).await;
            let mut applied = 0;
            for (id, kind) in &story {
                let callback = shop.callback(order, &format!("{order}-{id}"), kind);
                applied += usize::from(shop.verdict(&callback).await == "applied");
            }
            shop.work().await;
            assert_eq!(shop.status(order).await, end, "{story:?}");
            assert_eq!(applied, 1, "{story:?}");
            assert_eq!(shop.count_events(order, event).await, 1, "{story:?}");
            let after = shop.mugs().await;
            assert_eq!((after.on_hand, after.reserved - before.reserved), (1_000, held), "{story:?}");
        }
    }
    assert_eq!(number, 48);
}

/// A gateway that says both has contradicted itself. Whatever it says first counts; money of a dead order goes back.
#[tokio::test]
async fn a_charge_told_as_captured_and_as_declined_never_costs_money_or_stock() {
    let shop = shop().await;
    let events = [("0", PENDING), ("1", CAPTURED), ("1", CAPTURED), ("2", DECLINED)];
    for (number, story) in permutations(&events).into_iter().enumerate() {
        let before = shop.mugs().await;
        let order = shop.place_reserved(number).await;
        for (id, kind) in &story {
            shop.verdict(&shop.callback(order, &format!("{order}-{id}"), kind)).await;
        }
        shop.work().await;
        let first = story.iter().map(|(_, kind)| *kind).find(|kind| *kind != PENDING);
        let row = shop.order(order).await.row;
        let held = shop.mugs().await.reserved - before.reserved;
        assert_eq!(row.captured.amount, 2 * PRICE, "{story:?}");
        if first == Some(CAPTURED) {
            assert_eq!((row.status, row.refunded.amount, held), ("confirmed", 0, 2), "{story:?}");
        } else {
            assert_eq!((row.status, row.refunded.amount, held), ("failed", 2 * PRICE, 0), "{story:?}");
        }
    }
}

fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = items.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for rest in permutations(rest) {
        for position in 0..=rest.len() {
            let mut one = rest.clone();
            one.insert(position, first.clone());
            all.push(one);
        }
    }
    all
}
