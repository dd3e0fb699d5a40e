//! Orders over the API: placed, listed, moved on, refunded.

use domain::Role;
use serde_json::{Value, json};

use crate::support::{PRICE, Shop, Speaker, client, reliable};

fn order(number: usize) -> Value {
    json!({
        "source": "shop", "external_id": number.to_string(), "customer": { "email": "ann@example.org" },
        "lines": [{ "sku": "MUG", "quantity": 2 }],
    })
}

async fn open() -> (Shop, Speaker) {
    let shop = Shop::open(reliable()).await;
    shop.stock(1_000).await;
    let speaker = shop.speaker(Role::Operator).await;
    (shop, speaker)
}

#[tokio::test]
async fn an_order_goes_from_its_request_to_a_partial_refund() {
    let (shop, speaker) = open().await;
    let placed = speaker.post("/orders", &order(1)).await;
    assert_eq!((placed.status, &placed.body["status"]), (201, &json!("pending")), "{placed:?}");
    assert_eq!(placed.body["total"], json!({ "amount": 2 * PRICE, "currency": "EUR" }));
    shop.work().await;

    let shown = speaker.get("/orders/shop:1").await;
    assert_eq!((&shown.body["status"], &shown.body["payment"]), (&json!("confirmed"), &json!("paid")));
    assert_eq!(shown.headers["etag"], format!("\"{}\"", shown.body["version"]));
    assert_eq!(shown.body["customer"]["email"], "ann@example.org");
    let first = &shown.body["timeline"][0];
    assert_eq!(first["kind"], "order_placed");
    assert!(first["actor"].as_str().unwrap().starts_with("token:operator-"), "{first}");

    let id = &shown.body["id"];
    let shipped = speaker.post(&format!("/orders/{id}/ship"), &json!({ "carrier": "Post" })).await;
    assert_eq!(shipped.body["fulfilment"], "shipped", "{shipped:?}");
    let wish = json!({ "order_id": id, "lines": [{ "line_no": 1, "quantity": 1 }], "reason": "cracked" });
    let refund = speaker.post_keyed("/refunds", "r-1", &wish).await;
    assert_eq!((refund.status, &refund.body["amount"]["amount"]), (202, &json!(PRICE)), "{refund:?}");
    shop.work().await;
    let settled = speaker.get(&format!("/refunds/{}", refund.body["id"])).await;
    assert_eq!(settled.body["status"], "succeeded");
    let delivered = speaker.post(&format!("/orders/{id}/deliver"), &json!({})).await;
    assert_eq!(delivered.body["status"], "completed");

    let kpis = speaker.get("/analytics/kpis?date=2030-01-01").await;
    assert_eq!(kpis.body["total"]["refunds"], json!({ "amount": PRICE, "currency": "EUR" }), "{kpis:?}");
    let board = speaker.get("/leaderboard?period=day&date=2030-01-01&of=customers").await;
    assert_eq!(board.body["entries"][0]["net"]["amount"], PRICE, "{board:?}");
    let standing = speaker.get(&format!("/leaderboard/customers/{}", shown.body["customer"]["id"])).await;
    assert_eq!(standing.body["entries"][0]["rank"], 1, "{standing:?}");
}

#[tokio::test]
async fn a_named_request_is_done_once_and_answered_alike() {
    let (shop, speaker) = open().await;
    let first = speaker.post_keyed("/orders", "k-1", &order(1)).await;
    assert_eq!((first.status, first.headers.get("idempotent-replayed")), (201, None));
    shop.work().await;
    let again = speaker.post_keyed("/orders", "k-1", &order(1)).await;
    assert_eq!((again.status, &again.headers["idempotent-replayed"]), (201, &"true".parse().unwrap()));
    assert_eq!(
        again.body, first.body,
        "the answer is that of the first request, though the order has moved on"
    );

    let other = speaker.post_keyed("/orders", "k-1", &order(2)).await;
    assert_eq!((other.status, other.problem()), (422, "key-reused"));
    let others = shop.speaker(Role::Operator).await;
    assert_eq!(
        others.post_keyed("/orders", "k-1", &order(1)).await.body,
        first.body,
        "a new token has the same keys"
    );
    assert_eq!(speaker.get("/orders").await.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_named_request_many_times_at_once_is_one() {
    let (shop, speaker) = open().await;
    let body = json!({ "kind": "receive", "quantity": 7 });
    let answers = futures_of((0..12).map(|_| speaker.post_keyed("/products/CUP/stock", "s-1", &body))).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body["on_hand"]), (200, &json!(7)), "{answer:?}");
    }
    let first = answers.iter().filter(|answer| !answer.headers.contains_key("idempotent-replayed")).count();
    assert_eq!(first, 1);
    let cup = shop.speaker(Role::Viewer).await.get("/products/CUP").await;
    assert_eq!(cup.body["on_hand"], 7);
}

