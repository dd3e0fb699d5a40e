//! The queue over the API.

use domain::Role;
use serde_json::json;

use crate::support::{Shop, reliable};

#[tokio::test]
async fn jobs_are_found_shown_called_off_and_run_again() {
    let shop = Shop::open(reliable()).await;
    shop.stock(10).await;
    let order = shop.place(1).await;
    let speaker = shop.speaker(Role::Operator).await;
    let jobs = speaker.get("/jobs?state=available&kind=reserve_stock").await;
    assert_eq!(jobs.body["data"].as_array().unwrap().len(), 1, "{jobs:?}");
    let id = &jobs.body["data"][0]["id"];
    assert_eq!(speaker.get(&format!("/jobs/{id}")).await.body["kind"], "reserve_stock");
    let queue = jobs.body["data"][0]["queue"].as_str().unwrap();

    let called_off = speaker.post(&format!("/jobs/{id}/cancel"), &json!({})).await;
    assert_eq!(called_off.body, json!({ "changed": 1 }), "{called_off:?}");
    shop.work().await;
    assert_eq!(shop.status(order).await, "pending/unpaid");
    let again = speaker.post("/jobs/retry", &json!({ "filter": { "state": "cancelled" } })).await;
    assert_eq!(again.body, json!({ "changed": 1 }), "{again:?}");
    shop.work().await;
    assert_eq!(shop.status(order).await, "confirmed/paid");

    let paused = speaker.post(&format!("/queues/{queue}/pause"), &json!({})).await;
    assert_eq!(paused.body, json!({ "queue": queue, "paused": true }));
    let listed = speaker.get("/queues").await;
    let found = listed.body["data"].as_array().unwrap().iter().find(|one| one["queue"] == queue).unwrap();
    assert_eq!(found["paused"], true, "{listed:?}");
    speaker.post(&format!("/queues/{queue}/continue"), &json!({})).await;

    let log = shop.speaker(Role::Admin).await.get("/operator-actions?limit=5").await;
    let kinds: Vec<&str> =
        log.body["data"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["token_created", "continue_queue", "pause_queue", "retry_jobs", "cancel_jobs"]);
}

#[tokio::test]
async fn what_is_no_job_and_no_choice_is_refused() {
    let shop = Shop::open(reliable()).await;
    let speaker = shop.speaker(Role::Operator).await;
    for (path, status) in [("/jobs/99/retry", 404), ("/jobs/99/cancel", 404), ("/queues/nowhere/pause", 404)]
    {
        assert_eq!(speaker.post(path, &json!({})).await.status, status, "{path}");
    }
    for body in
        [json!({}), json!({ "filter": {} }), json!({ "ids": [1], "filter": { "state": "available" } })]
    {
        let answer = speaker.post("/jobs/cancel", &body).await;
        assert_eq!((answer.status, answer.problem()), (422, "invalid-request"), "{body}");
    }
    for path in ["/jobs?state=lost", "/jobs?cursor=YWJj", "/batches?cursor=YWJj"] {
        assert_eq!(speaker.get(path).await.status, 422, "{path}");
    }
    for path in ["/failures", "/batches", "/workers"] {
        assert_eq!(speaker.get(path).await.body["next"], json!(null), "{path}");
    }
}
