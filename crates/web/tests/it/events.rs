//! Live events: what is told, to whom, after whatever happened in between.

use std::collections::BTreeMap;
use std::time::Duration;

use app::orders::news;
use app::{Actor, App};
use domain::{Role, TokenName};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;

use crate::support::{Shop, client, free_port, reliable};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// An event as a client sees it.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    id: Option<String>,
    name: String,
    data: Value,
}

/// Somebody who listens.
struct Stream {
    response: Response,
    buffer: String,
    last_id: Option<String>,
}

impl Stream {
    async fn open(shop: &Shop, token: &str, topics: &str, last_id: Option<&str>) -> Self {
        let response = listen(&client(), shop, token, topics, last_id).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Stream { response, buffer: String::new(), last_id: None }
    }

    /// The next event; none once the server has ended the stream in good order.
    async fn next(&mut self) -> Option<Event> {
        tokio::time::timeout(PATIENCE, self.receive()).await.expect("it comes in time")
    }

    async fn receive(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                if let Some(event) = self.read(&block) {
                    return Some(event);
                }
                continue;
            }
            let chunk = self.response.chunk().await.expect("the stream does not break off")?;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// An event, but for comments and hints.
    fn read(&mut self, block: &str) -> Option<Event> {
        let fields: BTreeMap<&str, &str> = block.lines().filter_map(|line| line.split_once(": ")).collect();
        let id = fields.get("id").map(|id| (*id).to_owned());
        if id.is_some() {
            self.last_id.clone_from(&id);
        }
        let name = (*fields.get("event")?).to_owned();
        Some(Event { id, name, data: serde_json::from_str(fields["data"]).unwrap() })
    }

    /// The next event of this name.
    async fn next_of(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if event.name == name {
                return event;
            }
        }
    }

    /// What is told of orders until one comes to this status.
    async fn told_until(&mut self, order: i64, status: &str) -> Vec<(i64, i64)> {
        let mut told = Vec::new();
        loop {
            for event in self.next_of("orders").await.data["events"].as_array().unwrap() {
                let number = |name: &str| event[name].as_i64().unwrap();
                told.push((number("order"), number("version")));
                if number("order") == order && event["status"] == status {
                    return told;
                }
            }
        }
    }
}

async fn listen(client: &Client, shop: &Shop, token: &str, topics: &str, last_id: Option<&str>) -> Response {
    let mut request = client.get(format!("{}/api/events?topics={topics}", shop.url)).bearer_auth(token);
    if let Some(id) = last_id {
        request = request.header("last-event-id", id);
    }
    request.send().await.unwrap()
}

/// Every version of an order once, from the first on.
fn versions(count: i64, order: i64) -> Vec<(i64, i64)> {
    (1..=count).map(|version| (order, version)).collect()
}

#[tokio::test]
async fn what_becomes_of_an_order_is_told_while_it_happens() {
    let shop = Shop::open(reliable()).await;
    shop.stock(10).await;
    let token = shop.token(Role::Viewer).await;
    let mut stream = Stream::open(&shop, &token, "orders", None).await;
    assert_eq!(stream.next().await.unwrap().name, "ready");
    let order = shop.place(1).await.get();
    let first = stream.next_of("orders").await;
    assert_eq!(
        first.data["events"][0],
        serde_json::json!({
            "order": order, "version": 1, "event": "order_placed",
            "status": "pending", "payment": "unpaid", "fulfilment": "unfulfilled",
        })
    );
    assert_eq!(first.data["more"], 0);
    shop.work().await;
    let told = stream.told_until(order, "confirmed").await;
    assert_eq!(told, versions(told.len() as i64 + 1, order)[1..]);
}

#[tokio::test]
async fn what_another_process_does_is_told_too() {
    let shop = Shop::open(reliable()).await;
    shop.stock(10).await;
    let token = shop.token(Role::Viewer).await;
    let mut stream = Stream::open(&shop, &token, "orders,kpis", None).await;
    stream.next_of("kpis").await;
    // As `ordermill work` beside the server: connections, ids and a queue of its own.
    let other = App::open(shop.app.config().clone(), shop.clock.clone(), false).await.unwrap();
    let order = shop.place(1).await.get();
    let registry = app::jobs::registry(&other).unwrap();
    queue::drain(other.queue(), &registry).await.unwrap();
    let told = stream.told_until(order, "confirmed").await;
    assert_eq!(told, versions(told.len() as i64, order));
    app::figures::catch_up(&other).await.unwrap();
    while stream.next_of("kpis").await.data["total"]["orders"] != 1 {}
}

