//! Lists over the API: what they leave out, how they are sorted, and that they are walked while rows are added.

use domain::Role;
use serde_json::{Value, json};

use crate::support::{Shop, Speaker, reliable, silent};

async fn open() -> (Shop, Speaker) {
    let shop = Shop::open(reliable()).await;
    shop.stock(1_000).await;
    let speaker = shop.speaker(Role::Operator).await;
    (shop, speaker)
}

/// Places an order of `units` mugs, for a customer with this name in front of the `@`, on a day of December 2029.
async fn place(speaker: &Speaker, id: &str, who: &str, (day, units): (u8, u8)) {
    let body = json!({
        "source": "shop", "external_id": id,
        "customer": { "email": format!("{who}@example.org"), "external_id": format!("{who}-7") },
        "placed_at": format!("2029-12-{day:02}T12:00:00Z"),
        "lines": [{ "sku": "MUG", "quantity": units }],
    });
    let placed = speaker.post("/orders", &body).await;
    assert_eq!(placed.status, 201, "{placed:?}");
}

/// Walks a list to its end in pages of two; `between` is done after each.
async fn walk(speaker: &Speaker, path: &str, between: impl AsyncFn(usize)) -> Vec<Value> {
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = speaker.get(&format!("{path}limit=2{cursor}")).await;
        assert_eq!(page.status, 200, "{path}: {page:?}");
        seen.extend(page.body["data"].as_array().unwrap().iter().cloned());
        let Some(next) = page.body["next"].as_str() else { return seen };
        cursor = format!("&cursor={next}");
        pages += 1;
        between(pages).await;
    }
}

