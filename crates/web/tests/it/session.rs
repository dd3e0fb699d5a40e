//! A walk through the whole API. Its requests and answers are the examples of the document.

use std::collections::BTreeMap;

use app::Actor;
use app::access::tokens::{self, Wanted};
use app::config::WebhookSettings;
use domain::{Role, TokenName};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::document::operations;
use crate::support::{SECRET, Shop, client, free_port, reliable};

/// A shop, and what was said with it.
pub struct Session {
    pub shop: Shop,
    pub token: String,
    /// By the operation's name: its parameters, its request, its answers by their status.
    pub told: BTreeMap<String, Value>,
    /// Where files lie that are named.
    folder: TempDir,
}

/// What is asked.
enum Body {
    None,
    Json(Value),
    Form { file: &'static str, options: Value },
}

const FILE: &str = "order_id,order_date,customer_email,sku,quantity,unit_price,currency\n\
                    F-1,2029-12-01,ann@example.org,MUG-1,2,12.50,EUR\n\
                    F-2,2029-12-01,bob@example.org,MUG-1,none,12.50,EUR\n";
const SECOND_FILE: &str = "order_id,order_date,customer_email,sku,quantity,unit_price,currency\n\
                           G-1,2029-12-02,ann@example.org,MUG-1,1,12.50,EUR\n";

impl Session {
    /// Walks through everything.
    pub async fn walk() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shop = Shop::open_with(free_port().await, |config| {
            config.gateway = reliable();
            config.imports.folders = vec![folder.path().to_owned()];
            config.notifications.channels = vec!["log".to_owned(), "webhook".to_owned()];
            config.notifications.webhook = WebhookSettings {
                // Nobody is there.
                url: "http://127.0.0.1:9/orders".to_owned(),
                secrets: vec![SECRET.to_owned()],
                allow_private: true,
                ..WebhookSettings::default()
            };
        })
        .await;
        let name = TokenName::parse("till").unwrap();
        let wanted = Wanted { name, role: Role::Admin, owner: None, expires_at: None };
        let token = tokens::create(&shop.app, &Actor::CLI, wanted).await.unwrap().0;
        let mut session = Session { shop, token, told: BTreeMap::new(), folder };
        session.sells().await;
        session.gives_back().await;
        session.imports().await;
        session.names_a_file().await;
        session.counts().await;
        session.operates().await;
        session
    }

    /// What was told, with the places of files as a shop may have them.
    fn on_another_machine(&self) -> BTreeMap<String, Value> {
        let text = serde_json::to_string(&self.told).unwrap();
        let text = text.replace(self.folder.path().to_str().unwrap(), "/srv/orders");
        let text = text.replace(self.shop.folder().to_str().unwrap(), "/var/lib/ordermill");
        serde_json::from_str(&text).unwrap()
    }

    async fn sells(&mut self) {
        let delivery = json!({ "kind": "receive", "quantity": 100, "name": "Teapot",
            "price": { "amount": 1_999, "currency": "EUR" }, "note": "delivery 17" });
        let parameters = json!({ "sku": "TEA-1", "Idempotency-Key": "delivery-17" });
        self.post("/api/products/{sku}/stock", parameters, delivery).await;
        for number in 1..=4 {
            let order = json!({ "source": "shop", "external_id": format!("A-{number}"),
                "customer": { "email": "jane@example.com", "name": "Jane Doe" },
                "lines": [{ "sku": "TEA-1", "quantity": 3 }], "shipping": 490 });
            let key = json!({ "Idempotency-Key": format!("cart-{number}") });
            self.post("/api/orders", key, order.clone()).await;
            if number == 1 {
                let same = self.post("/api/orders", json!({}), order).await;
                assert_eq!(same["external_id"], "A-1");
            }
        }
        self.shop.work().await;
        let shipped =
            json!({ "lines": [{ "line_no": 1, "quantity": 3 }], "carrier": "Post", "tracking": "RR1" });
        self.post("/api/orders/{order}/ship", json!({ "order": "shop:A-1" }), shipped).await;
        self.post("/api/orders/{order}/deliver", json!({ "order": "shop:A-1" }), json!({})).await;
        let called_off = json!({ "reason": "ordered twice" });
        self.post("/api/orders/{order}/cancel", json!({ "order": "shop:A-2" }), called_off).await;
    }