#[tokio::test]
async fn who_comes_back_is_told_what_they_missed_and_nothing_twice() {
    let shop = Shop::open(reliable()).await;
    shop.stock(100).await;
    let token = shop.token(Role::Viewer).await;
    let mut stream = Stream::open(&shop, &token, "orders", None).await;
    let order = shop.place(1).await.get();
    shop.work().await;
    let last = stream.told_until(order, "confirmed").await.last().unwrap().1;
    let id = stream.last_id.clone().unwrap();
    drop(stream);

    // While nobody listens, and while somebody else does.
    let missed = shop.place(2).await.get();
    let mut other = Stream::open(&shop, &token, "orders", None).await;
    shop.work().await;
    assert_eq!(other.told_until(missed, "confirmed").await.last(), Some(&(missed, last)));
    let mut again = Stream::open(&shop, &token, "orders", Some(&id)).await;
    let ready = again.next().await.unwrap();
    assert_eq!((ready.name.as_str(), ready.id.as_deref()), ("ready", Some(id.as_str())));
    assert_eq!(again.told_until(missed, "confirmed").await, versions(last, missed));

    // As after a restart: the whole server is another.
    let id = again.last_id.clone().unwrap();
    drop((again, other));
    let missed = shop.place(3).await.get();
    shop.work().await;
    let second = shop.second().await;
    let mut again = Stream::open(&second, &token, "orders", Some(&id)).await;
    assert_eq!(again.told_until(missed, "confirmed").await, versions(last, missed));
}

#[tokio::test]
async fn who_comes_back_too_late_is_told_to_read_anew() {
    let shop = Shop::open(reliable()).await;
    shop.stock(100).await;
    let token = shop.token(Role::Viewer).await;
    let mut stream = Stream::open(&shop, &token, "orders", None).await;
    let order = shop.place(1).await.get();
    stream.told_until(order, "pending").await;
    let id = stream.last_id.clone().unwrap();
    drop(stream);
    // It has happened without anybody to hear of it, and is forgotten before they come back.
    shop.place(2).await;
    shop.clock.advance(news::KEPT + Duration::from_secs(1));
    news::forget_old_news(&shop.app).await.unwrap();
    for unknown in [id.as_str(), "1", "-5", "nonsense", "9223372036854775807"] {
        let mut again = Stream::open(&shop, &token, "orders", Some(unknown)).await;
        let (ready, reset) = (again.next().await.unwrap(), again.next().await.unwrap());
        assert_eq!((ready.name.as_str(), reset.name.as_str()), ("ready", "reset"), "{unknown}");
        // From there on it can be gone on with.
        let mut then = Stream::open(&shop, &token, "orders", reset.id.as_deref()).await;
        let third = shop.place(3 + rand::random::<u16>() as usize).await.get();
        assert_eq!(then.next().await.unwrap().name, "ready");
        assert_eq!(then.told_until(third, "pending").await, versions(1, third));
    }
}

#[tokio::test]
async fn nothing_is_missed_by_coming_back_after_each_event() {
    let shop = Shop::open(reliable()).await;
    shop.stock(1_000).await;
    let token = shop.token(Role::Viewer).await;
    let mut id = None;
    let mut seen = Vec::new();
    let busy = async {
        for number in 0..40 {
            shop.place(number).await;
        }
    };
    let watch = async {
        while seen.len() < 40 {
            let mut stream = Stream::open(&shop, &token, "orders", id.as_deref()).await;
            if id.is_some() {
                let told = stream.next_of("orders").await;
                let told = told.data["events"].as_array().unwrap();
                seen.extend(told.iter().map(|event| event["order"].as_i64().unwrap()));
            } else {
                stream.next_of("ready").await;
            }
            id = stream.last_id.clone();
        }
    };
    // It listens before the first is placed.
    let begun = Stream::open(&shop, &token, "orders", None).await;
    tokio::join!(watch, busy);
    drop(begun);
    let mut distinct = seen.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), seen.len(), "some were told twice: {seen:?}");
}