async fn ids(speaker: &Speaker, path: &str) -> Vec<String> {
    let rows = walk(speaker, path, async |_| ()).await;
    rows.iter().map(|row| row["external_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn orders_are_found_by_every_filter_and_by_several_at_once() {
    let (shop, speaker) = open().await;
    place(&speaker, "A-1", "ann", (1, 1)).await;
    place(&speaker, "A-2", "ann", (2, 3)).await;
    place(&speaker, "B-1", "bob", (3, 2)).await;
    shop.work().await;
    place(&speaker, "B-2", "bob", (2, 1)).await;
    speaker.post("/orders/shop:B-2/cancel", &json!({})).await;
    place(&speaker, "B-3", "bobby", (2, 4)).await;
    let ann = speaker.get("/customers?text=ann").await.body["data"][0]["id"].clone();
    for (path, found) in [
        ("/orders?".to_owned(), vec!["B-3", "B-2", "B-1", "A-2", "A-1"]),
        ("/orders?status=pending,cancelled&".to_owned(), vec!["B-3", "B-2"]),
        (format!("/orders?customer={ann}&"), vec!["A-2", "A-1"]),
        (format!("/orders?customer={ann}&sort=oldest&"), vec!["A-1", "A-2"]),
        (format!("/orders?customer={ann}&sort=total_lowest&"), vec!["A-1", "A-2"]),
        ("/orders?sku=MUG&status=confirmed&sort=oldest&".to_owned(), vec!["A-1", "A-2", "B-1"]),
        ("/orders?sku=CUP&".to_owned(), vec![]),
        ("/orders?from=2029-12-02&".to_owned(), vec!["B-1", "B-3", "B-2", "A-2"]),
        ("/orders?from=2029-12-02&to=2029-12-02&".to_owned(), vec!["B-3", "B-2", "A-2"]),
        ("/orders?to=2029-12-02&sort=placed_oldest&".to_owned(), vec!["A-1", "A-2", "B-2", "B-3"]),
        ("/orders?from=2029-12-02&to=2029-12-02&sort=newest&".to_owned(), vec!["B-3", "B-2", "A-2"]),
        (format!("/orders?from=2029-12-02&customer={ann}&"), vec!["A-2"]),
        ("/orders?source=elsewhere&".to_owned(), vec![]),
        ("/orders?text=B-&sort=total_highest&".to_owned(), vec!["B-3", "B-1", "B-2"]),
        ("/orders?text=B-&status=cancelled&".to_owned(), vec!["B-2"]),
        ("/orders?text=BOB%40&sort=placed_newest&".to_owned(), vec!["B-1", "B-2"]),
        ("/orders?text=bobby-7&".to_owned(), vec!["B-3"]),
        ("/orders?text=bob&source=elsewhere&".to_owned(), vec![]),
        ("/orders?text=nobody&".to_owned(), vec![]),
    ] {
        assert_eq!(ids(&speaker, &path).await, found, "{path}");
    }
    let id = speaker.get("/orders/shop:A-2").await.body["id"].clone();
    assert!(ids(&speaker, &format!("/orders?text={id}&")).await.contains(&"A-2".to_owned()));
}

#[tokio::test]
async fn a_list_in_any_order_shows_each_order_once_while_others_are_added() {
    let (_shop, speaker) = open().await;
    for (number, day) in [(1, 3), (2, 1), (3, 3), (4, 2), (5, 3), (6, 1), (7, 2)] {
        place(&speaker, &format!("N-{number}"), "ann", (day, day)).await;
    }
    let sorts = ["newest", "oldest", "placed_newest", "placed_oldest", "total_highest", "total_lowest"];
    for (round, sort) in sorts.iter().enumerate() {
        let of_few = sort.starts_with("total");
        let path = format!("/orders?sort={sort}&{}", if of_few { "text=N-&" } else { "" });
        let (before, speaker) = (ids(&speaker, &path).await, &speaker);
        let seen = walk(speaker, &path, async |page| {
            place(speaker, &format!("N-{round}{page}"), "bob", (page as u8 % 4 + 1, 2)).await;
        })
        .await;
        let seen: Vec<&str> = seen.iter().map(|row| row["external_id"].as_str().unwrap()).collect();
        let once: std::collections::HashSet<&str> = seen.iter().copied().collect();
        assert_eq!(once.len(), seen.len(), "{sort} shows an order twice: {seen:?}");
        let of_before: Vec<&str> = seen.into_iter().filter(|id| before.iter().any(|one| one == id)).collect();
        assert_eq!(of_before, before, "{sort}");
    }
}

#[tokio::test]
async fn what_no_index_serves_is_refused_with_a_way_out() {
    let (_shop, speaker) = open().await;
    place(&speaker, "A-1", "ann", (1, 1)).await;
    let all = speaker.get("/orders?sort=total_highest").await;
    assert_eq!((all.status, all.problem()), (422, "too-broad"), "{all:?}");
    assert!(all.body["detail"].as_str().unwrap().contains("customer"), "{all:?}");
    place(&speaker, "A-2", "ann", (1, 1)).await;
    let cursor = speaker.get("/orders?limit=1").await.body["next"].as_str().unwrap().to_owned();
    let other = speaker.get(&format!("/orders?sort=oldest&cursor={cursor}")).await;
    assert_eq!(other.status, 422, "a cursor belongs to its order: {other:?}");
}

#[tokio::test]
async fn an_order_is_shown_with_the_parts_that_are_named() {
    let (shop, speaker) = open().await;
    place(&speaker, "A-1", "ann", (1, 1)).await;
    let parts = ["lines", "payments", "refunds", "shipments", "notifications", "timeline", "jobs"];
    let has = |body: &Value| -> Vec<&str> {
        parts.into_iter().filter(|part| body.as_object().unwrap().contains_key(*part)).collect()
    };
    assert_eq!(has(&speaker.get("/orders/shop:A-1").await.body), parts[..6]);
    assert_eq!(has(&speaker.get("/orders/shop:A-1?include=").await.body), [""; 0]);
    let some = speaker.get("/orders/shop:A-1?include=timeline,lines").await;
    assert_eq!(has(&some.body), ["lines", "timeline"]);
    assert_eq!(some.headers["etag"], "\"1\"");
    let jobs = speaker.get("/orders/shop:A-1?include=jobs").await;
    assert_eq!(jobs.body["jobs"]["complete"], true, "{jobs:?}");
    assert_eq!(jobs.body["jobs"]["data"][0]["kind"], "reserve_stock", "{jobs:?}");
    shop.work().await;
    let done = speaker.get("/orders/shop:A-1?include=jobs,notifications").await;
    assert_eq!((has(&done.body), &done.body["jobs"]["data"]), (vec!["notifications", "jobs"], &json!([])));
}

#[tokio::test]
async fn refunds_are_listed_by_order_and_status() {
    let (shop, speaker) = open().await;
    let mut orders = Vec::new();
    for name in ["A-1", "A-2"] {
        place(&speaker, name, "ann", (1, 4)).await;
        orders.push(speaker.get(&format!("/orders/shop:{name}?include=")).await.body["id"].clone());
    }
    shop.work().await;
    for (key, order) in [("r-1", 0), ("r-2", 1), ("r-3", 0)] {
        let wish = json!({ "order_id": orders[order], "amount": 100 });
        assert_eq!(speaker.post_keyed("/refunds", key, &wish).await.status, 202);
    }
    shop.work().await;
    let last = json!({ "order_id": orders[1], "amount": 7 });
    speaker.post_keyed("/refunds", "r-4", &last).await;
    let keys = async |path: &str| -> Vec<String> {
        let rows = walk(&speaker, path, async |_| ()).await;
        rows.iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys("/refunds?").await, ["r-4", "r-3", "r-2", "r-1"]);
    assert_eq!(keys("/refunds?status=succeeded&").await, ["r-3", "r-2", "r-1"]);
    assert_eq!(keys(&format!("/refunds?order={}&", orders[0])).await, ["r-3", "r-1"]);
    assert_eq!(keys(&format!("/refunds?order={}&status=requested&", orders[1])).await, ["r-4"]);
}

#[tokio::test]
async fn customers_are_found_by_how_they_begin() {
    let (_shop, speaker) = open().await;
    for (number, who) in ["ann", "annette", "anton", "annabel", "bob"].iter().enumerate() {
        place(&speaker, &format!("A-{number}"), who, (1, 1)).await;
    }
    let emails = async |path: &str| -> Vec<String> {
        let rows = walk(&speaker, path, async |_| ()).await;
        rows.iter().map(|row| row["email"].as_str().unwrap().replace("@example.org", "")).collect()
    };
    assert_eq!(emails("/customers?").await, ["bob", "annabel", "anton", "annette", "ann"]);
    assert_eq!(emails("/customers?text=Ann&").await, ["annabel", "annette", "ann"]);
    assert_eq!(emails("/customers?text=annette-7&").await, ["annette"]);
    assert_eq!(emails("/customers?text=%25&").await, [""; 0]);
}

#[tokio::test]
async fn the_inbox_tells_what_became_of_every_delivery() {
    let shop = Shop::open(silent()).await;
    shop.stock(10).await;
    let order = shop.place_reserved(1).await;
    let captured = shop.callback(order, "e1", "charge.captured");
    shop.deliver(&captured).await;
    shop.deliver(&captured).await;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx".to_owned();
    let forged = crate::support::Callback { secret, ..shop.callback(order, "e2", "charge.captured") };
    shop.deliver(&forged).await;
    let speaker = shop.speaker(Role::Viewer).await;
    let rows = walk(&speaker, "/webhooks?", async |_| ()).await;
    let verdicts: Vec<&str> = rows.iter().map(|row| row["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["rejected", "duplicate", "applied"], "{rows:?}");
    assert_eq!((&rows[0]["event"], &rows[0]["order_id"]), (&json!(null), &json!(null)));
    assert!(rows[0]["reason"].is_string(), "{rows:?}");
    assert_eq!((&rows[2]["kind"], &rows[2]["order_id"]), (&json!("charge.captured"), &json!(order)));
    let some = walk(&speaker, "/webhooks?verdict=duplicate&", async |_| ()).await;
    assert_eq!((some.len(), &some[0]["event"]), (1, &json!("e1")));
}

#[tokio::test]
async fn a_queue_tells_what_it_did_and_the_system_how_it_stands() {
    let (shop, speaker) = open().await;
    place(&speaker, "A-1", "ann", (1, 1)).await;
    shop.work().await;
    shop.app.queue().flush_metrics().await.unwrap();
    let told = speaker.get("/queues/stock/metrics").await;
    assert_eq!(told.status, 200, "{told:?}");
    let total = &told.body["total"][0];
    assert_eq!((&total["kind"], &total["enqueued"]), (&json!("reserve_stock"), &json!(1)), "{told:?}");
    assert_eq!(told.body["data"][0]["kind"], "reserve_stock", "{told:?}");
    let hours = speaker.get("/queues/stock/metrics?per=hour&hours=720").await;
    assert_eq!(hours.body["total"][0]["enqueued"], 1, "{hours:?}");
    assert_eq!(speaker.get("/queues/nowhere/metrics").await.status, 404);
    assert_eq!(speaker.get("/batches/99").await.problem(), "not-found");

    let system = speaker.get("/system").await;
    assert_eq!(system.body["attention"], json!([]), "{system:?}");
    assert!(system.body["database"]["bytes"].as_u64().unwrap() > 0, "{system:?}");
    speaker.post("/queues/stock/pause", &json!({})).await;
    let paused = speaker.get("/system").await;
    assert!(paused.body["attention"][0].as_str().unwrap().contains("stock is paused"), "{paused:?}");
}