    async fn gives_back(&mut self) {
        let refund = json!({ "order_id": 1, "lines": [{ "line_no": 1, "quantity": 1 }],
            "restock": false, "reason": "cracked" });
        self.post("/api/refunds", json!({ "Idempotency-Key": "ticket-4711" }), refund).await;
        self.shop.work().await;
        self.get("/api/refunds/{id}", json!({ "id": 1 })).await;
        self.get("/api/refunds", json!({ "order": 1, "limit": 2 })).await;
        self.get("/api/orders", json!({ "limit": 2, "status": "confirmed" })).await;
        self.get("/api/orders/{order}", json!({ "order": "shop:A-1" })).await;
        let callback = self.shop.callback(domain::OrderId::from_ledger(3), "evt-1", "charge.captured");
        let (status, verdict) = self.shop.deliver(&callback).await;
        assert_eq!(status, 200, "{verdict}");
        let request: Value = serde_json::from_str(&callback.body).unwrap();
        let parameters = json!({ "webhook-id": "evt-1", "webhook-timestamp": "1767225600" });
        self.tell("webhooks_receive", &parameters, Some(("application/json", request)), 200, verdict);
    }

    async fn imports(&mut self) {
        let address = "/api/orders/import";
        let options = json!({ "source": "shop", "initial_stock": 100 });
        let form = || Body::Form { file: FILE, options: options.clone() };
        let id = self.ask(Method::POST, address, json!({}), form()).await["id"].clone();
        self.shop.work().await;
        self.ask(Method::POST, address, json!({}), form()).await;
        self.get("/api/imports", json!({ "limit": 1 })).await;
        self.get("/api/imports/{id}", json!({ "id": id })).await;
        self.get("/api/imports/{id}/rejects.csv", json!({ "id": id })).await;
        let second = Body::Form { file: SECOND_FILE, options: options.clone() };
        let id = self.ask(Method::POST, address, json!({}), second).await["id"].clone();
        // As if its file had been looked at.
        let number = id.as_i64().unwrap();
        let plan = move |tx: &mut sql::Tx<'_>| -> app::Result<()> {
            tx.execute("UPDATE imports SET status = 2 WHERE id = ?", &[number.into()])?;
            Ok(())
        };
        self.shop.app.transaction("plan", plan).await.unwrap();
        for deed in ["pause", "continue", "cancel"] {
            self.post(&format!("/api/imports/{{id}}/{deed}"), json!({ "id": id }), Value::Null).await;
        }
    }

    async fn names_a_file(&mut self) {
        let path = self.folder.path().join("orders.csv");
        std::fs::write(&path, SECOND_FILE).unwrap();
        let named = json!({ "path": path, "options": { "source": "archive" } });
        self.post("/api/orders/import", json!({}), named).await;
        self.shop.work().await;
    }

    async fn counts(&mut self) {
        self.get("/api/analytics/kpis", json!({ "granularity": "day" })).await;
        self.get("/api/leaderboard", json!({ "of": "products", "limit": 10 })).await;
        self.get("/api/leaderboard/customers/{id}", json!({ "id": 1, "limit": 2 })).await;
        self.get("/api/products", json!({ "limit": 10 })).await;
        let cup = json!({ "sku": "CUP-1", "name": "Cup", "price": { "amount": 450, "currency": "EUR" } });
        self.post("/api/products", json!({ "Idempotency-Key": "cup-1" }), cup).await;
        self.get("/api/products/{sku}", json!({ "sku": "TEA-1" })).await;
        let change = Body::Json(json!({ "name": "Tea cup", "price": { "amount": 490, "currency": "EUR" } }));
        self.ask(Method::PATCH, "/api/products/{sku}", json!({ "sku": "CUP-1" }), change).await;
        self.get("/api/customers", json!({ "text": "jane", "limit": 2 })).await;
        self.get("/api/customers/{id}", json!({ "id": 1 })).await;
        self.get("/api/notifications", json!({ "limit": 2 })).await;
        self.get("/api/notifications/{id}", json!({ "id": 1 })).await;
        self.get("/api/notifications/webhook", json!({})).await;
        self.post("/api/notifications/webhook/enable", json!({}), Value::Null).await;
        let parameters = json!({ "id": 1, "Idempotency-Key": "again-1" });
        self.post("/api/notifications/{id}/resend", parameters, Value::Null).await;
    }

    async fn operates(&mut self) {
        let broken = queue::NewJob::new("notifications", "send_notification", "{}");
        let batch = queue::NewBatch { name: "mails".to_owned(), jobs: vec![broken], callback: None };
        let queue = self.shop.app.queue().clone();
        let create =
            move |tx: &mut sql::Tx<'_>| -> app::Result<_> { Ok(queue.create_batch_in(tx, &batch)?.id) };
        let batch = self.shop.app.transaction("create_batch", create).await.unwrap();
        self.shop.work().await;
        self.get("/api/batches", json!({})).await;
        self.get("/api/batches/{id}", json!({ "id": batch })).await;
        self.get("/api/failures", json!({})).await;
        let registry = app::jobs::registry(&self.shop.app).unwrap();
        let supervisor = queue::Supervisor::start(self.shop.app.queue().clone(), registry).await.unwrap();
        self.get("/api/workers", json!({})).await;
        supervisor.stop();
        supervisor.wait().await;
        // Of two ways out, the odd ones are in the log.
        let again = json!({ "id": 3 });
        self.post("/api/notifications/{id}/resend", again, Value::Null).await;
        self.get("/api/queues", json!({})).await;
        self.shop.app.queue().flush_metrics().await.unwrap();
        self.get("/api/queues/{queue}/metrics", json!({ "queue": "stock", "per": "hour", "hours": 24 }))
            .await;
        self.get("/api/system", json!({})).await;
        self.get("/api/webhooks", json!({ "limit": 2 })).await;
        for deed in ["pause", "continue"] {
            self.post(
                &format!("/api/queues/{{queue}}/{deed}"),
                json!({ "queue": "notifications" }),
                Value::Null,
            )
            .await;
        }
        let jobs = self.get("/api/jobs", json!({ "state": "available", "limit": 2 })).await;
        let id = jobs["data"][0]["id"].clone();
        self.post("/api/jobs/{id}/cancel", json!({ "id": id }), Value::Null).await;
        self.get("/api/jobs/{id}", json!({ "id": id })).await;
        self.post("/api/jobs/{id}/retry", json!({ "id": id }), Value::Null).await;
        self.post("/api/jobs/cancel", json!({}), json!({ "ids": [id] })).await;
        let choice = json!({ "filter": { "state": "cancelled", "queue": "notifications" } });
        self.post("/api/jobs/retry", json!({}), choice).await;
        self.post("/api/jobs/cancel", json!({}), json!({ "ids": [id] })).await;
        self.ask(Method::DELETE, "/api/jobs/{id}", json!({ "id": id }), Body::None).await;
        self.get("/api/session", json!({})).await;
        self.get("/api/events", json!({ "topics": "imports,queues" })).await;
        self.get("/api/operator-actions", json!({})).await;
    }

    async fn get(&mut self, address: &str, parameters: Value) -> Value {
        self.ask(Method::GET, address, parameters, Body::None).await
    }

    async fn post(&mut self, address: &str, parameters: Value, body: Value) -> Value {
        let body = if body.is_null() { Body::None } else { Body::Json(body) };
        self.ask(Method::POST, address, parameters, body).await
    }

    /// Asks, as the document says where each parameter belongs; it must succeed.
    async fn ask(&mut self, method: Method, address: &str, parameters: Value, body: Body) -> Value {
        let asked = (address, method.as_str().to_ascii_lowercase());
        let operation = operations()
            .find(|(address, method, _)| (*address, *method) == (asked.0, asked.1.as_str()))
            .unwrap_or_else(|| panic!("{asked:?} is not described"))
            .2;
        let mut url = format!("{}{address}", self.shop.url);
        for (name, value) in parameters.as_object().unwrap() {
            url = url.replace(&format!("{{{name}}}"), &plain(value));
        }
        let (mut query, mut headers) = (form_urlencoded::Serializer::new(String::new()), HeaderMap::new());
        for (name, value) in parameters.as_object().unwrap() {
            let known = operation["parameters"].as_array().unwrap();
            let known =
                known.iter().find(|one| one["name"] == *name).expect("the document has the parameter");
            match known["in"].as_str().unwrap() {
                "query" => {
                    query.append_pair(name, &plain(value));
                }
                "header" => {
                    headers.insert(HeaderName::try_from(name).unwrap(), plain(value).parse().unwrap());
                }
                _ => {}
            }
        }
        let request = client().request(method, format!("{url}?{}", query.finish()));
        let (request, body) = with_body(request.headers(headers).bearer_auth(&self.token), body);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let media_type = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
        let is_json = media_type.contains("json");
        let text = if media_type == "text/event-stream" {
            beginning(response).await
        } else {
            response.text().await.unwrap()
        };
        let answer = if is_json { serde_json::from_str(&text).unwrap() } else { Value::String(text) };
        assert!(status < 300, "{asked:?} {parameters}: {status} {answer}");
        self.tell(operation["operationId"].as_str().unwrap(), &parameters, body, status, answer.clone());
        answer
    }

    /// Keeps what was said; the first of its kind is the example.
    fn tell(&mut self, operation: &str, parameters: &Value, request: Request, status: u16, answer: Value) {
        let none = || json!({ "parameters": {}, "requests": {}, "answers": {} });
        let told = self.told.entry(operation.to_owned()).or_insert_with(none);
        let keep = |into: &mut Map<String, Value>, name: &str, value: Value| {
            into.entry(name).or_insert(value);
        };
        for (name, value) in parameters.as_object().unwrap() {
            keep(told["parameters"].as_object_mut().unwrap(), name, value.clone());
        }
        if let Some((media_type, request)) = request {
            keep(told["requests"].as_object_mut().unwrap(), media_type, request);
        }
        keep(told["answers"].as_object_mut().unwrap(), &status.to_string(), answer);
    }
}

