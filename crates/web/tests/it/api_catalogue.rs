//! The catalogue over the API.

use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Shop, Speaker, client, reliable};

async fn patch(shop: &Shop, speaker: &Speaker, sku: &str, body: &Value, seen: Option<&str>) -> Answer {
    let url = format!("{}/api/products/{sku}", shop.url);
    let request = client().request(Method::PATCH, url).json(body);
    let request = match seen {
        Some(tag) => request.header("if-match", tag),
        None => request,
    };
    speaker.send(request).await
}

#[tokio::test]
async fn a_product_is_made_once_and_sold() {
    let shop = Shop::open(reliable()).await;
    let speaker = shop.speaker(Role::Operator).await;
    let body = json!({ "sku": "CUP", "name": "Cup", "price": { "amount": 300, "currency": "EUR" } });
    let made = speaker.post_keyed("/products", "p-1", &body).await;
    assert_eq!((made.status, &made.body["price"], &made.body["on_hand"]), (201, &json!(300), &json!(0)));
    let again = speaker.post_keyed("/products", "p-1", &body).await;
    assert_eq!((again.status, &again.body), (201, &made.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let reused = speaker.post_keyed("/products", "p-1", &json!({ "sku": "POT" })).await;
    assert_eq!((reused.status, reused.problem()), (422, "key-reused"));
    let taken = speaker.post("/products", &body).await;
    assert_eq!((taken.status, taken.problem()), (409, "exists"), "{taken:?}");
    assert_eq!(speaker.get("/products").await.body["data"].as_array().unwrap().len(), 1);

    let order = json!({
        "source": "shop", "external_id": "1", "customer": { "email": "ann@example.org" },
        "lines": [{ "sku": "CUP", "quantity": 2 }],
    });
    let placed = speaker.post("/orders", &order).await;
    assert_eq!(placed.body["total"]["amount"], 600, "{placed:?}");
}

#[tokio::test]
async fn what_is_said_of_a_product_changes_where_it_is_as_it_was_seen() {
    let shop = Shop::open(reliable()).await;
    shop.stock(5).await;
    let speaker = shop.speaker(Role::Operator).await;
    let seen = speaker.get("/products/MUG").await.headers["etag"].to_str().unwrap().to_owned();
    shop.stock(5).await;
    let named = patch(&shop, &speaker, "MUG", &json!({ "name": "Big mug" }), Some(&seen)).await;
    assert_eq!((named.status, &named.body["name"]), (200, &json!("Big mug")), "stock is no part: {named:?}");
    assert_eq!(named.body["price"], 1_250, "what is not named stays");
    let late = patch(&shop, &speaker, "MUG", &json!({ "name": "Small mug" }), Some(&seen)).await;
    assert_eq!((late.status, late.problem()), (412, "moved-on"), "{late:?}");
    assert_eq!(patch(&shop, &speaker, "MUG", &json!({}), Some("x")).await.problem(), "bad-version");
    let priceless = patch(&shop, &speaker, "MUG", &json!({ "price": null }), Some("*")).await;
    assert_eq!((&priceless.body["price"], &priceless.body["currency"]), (&json!(null), &json!(null)));
    assert_eq!((&priceless.body["on_hand"], &priceless.body["name"]), (&json!(10), &json!("Big mug")));
    let nothing = patch(&shop, &speaker, "MUG", &json!({}), None).await;
    assert_eq!(nothing.status, 200);

    let log = shop.speaker(Role::Admin).await.get("/operator-actions").await;
    let log = log.body["data"].as_array().unwrap();
    let changed: Vec<&Value> = log.iter().filter(|one| one["kind"] == "product_changed").collect();
    assert_eq!(changed.len(), 2, "what changes nothing is not logged: {changed:?}");
    assert_eq!(changed[1]["before"]["name"], "MUG");
    assert_eq!(changed[1]["after"]["name"], "Big mug");
}

#[tokio::test]
async fn a_product_that_does_not_fit_is_told_where() {
    let shop = Shop::open(reliable()).await;
    shop.stock(5).await;
    let speaker = shop.speaker(Role::Operator).await;
    for (body, problem, pointer) in [
        (json!({}), "unfit-body", json!("")),
        (json!({ "sku": "" }), "unfit-body", json!("/sku")),
        (json!({ "sku": "A", "on_hand": 7 }), "unfit-body", json!("/on_hand")),
        (json!({ "sku": 7 }), "unfit-body", json!("/sku")),
        (json!({ "sku": "A", "price": 7 }), "unfit-body", json!("/price")),
        (json!({ "sku": "A", "price": { "amount": -1, "currency": "EUR" } }), "invalid-request", json!(null)),
    ] {
        let answer = speaker.post("/products", &body).await;
        assert_eq!((answer.status, answer.problem()), (422, problem), "{body}: {answer:?}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{body}: {answer:?}");
    }
    for (sku, body, status) in [
        ("NONE", json!({}), 404),
        ("MUG", json!({ "sku": "CUP" }), 422),
        ("MUG", json!({ "name": "" }), 422),
        ("MUG", json!({ "name": null, "on_hand": 9 }), 422),
        ("MUG", json!({ "price": { "amount": -1, "currency": "EUR" } }), 422),
    ] {
        let answer = patch(&shop, &speaker, sku, &body, None).await;
        assert_eq!(answer.status, status, "{sku} {body}: {answer:?}");
    }
    assert_eq!(speaker.get("/products").await.body["data"].as_array().unwrap().len(), 1);
}
