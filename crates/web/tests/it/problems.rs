//! What is answered to requests that cannot be served.

use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use crate::support::{Shop, client, reliable};

async fn problem(response: Response) -> Value {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let status = response.status().as_u16();
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status);
    problem
}

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let shop = Shop::open(reliable()).await;
    for path in ["/nowhere", "/api", "/api/webhooks/none", "/api/webhooks/payments/1", "/%00"] {
        let response = client().get(format!("{}{path}", shop.url)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        let problem = problem(response).await;
        assert_eq!(problem["type"], "urn:ordermill:problem:not-found");
        assert_eq!(problem["detail"], format!("there is nothing at {path}"));
    }
}

#[tokio::test]
async fn another_method_is_a_problem_that_names_the_right_ones() {
    let shop = Shop::open(reliable()).await;
    let cases = [("/healthz", Method::POST, "GET,HEAD"), ("/api/webhooks/payments", Method::GET, "POST")];
    for (path, method, allowed) in cases {
        let request = client().request(method, format!("{}{path}", shop.url));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(response.headers()["allow"], allowed, "{path}");
        assert_eq!(problem(response).await["type"], "urn:ordermill:problem:method-not-allowed");
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_a_problem() {
    let shop = Shop::open(reliable()).await;
    let request = client().post(format!("{}/api/webhooks/payments", shop.url));
    let response = request.header("content-type", "text/plain").body("hello").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(problem(response).await["type"], "urn:ordermill:problem:unsupported-media-type");
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_asks_for_another_try() {
    let shop = Shop::open(reliable()).await;
    shop.stock(10).await;
    let order = shop.place(1).await;
    let callback = shop.callback(order, "e1", "charge.captured");
    shop.app.database().close();
    let response = shop.send(&callback).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(problem(response).await["type"], "urn:ordermill:problem:unavailable");
}

#[tokio::test]
async fn every_answer_carries_the_requests_id_or_a_fresh_one() {
    let shop = Shop::open(reliable()).await;
    let id = async |given: &str| {
        let request = client().get(format!("{}/healthz", shop.url)).header("x-request-id", given);
        let response = request.send().await.unwrap();
        response.headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(id("checkout-7.a_B").await, "checkout-7.a_B");
    let too_long = "x".repeat(65);
    for unsound in ["", "a b", "a\"b", too_long.as_str()] {
        let fresh = id(unsound).await;
        assert_eq!(fresh.len(), 32, "{unsound:?} became {fresh:?}");
    }
    assert_ne!(id("").await, id("").await);
}