/// What a stream begins with, up to its first event; it has no end.
async fn beginning(mut stream: Response) -> String {
    let mut text = String::new();
    while !text.contains("event:") || !text.ends_with("\n\n") {
        text.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().expect("it goes on")).unwrap());
    }
    text
}

/// What is sent, by its media type.
type Request = Option<(&'static str, Value)>;

fn with_body(request: RequestBuilder, body: Body) -> (RequestBuilder, Request) {
    match body {
        Body::None => (request, None),
        Body::Json(body) => (request.json(&body), Some(("application/json", body))),
        Body::Form { file, options } => {
            let part = Part::text(file).file_name("orders.csv");
            let form = Form::new().text("options", options.to_string()).part("file", part);
            (
                request.multipart(form),
                Some(("multipart/form-data", json!({ "file": file, "options": options }))),
            )
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The names of all fields at any depth, without the values; lists by their first entry.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(entries) => entries.first().map(shape).into_iter().collect(),
        _ => Value::Null,
    }
}

#[tokio::test]
async fn the_examples_are_what_is_answered() {
    let session = Session::walk().await;
    if !session.shop.is_on_sqlite() {
        // What is told of the engines differs; the examples are of SQLite.
        return;
    }
    let mut told = session.on_another_machine();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/openapi/examples.json");
    let known: BTreeMap<String, Value> =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    // Keys and process ids differ from run to run: what has kept its form stays as it was written.
    for (operation, told) in &mut told {
        if let Some(known) = known.get(operation).filter(|known| shape(known) == shape(told)) {
            *told = known.clone();
        }
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&told).unwrap() + "\n").unwrap();
    } else {
        for (operation, told) in &told {
            assert_eq!(known.get(operation), Some(told), "{operation}: run this test with UPDATE_DOCS=1");
        }
        assert_eq!(known.len(), told.len(), "an example is of no endpoint: run this test with UPDATE_DOCS=1");
    }
}
