//! How the gateway calls a shop back that does not always listen.

use std::sync::Arc;
use std::time::Duration;

use app::config::GatewaySettings;
use app::gateways::signature::{Headers, Secrets};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use queue::{Clock as _, ManualClock, Queue};
use reqwest::Client;
use serde_json::{Value, json};
use sql::Database;
use testkit::Space;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::support::{SECRET, Server, client, free_port, reliable, start_gateway, url_of};

/// Looks before a test gives up waiting.
const PATIENCE: usize = 600;

/// A shop that answers callbacks as it is told to, and shows what came.
struct Listener {
    callbacks: UnboundedReceiver<(HeaderMap, String)>,
    space: Space,
    clock: Arc<ManualClock>,
    gateway: String,
    client: Client,
    _server: Server,
}

impl Listener {
    /// A shop that answers its first callbacks with these statuses, and takes all others.
    async fn answering(statuses: &'static [u16]) -> Self {
        let (client, (sender, callbacks)) = (client(), unbounded_channel());
        let (shop, gateway) = (free_port().await, free_port().await);
        let settings = GatewaySettings { callback_url: format!("{}/hook", url_of(&shop)), ..reliable() };
        let statuses = Arc::new(std::sync::Mutex::new(statuses.iter()));
        let hook = async move |State(sender): State<UnboundedSender<_>>, headers: HeaderMap, body: String| {
            let status = statuses.lock().unwrap().next().copied().unwrap_or(204);
            sender.send((headers, body)).unwrap();
            (StatusCode::from_u16(status).unwrap(), [("location", "/elsewhere")])
        };
        let routes =
            Router::new().route("/hook", post(hook)).fallback(async || "elsewhere").with_state(sender);
        tokio::spawn(async move { axum::serve(shop, routes).await });
        let space = Space::new();
        let clock = Arc::new(ManualClock::default());
        let url = url_of(&gateway);
        let server = start_gateway(&space, &settings, gateway, &clock);
        Listener { callbacks, space, clock, gateway: url, client, _server: server }
    }

    async fn charge(&self, key: &str) {
        let wish = json!([{"key": key, "amount": 500, "currency": "EUR"}]);
        let sent = self.client.post(format!("{}/charges", self.gateway)).json(&wish).send().await.unwrap();
        assert_eq!(sent.status().as_u16(), 200);
    }

    /// The next callback, its signature checked: its id and body. The clock moves on while it is waited for.
    async fn next(&mut self) -> (String, Value) {
        let mut tries = 0..PATIENCE;
        let (headers, body) = loop {
            tries.next().expect("a callback comes");
            match tokio::time::timeout(Duration::from_millis(50), self.callbacks.recv()).await {
                Ok(callback) => break callback.expect("the shop listens"),
                Err(_) => self.clock.advance(Duration::from_secs(10)),
            }
        };
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        let [id, timestamp, signature] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(text);
        assert_eq!(text("content-type"), "application/json");
        let signed = Headers { id: id.clone(), timestamp, signature };
        let secrets = Secrets::new(&[SECRET.to_owned()]);
        assert_eq!(secrets.check(&signed, body.as_bytes(), self.clock.now()), Ok(()));
        (id, serde_json::from_str(&body).unwrap())
    }
}

#[tokio::test]
async fn a_callback_is_sent_again_under_its_id_until_it_is_taken() {
    let mut shop = Listener::answering(&[500, 302, 401, 200]).await;
    shop.charge("c1").await;
    let first = shop.next().await;
    assert_eq!(first.0, "evt_c1_1");
    assert_eq!(
        first.1,
        json!({"type": "charge.captured",
               "data": {"key": "c1", "reference": "ch_c1", "amount": 500, "currency": "EUR"}})
    );
    for _ in 0..3 {
        assert_eq!(shop.next().await, first);
    }
}

#[tokio::test]
async fn a_callback_that_nobody_takes_for_a_day_is_given_up_and_kept_with_its_reason() {
    let mut shop = Listener::answering(&[503]).await;
    shop.charge("c1").await;
    shop.next().await;
    let url = shop.space.database_url().to_owned();
    let database = Database::open(&sql::Settings::new(url)).unwrap();
    let queue = Queue::sql(database, shop.clock.clone(), queue::Settings::default()).unwrap();
    let mut tries = 0..PATIENCE;
    let job = loop {
        tries.next().expect("the callback is given up");
        let discarded = queue::Filter::state(queue::State::Discarded);
        let page = queue.list(discarded, queue::PageRequest { after: None, limit: 10 }).await.unwrap();
        if let Some(job) = page.jobs.first() {
            break queue.get(job.id).await.unwrap();
        }
        shop.clock.advance(Duration::from_hours(25));
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let reasons: Vec<_> = job.errors.iter().map(|error| error.message.as_str()).collect();
    assert!(reasons[0].contains("answered 503"), "{reasons:?}");
    assert!(reasons[1].contains("for a day"), "{reasons:?}");
    assert!(shop.callbacks.is_empty());
}
