//! Calls to the shop's own receiver: a real server that checks what it is sent, fails, is slow, and goes away.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::Actor;
use app::config::{Config, WebhookSettings};
use app::gateways::signature::{Headers, Secrets};
use app::notifications::{self, NotificationView};
use app::orders::{NewCustomer, NewOrder, NewOrderLine};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use domain::{Channel, Currency, ExternalId, NotificationStatus, OrderId, Quantity, Role, Sku, SourceName};
use serde_json::{Value, json};
use testkit::Port;
use tokio::task::JoinHandle;

use crate::support::{Shop, free_port, reliable};

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "another secret of the shop's receiver";

/// A call that came.
#[derive(Debug, Clone)]
struct Call {
    headers: Headers,
    body: Vec<u8>,
}

impl Call {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// How a call is answered.
#[derive(Debug, Clone)]
enum Answer {
    Status(u16),
    Redirect(String),
    /// A body that does not end.
    Endless(u16),
    /// Nothing is ever answered.
    Silence,
}

#[derive(Clone, Default)]
struct Book {
    calls: Arc<Mutex<Vec<Call>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

/// The shop's own receiver. It answers 200 unless it is told otherwise.
struct Receiver {
    url: String,
    port: Port,
    book: Book,
    task: JoinHandle<()>,
}

impl Receiver {
    async fn start() -> Self {
        let (port, book) = (Port::reserve(), Book::default());
        let url = format!("http://{port}/hooks/orders?key=secret");
        let task = listen(&port, &book).await;
        Receiver { url, port, book, task }
    }

    fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.book.answers.lock().unwrap().extend(answers);
    }

