//! The payment simulator's own API.

use std::sync::Arc;

use app::config::GatewaySettings;
use queue::ManualClock;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use testkit::Space;
use web::gateway::GatewayServer;

use crate::support::{Server, client, free_port, reliable, silent, start_gateway, url_of};

struct Gateway {
    client: Client,
    url: String,
    space: Space,
    clock: Arc<ManualClock>,
    server: Server,
}

impl Gateway {
    async fn start() -> Self {
        let space = Space::new();
        let clock = Arc::new(ManualClock::default());
        let (client, listener) = (client(), free_port().await);
        let url = url_of(&listener);
        let server = start_gateway(&space, &silent(), listener, &clock);
        Gateway { client, url, space, clock, server }
    }

    async fn killed_and_started_again(self) -> Self {
        self.server.crash().await;
        let listener = free_port().await;
        let url = url_of(&listener);
        let server = start_gateway(&self.space, &silent(), listener, &self.clock);
        Gateway { url, server, ..self }
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let response = self.client.post(format!("{}{path}", self.url)).json(body).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
}

fn charge(key: &str) -> Value {
    json!({"key": key, "amount": 500, "currency": "EUR"})
}

fn refund(key: &str, amount: i64) -> Value {
    json!([{"key": key, "charge_key": "c1", "amount": amount, "currency": "EUR"}])
}

#[tokio::test]
async fn the_same_key_is_the_same_charge_also_after_a_kill() {
    let gateway = Gateway::start().await;
    let accepted = json!([{"answer": "accepted", "reference": "ch_c1"}]);
    let wish = json!([charge("c1")]);
    assert_eq!(gateway.post("/charges", &wish).await, (StatusCode::OK, accepted.clone()));
    assert_eq!(gateway.post("/charges", &wish).await.1, accepted);
    assert_eq!(gateway.post("/refunds", &refund("r1", 200)).await.0, StatusCode::OK);

    let gateway = gateway.killed_and_started_again().await;
    assert_eq!(gateway.post("/charges", &wish).await.1, accepted);
    assert_eq!(gateway.post("/refunds", &refund("r1", 200)).await.0, StatusCode::OK);
    let (_, known) = gateway.get("/charges/c1").await;
    assert_eq!(known["amount"], json!({"amount": 500, "currency": "EUR"}));
    assert_eq!(known["refunded"], json!({"amount": 200, "currency": "EUR"}));
    assert_eq!(known["state"], "captured");
    gateway.server.stop().await;
}

#[tokio::test]
async fn no_more_goes_back_than_was_captured() {
    let gateway = Gateway::start().await;
    gateway.post("/charges", &json!([charge("c1")])).await;
    assert_eq!(gateway.post("/refunds", &refund("r1", 300)).await.1[0]["answer"], "succeeded");
    assert_eq!(gateway.post("/refunds", &refund("r2", 201)).await.1[0]["answer"], "refused");
    assert_eq!(gateway.post("/refunds", &refund("r3", 200)).await.1[0]["answer"], "succeeded");
    assert_eq!(gateway.get("/charges/c1").await.1["refunded"]["amount"], 500);
}

#[tokio::test]
async fn voids_tell_where_each_charge_stands() {
    let gateway = Gateway::start().await;
    gateway.post("/charges", &json!([charge("c1")])).await;
    let (_, states) = gateway.post("/voids", &json!(["c1", "c2"])).await;
    assert_eq!(
        states,
        json!([{"state": "captured", "reference": "ch_c1", "amount": 500, "currency": "EUR"}, {"state": "unknown"}])
    );
}

#[tokio::test]
async fn an_unknown_charge_is_not_found() {
    let gateway = Gateway::start().await;
    let (status, problem) = gateway.get("/charges/c9").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(problem["detail"], "there is no charge c9");
    assert_eq!(gateway.get("/charges/%ff").await.0, StatusCode::NOT_FOUND);
    assert_eq!(gateway.get("/healthz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_list_with_a_wrong_wish_is_refused_whole_and_says_which() {
    let gateway = Gateway::start().await;
    let wishes = json!([
        charge("c1"),
        charge("c1"),
        {"key": "", "amount": 1, "currency": "EUR"},
        {"key": "c4", "amount": 0, "currency": "EUR"},
    ]);
    let (status, problem) = gateway.post("/charges", &wishes).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|one| &one["pointer"]).collect();
    assert_eq!(pointers, ["/1/key", "/2/key", "/3/amount"]);
    assert_eq!(gateway.get("/charges/c1").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn bodies_that_are_no_lists_of_wishes_say_what_is_wrong() {
    let gateway = Gateway::start().await;
    let send = async |kind: &str, body: String| {
        let request = gateway.client.post(format!("{}/charges", gateway.url)).header("content-type", kind);
        let response = request.body(body).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let status = response.status();
        let problem: Value = response.json().await.unwrap();
        (status.as_u16(), problem["type"].as_str().unwrap().replace("urn:ordermill:problem:", ""))
    };
    let json = "application/json";
    let said = |status: u16, kind: &str| (status, kind.to_owned());
    assert_eq!(send(json, "[{".to_owned()).await, said(400, "malformed-json"));
    assert_eq!(send(json, "{}".to_owned()).await, said(422, "unfit-body"));
    assert_eq!(send(json, r#"[{"key": "c1"}]"#.to_owned()).await, said(422, "unfit-body"));
    assert_eq!(send("text/plain", "[]".to_owned()).await, said(415, "unsupported-media-type"));
    assert_eq!(send(json, " ".repeat(1024 * 1024 + 1)).await, said(413, "body-too-large"));
}

#[tokio::test]
async fn a_gateway_that_could_not_call_back_does_not_start() {
    client();
    let wrong = [
        GatewaySettings { webhook_secrets: Vec::new(), ..reliable() },
        GatewaySettings { callback_url: "shop.example".to_owned(), ..reliable() },
        GatewaySettings { callback_url: "ftp://shop.example/".to_owned(), ..reliable() },
    ];
    for (settings, name) in wrong.into_iter().zip(["webhook_secrets", "callback_url", "callback_url"]) {
        let space = Space::new();
        let mut server =
            GatewayServer { database: app::config::DatabaseSettings::default(), gateway: settings };
        server.database.url = space.database_url().to_owned();
        let clock = Arc::new(ManualClock::default());
        let error =
            web::gateway::run(server, free_port().await, clock, std::future::pending()).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("[gateway] {name}: ")), "{error}");
    }
}

#[tokio::test]
async fn a_taken_address_is_told_by_its_name() {
    let taken = free_port().await;
    let address = taken.local_addr().unwrap();
    let error = web::listen(address).await.unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