async fn futures_of<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> = all.map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|context| {
        let mut is_done = true;
        for (one, answer) in &mut pending {
            if answer.is_none() {
                match one.as_mut().poll(context) {
                    std::task::Poll::Ready(ready) => *answer = Some(ready),
                    std::task::Poll::Pending => is_done = false,
                }
            }
        }
        if is_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    pending.into_iter().filter_map(|(_, answer)| answer).collect()
}

#[tokio::test]
async fn an_answer_is_forgotten_after_a_day() {
    let (shop, speaker) = open().await;
    speaker.post_keyed("/orders", "k-1", &order(1)).await;
    shop.clock.advance(std::time::Duration::from_secs(24 * 3_600 - 1));
    assert_eq!(app::idempotency::forget_old(&shop.app).await.unwrap(), 0);
    shop.clock.advance(std::time::Duration::from_secs(2));
    assert_eq!(app::idempotency::forget_old(&shop.app).await.unwrap(), 1);
    let again = speaker.post_keyed("/orders", "k-1", &order(1)).await;
    assert_eq!(again.status, 200, "the order is there already, under its source and id: {again:?}");
}

#[tokio::test]
async fn a_list_is_walked_while_orders_are_added() {
    let (shop, speaker) = open().await;
    for number in 1..=7 {
        shop.place(number).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/orders?limit=3&source=test".to_owned());
    loop {
        let page = speaker.get(&path).await;
        assert_eq!(page.status, 200, "{page:?}");
        seen.extend(
            page.body["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["external_id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page.body["next"].as_str() else { break };
        path = format!("/orders?limit=3&source=test&cursor={next}");
        shop.place(100 + seen.len()).await;
    }
    assert_eq!(seen, ["7", "6", "5", "4", "3", "2", "1"]);
    let none = speaker.get("/orders?status=failed").await;
    assert_eq!((none.status, &none.body), (200, &json!({ "data": [], "next": null })));
}

#[tokio::test]
async fn parameters_that_are_none_are_named() {
    let (_shop, speaker) = open().await;
    for (path, pointer) in [
        ("/orders?limit=0", "?limit"),
        ("/orders?limit=many", "?limit"),
        ("/orders?status=lost", "?status"),
        ("/orders?sort=price", "?sort"),
        ("/orders?status=pending,lost", "?status"),
        ("/orders?colour=red", "?colour"),
        ("/orders?from=yesterday", "?from"),
        ("/orders?customer=-1", "?customer"),
        ("/orders?cursor=bmV3ZXN0OjA", "?cursor"),
        ("/orders/1?include=lines,secrets", "?include"),
        ("/refunds?status=lost", "?status"),
        ("/refunds?cursor=YWJj", "?cursor"),
        ("/customers?sort=name", "?sort"),
        ("/webhooks?verdict=lost", "?verdict"),
        ("/queues/stock/metrics?hours=25", "?hours"),
        ("/queues/stock/metrics?per=second", "?per"),
        ("/orders?cursor=%21", "?cursor"),
        ("/orders?cursor=YWJj", "?cursor"),
        ("/analytics/kpis?date=yesterday", "?date"),
        ("/analytics/kpis?from=2030-01-01", "?date"),
        ("/leaderboard?of=suppliers", "?of"),
        ("/leaderboard/customers/1?of=products", "?of"),
    ] {
        let answer = speaker.get(path).await;
        assert_eq!((answer.status, answer.problem()), (422, "invalid-request"), "{path}: {answer:?}");
        let error = &answer.body["errors"][0];
        let named = error["pointer"].as_str().unwrap();
        assert!(
            named == pointer || (pointer == "?" && error["detail"].as_str().unwrap().contains("sort")),
            "{path}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_told_where() {
    let (shop, speaker) = open().await;
    let with = |pointer: &str, value: Value| {
        let mut body = order(1);
        match body.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => body[pointer.trim_start_matches('/')] = value,
        }
        body
    };
    for (body, pointer) in [
        (with("/lines/0/quantity", json!("two")), "/lines/0/quantity"),
        (with("/lines/0/quantity", json!(0)), "/lines/0/quantity"),
        (with("/lines/0/sku", json!("")), "/lines/0/sku"),
        (with("/customer/email", json!("nobody")), "/customer/email"),
        (with("/colour", json!("red")), "/colour"),
        (with("/source", json!("../etc")), "/source"),
        (with("/placed_at", json!("yesterday")), "/placed_at"),
        (with("/currency", json!("XXQ")), "/currency"),
    ] {
        let answer = speaker.post("/orders", &body).await;
        assert_eq!((answer.status, answer.problem()), (422, "unfit-body"), "{body}: {answer:?}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{answer:?}");
    }
    for (body, detail) in [
        (with("/lines", json!([])), "at least one line"),
        (with("/customer", json!({})), "needs a customer"),
        (with("/lines/0/sku", json!("NONE")), "NONE"),
    ] {
        let answer = speaker.post("/orders", &body).await;
        assert_eq!(answer.problem(), "invalid-request", "{body}: {answer:?}");
        assert!(answer.body["detail"].as_str().unwrap().contains(detail), "{answer:?}");
    }
    let url = format!("{}/api/orders", shop.url);
    let raw = |body: String| client().post(&url).header("content-type", "application/json").body(body);
    for (body, status, problem) in [
        ("{\"source\":".to_owned(), 400, "malformed-json"),
        (format!("{} x", order(1)), 400, "malformed-json"),
        (format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)), 422, "unfit-body"),
        ("x".repeat(1024 * 1024 + 1), 413, "body-too-large"),
    ] {
        let answer = speaker.send(raw(body)).await;
        assert_eq!((answer.status, answer.problem()), (status, problem));
    }
    assert_eq!(speaker.get("/orders").await.body["data"], json!([]));
}

#[tokio::test]
async fn what_the_state_does_not_allow_tells_the_state() {
    let (shop, speaker) = open().await;
    let placed = speaker.post("/orders", &order(1)).await;
    let id = &placed.body["id"];
    let early = speaker.post(&format!("/orders/{id}/ship"), &json!({})).await;
    assert_eq!((early.status, early.problem()), (409, "refused"), "{early:?}");
    assert_eq!(early.body["current"]["status"], "pending");
    assert_eq!(early.body["current"]["allowed"], json!(["cancel"]));
    let cancelled =
        speaker.post(&format!("/orders/{id}/cancel"), &json!({ "reason": "changed my mind" })).await;
    assert_eq!(cancelled.body["status"], "cancelled");
    let again = speaker.post(&format!("/orders/{id}/cancel"), &json!({})).await;
    assert_eq!(again.status, 409);
    let nothing = json!({ "order_id": id });
    assert_eq!(speaker.post_keyed("/refunds", "r-1", &nothing).await.status, 409);
    shop.work().await;
    assert_eq!(shop.mugs().await.reserved, 0);
}

#[tokio::test]
async fn a_refund_wants_a_key_and_one_way_to_say_how_much() {
    let (shop, speaker) = open().await;
    let id = speaker.post("/orders", &order(1)).await.body["id"].clone();
    shop.work().await;
    let keyless = speaker.post("/refunds", &json!({ "order_id": id })).await;
    assert_eq!((keyless.status, keyless.problem()), (400, "bad-idempotency-key"));
    let both = json!({ "order_id": id, "amount": 1, "lines": [] });
    let both = speaker.post_keyed("/refunds", "r-1", &both).await;
    assert_eq!((both.status, &both.body["errors"][0]["pointer"]), (422, &json!("/lines")));
    let wish = json!({ "order_id": id, "amount": 100 });
    let first = speaker.post_keyed("/refunds", "r-1", &wish).await;
    let again = speaker.post_keyed("/refunds", "r-1", &wish).await;
    assert_eq!((again.status, &again.body["id"]), (202, &first.body["id"]));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let colleague = shop.speaker(Role::Operator).await;
    assert_eq!(colleague.post_keyed("/refunds", "r-1", &wish).await.body["id"], first.body["id"]);
    let other = speaker.post_keyed("/refunds", "r-1", &json!({ "order_id": id, "amount": 101 })).await;
    assert_eq!((other.status, other.problem()), (422, "key-reused"));
    let above = speaker.post_keyed("/refunds", "r-2", &json!({ "order_id": id, "amount": 2 * PRICE })).await;
    assert_eq!((above.status, above.problem()), (409, "refund-refused"), "{above:?}");
}

#[tokio::test]
async fn what_nobody_knows_is_not_found() {
    let (_shop, speaker) = open().await;
    for path in [
        "/orders/99",
        "/orders/shop:99",
        "/orders/-1",
        "/orders/%2e%2e%2f",
        "/refunds/99",
        "/refunds/x",
        "/products/NONE",
        "/customers/99",
        "/imports/99",
        "/notifications/99",
        "/leaderboard/customers/99",
    ] {
        let answer = speaker.get(path).await;
        assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{path}: {answer:?}");
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(!detail.contains("nothing at") || detail.ends_with(&format!("/api{path}")), "{detail}");
    }
}

#[tokio::test]
async fn a_customer_is_told_again_what_they_were_told() {
    let (shop, speaker) = open().await;
    speaker.post("/orders", &order(1)).await;
    shop.work().await;
    let told = speaker.get("/notifications").await;
    let id = &told.body["data"][0]["id"];
    let view = speaker.get(&format!("/notifications/{id}")).await;
    assert!(
        view.body["text"].as_str().unwrap().contains("Mug")
            || view.body["text"].as_str().unwrap().contains("MUG")
    );
    let again = speaker.post(&format!("/notifications/{id}/resend"), &json!({})).await;
    assert_eq!(again.status, 202, "{again:?}");
    assert_ne!(&again.body["id"], id);
}

#[tokio::test]
async fn a_dry_run_tells_what_would_come_of_it_and_does_nothing() {
    let (shop, speaker) = open().await;
    let id = speaker.post("/orders", &order(1)).await.body["id"].clone();
    shop.work().await;
    let before = (speaker.get(&format!("/orders/{id}")).await.body, shop.mugs().await.reserved);
    let told =
        speaker.post(&format!("/orders/{id}/cancel?dry_run=true"), &json!({ "reason": "fraud" })).await;
    assert_eq!((told.status, &told.body["order"]["status"]), (200, &json!("cancelled")), "{told:?}");
    assert_eq!(told.body["stock"], json!([{ "sku": "MUG", "on_hand": 0, "reserved": -2 }]));
    assert_eq!(told.body["refunds"][0]["amount"]["amount"], 2 * PRICE);
    assert_eq!(told.body["notifications"][0]["recipient"], "ann@example.org", "{told:?}");
    let parcel = speaker.post(&format!("/orders/{id}/ship?dry_run=true"), &json!({})).await;
    assert_eq!(parcel.body["stock"], json!([{ "sku": "MUG", "on_hand": -2, "reserved": -2 }]), "{parcel:?}");
    let refused = speaker.post(&format!("/orders/{id}/deliver?dry_run=true"), &json!({})).await;
    assert_eq!(refused.status, 409);
    shop.work().await;
    let after = (speaker.get(&format!("/orders/{id}")).await.body, shop.mugs().await.reserved);
    assert_eq!(after, before);
}

#[tokio::test]
async fn an_order_that_has_moved_on_is_not_changed_by_who_saw_it_before() {
    let (shop, speaker) = open().await;
    let placed = speaker.post("/orders", &order(1)).await;
    let (id, seen) = (&placed.body["id"], placed.headers["etag"].clone());
    shop.work().await;
    let url = format!("{}/api/orders/{id}/cancel", shop.url);
    let late = speaker.send(client().post(&url).header("if-match", &seen)).await;
    assert_eq!((late.status, late.problem()), (412, "moved-on"), "{late:?}");
    for wrong in ["7", "\"x\"", ""] {
        let answer = speaker.send(client().post(&url).header("if-match", wrong)).await;
        assert_eq!((answer.status, answer.problem()), (400, "bad-version"), "{wrong}");
    }
    let now = speaker.get(&format!("/orders/{id}")).await.headers["etag"].clone();
    let done = speaker.send(client().post(&url).header("if-match", &now)).await;
    assert_eq!((done.status, &done.body["status"]), (200, &json!("cancelled")), "{done:?}");
    assert_ne!(done.headers["etag"], now);
}

#[tokio::test]
async fn what_is_asked_for_twice_at_once_is_done_once_also_where_there_is_too_little_for_both() {
    let (shop, speaker) = open().await;
    for round in 0..5 {
        let sku = format!("CUP-{round}");
        let path = format!("/products/{sku}/stock");
        speaker.post(&path, &json!({ "kind": "receive", "quantity": 10 })).await;
        let (body, key) = (json!({ "kind": "adjust", "change": -8, "note": "broken" }), format!("k-{round}"));
        for answer in futures_of((0..8).map(|_| speaker.post_keyed(&path, &key, &body))).await {
            assert_eq!((answer.status, &answer.body["on_hand"]), (200, &json!(2)), "{answer:?}");
        }
    }
    drop(shop);
}

#[tokio::test]
async fn a_parameter_where_none_is_taken_is_refused_and_nothing_is_done() {
    let (shop, speaker) = open().await;
    let id = speaker.post("/orders", &order(1)).await.body["id"].clone();
    shop.work().await;
    let all = json!({ "order_id": id });
    let refused = speaker.post_keyed("/refunds?dry_run=true", "r-1", &all).await;
    assert_eq!((refused.status, refused.problem()), (422, "invalid-request"), "{refused:?}");
    assert_eq!(speaker.get(&format!("/orders/{id}")).await.body["refunds"], json!([]));
    assert_eq!(speaker.post("/orders?dry_run=true", &order(2)).await.status, 422);
    assert_eq!(speaker.get("/orders").await.body["data"].as_array().unwrap().len(), 1);
    for path in ["/workers?limit=1", "/queues?limit=1", "/products/MUG?fields=name"] {
        assert_eq!(speaker.get(path).await.status, 422, "{path}");
    }
}

#[tokio::test]
async fn a_named_deed_is_done_once_though_it_is_asked_for_again() {
    let (shop, speaker) = open().await;
    let id = speaker.post("/orders", &order(1)).await.body["id"].clone();
    shop.work().await;
    let (path, one) = (format!("/orders/{id}/ship"), json!({ "lines": [{ "line_no": 1, "quantity": 1 }] }));
    let first = speaker.post_keyed(&path, "s-1", &one).await;
    let again = speaker.post_keyed(&path, "s-1", &one).await;
    assert_eq!((first.status, again.status, &again.body), (200, 200, &first.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.headers["etag"], first.headers["etag"]);
    assert_eq!(speaker.get(&format!("/orders/{id}")).await.body["lines"][0]["shipped"], 1);
    let elsewhere = speaker.post_keyed(&format!("/orders/{id}/deliver"), "s-1", &json!({})).await;
    assert_eq!((elsewhere.status, elsewhere.problem()), (422, "key-reused"));

    let told = speaker.get("/notifications").await.body["data"][0]["id"].clone();
    shop.work().await;
    let resend = format!("/notifications/{told}/resend");
    let first = speaker.post_keyed(&resend, "m-1", &json!({})).await;
    shop.work().await;
    let again = speaker.post_keyed(&resend, "m-1", &json!({})).await;
    assert_eq!((first.status, again.status, &again.body["id"]), (202, 202, &first.body["id"]), "{again:?}");
}

#[tokio::test]
async fn what_operators_do_to_stock_files_and_mails_is_logged_with_who_did_it() {
    let (shop, speaker) = open().await;
    let id = speaker.post("/orders", &order(1)).await.body["id"].clone();
    shop.work().await;
    let adjust = json!({ "kind": "adjust", "change": -3, "note": "broken" });
    speaker.post_keyed("/products/MUG/stock", "a-1", &adjust).await;
    speaker.post_keyed("/products/MUG/stock", "a-1", &adjust).await;
    let told = speaker.get(&format!("/orders/{id}")).await.body["notifications"][0]["id"].clone();
    speaker.post(&format!("/notifications/{told}/resend"), &json!({})).await;
    let log = shop.speaker(Role::Admin).await.get("/operator-actions").await;
    let logged = log.body["data"].as_array().unwrap();
    let named = |kind: &str| -> Vec<&Value> { logged.iter().filter(|one| one["kind"] == kind).collect() };
    let adjusted = named("stock_adjusted");
    assert_eq!(adjusted.len(), 1, "what is asked for twice is logged once: {log:?}");
    assert_eq!(
        (&adjusted[0]["subject"], &adjusted[0]["before"]),
        (&json!("MUG"), &json!({ "on_hand": 1_000 }))
    );
    assert_eq!(adjusted[0]["after"], json!({ "on_hand": 997, "note": "broken" }));
    for kind in ["stock_adjusted", "notification_resent"] {
        assert!(named(kind)[0]["actor"].as_str().unwrap().starts_with("token:operator-"), "{kind}: {log:?}");
    }
}