    fn calls(&self) -> Vec<Call> {
        self.book.calls.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(port: &Port, book: &Book) -> JoinHandle<()> {
    let listener = web::listen(port.to_string().parse().unwrap()).await.unwrap();
    let router = Router::new().route("/hooks/orders", post(take)).with_state(book.clone());
    tokio::spawn(axum_serve(listener, router))
}

async fn axum_serve(listener: tokio::net::TcpListener, router: Router) {
    use hyper::server::conn::http1;
    use hyper_util::rt::TokioIo;
    use hyper_util::service::TowerToHyperService;
    while let Ok((stream, _)) = listener.accept().await {
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn take(State(book): State<Book>, headers: HeaderMap, body: axum::body::Bytes) -> Response {
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(text("content-type"), "application/json");
    let signed = Headers {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signature: text("webhook-signature"),
    };
    book.calls.lock().unwrap().push(Call { headers: signed, body: body.to_vec() });
    let answer = book.answers.lock().unwrap().pop_front();
    match answer.unwrap_or(Answer::Status(200)) {
        Answer::Status(status) => (StatusCode::from_u16(status).unwrap(), "so it is").into_response(),
        Answer::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Answer::Endless(status) => {
            let (mut sender, receiver) = tokio::io::duplex(64 * 1024);
            tokio::spawn(async move {
                use tokio::io::AsyncWriteExt as _;
                while sender.write_all(&[b'x'; 8192]).await.is_ok() {}
            });
            let body = Body::from_stream(tokio_util::io::ReaderStream::new(receiver));
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        }
        Answer::Silence => std::future::pending().await,
    }
}

fn calling(url: &str) -> impl FnOnce(&mut Config) + use<> {
    let url = url.to_owned();
    move |config| {
        config.gateway = reliable();
        config.notifications.channels = vec!["webhook".to_owned()];
        config.notifications.webhook = WebhookSettings {
            url,
            secrets: vec![NEW.to_owned(), OLD.to_owned()],
            allow_private: true,
            disabled_after: Duration::from_hours(6),
            ..WebhookSettings::default()
        };
    }
}

async fn open(receiver: &Receiver, change: impl FnOnce(&mut Config)) -> Shop {
    let settings = calling(&receiver.url);
    let shop = Shop::open_with(free_port().await, |config| {
        settings(config);
        change(config);
    });
    let shop = shop.await;
    shop.stock(1_000).await;
    shop
}

/// An order of a customer whom nobody could mail.
async fn place(shop: &Shop, number: u32) -> OrderId {
    let sku = Sku::parse("MUG").unwrap();
    let line = NewOrderLine { sku, quantity: Quantity::new(2).unwrap(), unit_price: None };
    let customer = ExternalId::parse("customer-7").unwrap();
    let order = NewOrder {
        source: SourceName::parse("shop").unwrap(),
        external_id: ExternalId::parse(&format!("A-{number}")).unwrap(),
        customer: NewCustomer { external_id: Some(customer), ..NewCustomer::default() },
        currency: Currency::parse("EUR").unwrap(),
        placed_at: None,
        lines: vec![line],
        shipping: 0,
        discount: 0,
        notify: true,
    };
    app::orders::place(&shop.app, &Actor::SYSTEM, order).await.unwrap().0.id
}

async fn only(shop: &Shop, order: OrderId) -> NotificationView {
    let [one] = &notifications::of_order(&shop.app, order).await.unwrap()[..] else {
        panic!("other than one")
    };
    notifications::view(&shop.app, one.id).await.unwrap()
}

async fn wait_and_work(shop: &Shop, time: Duration) {
    shop.clock.advance(time);
    shop.work().await;
}

#[tokio::test]
async fn the_receiver_is_told_of_what_happens_signed_by_every_live_secret() {
    let receiver = Receiver::start().await;
    let shop = open(&receiver, |_| ()).await;
    let id = place(&shop, 1).await;
    shop.work().await;
    let [call] = &receiver.calls()[..] else { panic!("{:?}", receiver.calls()) };
    for secret in [OLD, NEW] {
        let secrets = Secrets::new(&[secret.to_owned()]);
        secrets.check(&call.headers, &call.body, shop.app.now()).unwrap();
        assert!(secrets.check(&call.headers, b"{}", shop.app.now()).is_err());
    }
    let body = call.json();
    assert_eq!(
        (&body["type"], &body["data"]["order"]["id"]),
        (&json!("order.confirmed"), &json!(id)),
        "{body}"
    );
    assert_eq!(body["data"]["order"]["external_id"], "A-1");
    assert_eq!(body["data"]["order"]["total"], json!({ "amount": 2_500, "currency": "EUR" }));
    assert_eq!(body["data"]["event"]["kind"], "order_confirmed");
    assert!(!body.to_string().contains("customer-7"), "whoever the customer is, it asks for: {body}");
    let told = only(&shop, id).await;
    let Some(origin) = receiver.url.strip_suffix("/hooks/orders?key=secret") else {
        panic!("{}", receiver.url)
    };
    assert_eq!((told.notification.channel, told.notification.recipient.as_str()), (Channel::Webhook, origin));
    assert_eq!(told.notification.status, NotificationStatus::Sent);
    assert_eq!(told.text.unwrap().as_bytes(), call.body, "the history has what was sent");

    assert_eq!(body["data"]["event"]["data"], json!({}), "keys of payments are nobody's business");
    let shipping =
        app::orders::Shipping { tracking: Some("RR1".to_owned()), ..app::orders::Shipping::default() };
    app::orders::ship(&shop.app, &Actor::SYSTEM, id, shipping).await.unwrap();
    shop.work().await;
    let types: Vec<Value> = receiver.calls().iter().map(|call| call.json()["type"].clone()).collect();
    assert_eq!(types, ["order.confirmed", "order.shipped"]);
    let shipped = receiver.calls()[1].json();
    assert_eq!(shipped["data"]["event"]["data"], json!({ "tracking": "RR1" }));
}

#[tokio::test]
async fn a_call_that_fails_is_repeated_the_same_until_it_is_taken() {
    let receiver = Receiver::start().await;
    let elsewhere = Receiver::start().await;
    let shop =
        open(&receiver, |config| config.notifications.webhook.timeout = Duration::from_millis(300)).await;
    let moved = Answer::Redirect(elsewhere.url.clone());
    receiver.answer([Answer::Status(500), Answer::Status(404), moved, Answer::Endless(503), Answer::Silence]);
    let id = place(&shop, 1).await;
    shop.work().await;
    for attempt in 1..=5 {
        let told = only(&shop, id).await;
        assert_eq!((told.notification.status, told.failures.len()), (NotificationStatus::Queued, attempt));
        wait_and_work(&shop, Duration::from_mins(30)).await;
    }
    let told = only(&shop, id).await;
    assert_eq!((told.notification.status, told.notification.attempts), (NotificationStatus::Sent, 6));
    let said: Vec<&str> = told.failures.iter().map(|failure| failure.error.as_deref().unwrap()).collect();
    for (said, expected) in said.iter().zip(["500", "404", "302", "503", "timed out"]) {
        assert!(said.contains(expected) && said.len() < 400 && !said.contains("secret"), "{said}");
    }
    let calls = receiver.calls();
    assert_eq!(calls.len(), 6);
    for call in &calls[1..] {
        assert_eq!((&call.headers.id, &call.body), (&calls[0].headers.id, &calls[0].body));
    }
    assert_ne!(calls[0].headers.timestamp, calls[5].headers.timestamp, "each attempt is signed anew");
    assert_eq!(elsewhere.calls().len(), 0, "a redirection is not followed");
    let receiver = notifications::receiver(&shop.app).await.unwrap().unwrap();
    assert_eq!((receiver.status, receiver.failures), ("working", 0));
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_not_read_to_its_end() {
    let receiver = Receiver::start().await;
    let shop = open(&receiver, |_| ()).await;
    receiver.answer([Answer::Endless(200)]);
    let id = place(&shop, 1).await;
    shop.work().await;
    assert_eq!(only(&shop, id).await.notification.status, NotificationStatus::Sent);
}

#[tokio::test]
async fn a_receiver_that_takes_nothing_for_long_is_switched_off_and_says_so() {
    let receiver = Receiver::start().await;
    let shop = open(&receiver, |_| ()).await;
    let (operator, admin) = (shop.speaker(Role::Operator).await, shop.speaker(Role::Admin).await);
    receiver.answer(std::iter::repeat_n(Answer::Status(500), 100));
    place(&shop, 1).await;
    shop.work().await;
    let failing = operator.get("/notifications/webhook").await.body;
    assert_eq!((&failing["status"], &failing["failures"]), (&json!("failing"), &json!(1)), "{failing}");
    wait_and_work(&shop, Duration::from_hours(5)).await;
    assert_eq!(operator.get("/notifications/webhook").await.body["status"], "failing");
    wait_and_work(&shop, Duration::from_hours(2)).await;
    let off = operator.get("/notifications/webhook").await.body;
    assert_eq!((&off["status"], &off["failures"]), (&json!("disabled"), &json!(3)), "{off}");
    assert!(off["error"].as_str().unwrap().contains("500"), "{off}");
    let log = admin.get("/operator-actions").await.body["data"][0].clone();
    assert_eq!((&log["kind"], &log["actor"]), (&json!("webhook_disabled"), &json!("system")), "{log}");

    // While it is off nothing is sent, and the history says why.
    let calls = receiver.calls().len();
    let second = place(&shop, 2).await;
    wait_and_work(&shop, Duration::from_hours(2)).await;
    let skipped = only(&shop, second).await.notification;
    assert_eq!(skipped.status, NotificationStatus::Skipped);
    assert!(skipped.error.unwrap().contains("switched off since"));
    assert_eq!(receiver.calls().len(), calls);

    receiver.book.answers.lock().unwrap().clear();
    let viewer = shop.speaker(Role::Viewer).await;
    assert_eq!(viewer.post("/notifications/webhook/enable", &json!({})).await.status, 403);
    let on = operator.post("/notifications/webhook/enable", &json!({})).await;
    assert_eq!((on.status, &on.body["status"]), (200, &json!("working")), "{on:?}");
    assert_eq!(admin.get("/operator-actions").await.body["data"][0]["kind"], "webhook_enabled");
    let again = operator.post(&format!("/notifications/{}/resend", skipped.id), &json!({})).await;
    assert_eq!(again.status, 202, "{again:?}");
    place(&shop, 3).await;
    shop.work().await;
    let mut told: Vec<Value> = receiver.calls()[calls..]
        .iter()
        .map(|call| call.json()["data"]["order"]["external_id"].clone())
        .collect();
    told.sort_by_key(Value::to_string);
    assert_eq!(told, ["A-2", "A-3"]);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_switched_off_at_once() {
    let receiver = Receiver::start().await;
    let shop = open(&receiver, |_| ()).await;
    receiver.answer([Answer::Status(410)]);
    let id = place(&shop, 1).await;
    shop.work().await;
    assert_eq!(only(&shop, id).await.notification.status, NotificationStatus::Failed);
    assert_eq!(notifications::receiver(&shop.app).await.unwrap().unwrap().status, "disabled");
}

#[tokio::test]
async fn nothing_that_is_not_public_is_called_unless_it_is_allowed() {
    let receiver = Receiver::start().await;
    let port = receiver.url.split(':').nth(2).unwrap().split('/').next().unwrap();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"] {
        let url = format!("http://{host}:{port}/hooks/orders");
        let shop = open(&receiver, |config| {
            config.notifications.webhook.url = url;
            config.notifications.webhook.allow_private = false;
        });
        let shop = shop.await;
        let id = place(&shop, 1).await;
        shop.work().await;
        let told = only(&shop, id).await;
        assert_eq!(told.notification.status, NotificationStatus::Queued, "{host}");
        assert!(told.notification.error.unwrap().contains("not public"), "{host}");
    }
    assert_eq!(receiver.calls().len(), 0);
}

#[tokio::test]
async fn a_receiver_that_disappears_and_comes_back_misses_nothing() {
    let mut receiver = Receiver::start().await;
    let shop = open(&receiver, |_| ()).await;
    receiver.task.abort();
    // The port is free once the task has ended.
    let _ = (&mut receiver.task).await;
    for number in 0..20 {
        place(&shop, number).await;
    }
    shop.work().await;
    assert_eq!(notifications::receiver(&shop.app).await.unwrap().unwrap().status, "failing");
    receiver.task = listen(&receiver.port, &receiver.book).await;
    for _ in 0..4 {
        wait_and_work(&shop, Duration::from_hours(1)).await;
    }
    let mut told: Vec<String> = receiver.calls().iter().map(|call| call.headers.id.clone()).collect();
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 20);
}
