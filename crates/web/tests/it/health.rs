//! Liveness and readiness.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Pair, Shop, client, reliable};

async fn get(url: String) -> (StatusCode, Value) {
    let response = client().get(url).send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_shop_that_can_work_names_every_dependency_as_ready() {
    let shop = Shop::open(reliable()).await;
    let (status, answer) = get(format!("{}/readyz", shop.url)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        answer,
        json!({"status": "ready", "dependencies": [
            {"name": "database_readable", "ready": true, "detail": "read"},
            {"name": "database_writable", "ready": true, "detail": "written"},
            {"name": "queue", "ready": true, "detail": "0 workers of 0 supervisors"},
            {"name": "gateway", "ready": true, "detail": "in_process"},
        ]})
    );
}

#[tokio::test]
async fn a_shop_without_its_database_lives_but_is_not_ready() {
    let shop = Shop::open(reliable()).await;
    shop.app.database().close();
    assert_eq!(get(format!("{}/healthz", shop.url)).await, (StatusCode::OK, json!({"status": "alive"})));
    let (status, answer) = get(format!("{}/readyz", shop.url)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer["status"], "not_ready");
    let readiness: Vec<_> =
        answer["dependencies"].as_array().unwrap().iter().map(|one| &one["ready"]).collect();
    assert_eq!(readiness, [false, false, false, true]);
}

#[tokio::test]
async fn a_shop_is_ready_while_its_gateway_is_down() {
    let pair = Pair::open_without_gateway(reliable()).await;
    let (status, answer) = get(format!("{}/readyz", pair.shop.url)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["dependencies"][3], json!({"name": "gateway", "ready": true, "detail": "http"}));
}