#[tokio::test]
async fn how_things_stand_is_told_at_once_and_again_when_it_changes() {
    let shop = Shop::open(reliable()).await;
    shop.stock(10).await;
    let speaker = shop.speaker(Role::Operator).await;
    let token = shop.token(Role::Viewer).await;
    let mut stream = Stream::open(&shop, &token, "queues,kpis,imports", None).await;
    stream.next_of("queues").await;
    speaker.post("/queues/stock/pause", &serde_json::json!({})).await;
    let asked = speaker.get("/queues").await.body["data"].clone();
    while stream.next_of("queues").await.data["data"] != asked {}
    // Who comes later is told as well, though nothing changes any more.
    let mut late = Stream::open(&shop, &token, "queues,kpis", None).await;
    assert_eq!(late.next_of("kpis").await.data, speaker.get("/analytics/kpis").await.body);
    assert_eq!(late.next_of("queues").await.data["data"], asked);

    let file =
        reqwest::multipart::Part::text("order_id,order_date,customer_email,sku,quantity,unit_price,currency\n7,2025-01-01,c@example.org,MUG,1,5.00,EUR\n").file_name("a.csv");
    let form = reqwest::multipart::Form::new().part("file", file);
    let sent = speaker.send(client().post(format!("{}/api/orders/import", shop.url)).multipart(form)).await;
    assert_eq!(sent.status, 202, "{sent:?}");
    assert_eq!(stream.next_of("imports").await.data["file_name"], "a.csv");
    shop.work().await;
    while stream.next_of("imports").await.data["finished_at"].is_null() {}
}

#[tokio::test]
async fn no_more_than_may_listen_do() {
    let shop = Shop::open_with(free_port().await, |config| config.web.events_clients = 2).await;
    let token = shop.token(Role::Viewer).await;
    let first = Stream::open(&shop, &token, "orders", None).await;
    let _second = Stream::open(&shop, &token, "kpis", None).await;
    let speaker = shop.speaker(Role::Viewer).await;
    let refused = speaker.get("/events").await;
    assert_eq!((refused.status, refused.problem()), (503, "too-many-listeners"), "{refused:?}");
    assert!(refused.headers.contains_key("retry-after"));
    drop(first);
    let freed = async {
        while listen(&client(), &shop, &token, "orders", None).await.status() != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, freed).await.expect("who has gone makes room");
}

#[tokio::test]
async fn what_is_no_topic_is_refused() {
    let shop = Shop::open(reliable()).await;
    let speaker = shop.speaker(Role::Viewer).await;
    for path in ["/events?topics=prices", "/events?topics=", "/events?topics=kpis,,orders", "/events?order=1"]
    {
        let refused = speaker.get(path).await;
        assert_eq!((refused.status, refused.problem()), (422, "invalid-request"), "{path}");
    }
}

#[tokio::test]
async fn listening_ends_with_the_token() {
    let heartbeat = Duration::from_millis(50);
    let shop = Shop::open_with(free_port().await, |config| config.web.events_heartbeat = heartbeat).await;
    let (staying, leaving) = (shop.token(Role::Viewer).await, shop.token(Role::Operator).await);
    let mut stays = Stream::open(&shop, &staying, "orders", None).await;
    let mut leaves = Stream::open(&shop, &leaving, "orders", None).await;
    let tokens = app::access::tokens::list(&shop.app).await.unwrap();
    let leaving = tokens.iter().find(|token| token.role == Role::Operator).unwrap();
    let name = TokenName::parse(&leaving.name).unwrap();
    app::access::tokens::revoke(&shop.app, &Actor::CLI, name).await.unwrap();
    while leaves.next().await.is_some() {}
    shop.stock(10).await;
    let order = shop.place(1).await.get();
    stays.told_until(order, "pending").await;
}

#[tokio::test]
async fn listening_is_no_use_of_a_session_and_ends_with_it() {
    let heartbeat = Duration::from_millis(50);
    let shop = Shop::open_with(free_port().await, |config| config.web.events_heartbeat = heartbeat).await;
    let response = shop.signed_in(Role::Viewer).await.get("/api/events?topics=orders").await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut stream = Stream { response, buffer: String::new(), last_id: None };
    shop.clock.advance(Duration::from_hours(6));
    // Each comes with a look at who listens.
    for _ in 0..3 {
        stream.response.chunk().await.unwrap().expect("six hours are not too long");
    }
    shop.clock.advance(Duration::from_hours(6));
    while stream.next().await.is_some() {}
}

#[tokio::test]
async fn listening_ends_with_the_server_in_good_order() {
    let shop = Shop::open(reliable()).await;
    let token = shop.token(Role::Viewer).await;
    let mut streams = Vec::new();
    for topics in ["orders", "kpis", "queues,imports"] {
        streams.push(Stream::open(&shop, &token, topics, None).await);
    }
    shop.stop().await;
    for mut stream in streams {
        while stream.next().await.is_some() {}
    }
}
