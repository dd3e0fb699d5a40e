//! A shop and a gateway on free ports of the loopback, over databases of their own, on a clock that tests move.

use std::future::Future;
use std::sync::{Arc, Once};
use std::time::Duration;

use app::access::tokens::{self, Wanted};
use app::access::{Password, users};
use app::config::{Config, DatabaseSettings, GatewayMode, GatewaySettings};
use app::gateways::signature::Secrets;
use app::orders::{NewCustomer, NewOrder, NewOrderLine};
use app::stock::Receipt;
use app::{Actor, App};
use domain::{Currency, Email, ExternalId, OrderId, Quantity, Role, Sku, SourceName, TokenName};
use queue::ManualClock;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use store::orders::OrderView;
use store::products::Product;
use testkit::Space;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use web::gateway::GatewayServer;

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The password of everybody here.
pub const PASSWORD: &str = "correct horse battery";
pub const PRICE: i64 = 1_250;
const SKU: &str = "MUG";

/// An HTTP client. Nothing here speaks TLS, but a client cannot be made without somebody who could.
pub fn client() -> Client {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().expect("nobody else installs one");
    });
    Client::new()
}

/// Settings of a gateway that takes every charge and calls back at once.
pub fn reliable() -> GatewaySettings {
    GatewaySettings {
        decline_rate: 0.0,
        webhook_secrets: vec![SECRET.to_owned()],
        ..GatewaySettings::default()
    }
}

/// Settings of a gateway that takes charges and leaves it to the test to call back.
pub fn silent() -> GatewaySettings {
    GatewaySettings { silence_rate: 1.0, ..reliable() }
}

/// A server that runs as a task.
pub struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<web::Result<()>>,
}

impl Server {
    pub fn start<F>(run: impl FnOnce(Box<dyn Future<Output = ()> + Send + Unpin>) -> F) -> Self
    where
        F: Future<Output = web::Result<()>> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(run(Box::new(Box::pin(async { _ = stopped.await }))));
        Server { stop, task }
    }

    /// Stops it in good order.
    pub async fn stop(self) {
        self.stop.send(()).expect("the server runs");
        self.task.await.unwrap().unwrap();
    }

    /// Ends it where it stands: nothing of its memory survives, nothing is handed back.
    pub async fn crash(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

pub async fn free_port() -> TcpListener {
    web::listen(([127, 0, 0, 1], 0).into()).await.unwrap()
}

pub fn url_of(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().unwrap())
}

/// Starts the payment simulator over the database of `space`.
pub fn start_gateway(
    space: &Space,
    settings: &GatewaySettings,
    listener: TcpListener,
    clock: &Arc<ManualClock>,
) -> Server {
    let database = DatabaseSettings { url: space.database_url().to_owned(), ..DatabaseSettings::default() };
    let settings = GatewayServer { database, gateway: settings.clone() };
    let clock = Arc::clone(clock);
    Server::start(|stopped| web::gateway::run(settings, listener, clock, stopped))
}

/// Somebody who speaks with the API, by a token.
pub struct Speaker {
    client: Client,
    api: String,
    pub token: String,
}

/// A browser: it keeps its cookie, and follows nothing by itself.
pub struct Browser {
    client: Client,
    url: String,
    pub cookie: Option<String>,
    pub csrf_token: Option<String>,
}

impl Browser {
    /// A request with the cookie.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// Sends a form, and keeps the cookie that comes back.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let response = self.form(path, fields).send().await.unwrap();
        self.keep(&response);
        response
    }

    /// A form that is about to be sent.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.request(Method::POST, path);
        request.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    fn keep(&mut self, response: &Response) {
        if let Some(set) = response.headers().get("set-cookie") {
            let (cookie, _) = set.to_str().unwrap().split_once(';').unwrap();
            self.cookie = (!cookie.ends_with('=')).then(|| cookie.to_owned());
        }
    }

    /// Signs in; on success it learns the token of its session.
    pub async fn sign_in(&mut self, email: &str, password: &str) -> Response {
        let response = self.submit("/login", &[("email", email), ("password", password)]).await;
        if response.status() == StatusCode::SEE_OTHER {
            let about: Value = self.get("/api/session").await.json().await.unwrap();
            self.csrf_token = Some(about["csrf_token"].as_str().unwrap().to_owned());
        }
        response
    }

    /// The token that its pages send along.
    pub fn csrf(&self) -> &str {
        self.csrf_token.as_deref().expect("somebody has signed in")
    }
}

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Speaker {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.client.get(format!("{}{path}", self.api))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.client.post(format!("{}{path}", self.api)).json(body)).await
    }

    pub async fn post_keyed(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.client.post(format!("{}{path}", self.api)).json(body);
        self.send(request.header("idempotency-key", key)).await
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.bearer_auth(&self.token).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in: {text}"));
        Answer { status, headers, body }
    }
}

impl Answer {
    /// The problem that it is.
    pub fn problem(&self) -> &str {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        assert_eq!(self.body["status"], self.status, "{self:?}");
        self.body["type"].as_str().unwrap().strip_prefix("urn:ordermill:problem:").unwrap()
    }
}

/// `ordermill serve`, without workers: tests run the jobs.
pub struct Shop {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub url: String,
    space: Arc<Space>,
    client: Client,
    server: Server,
}

impl Shop {
    /// A shop whose payments are simulated within.
    pub async fn open(gateway: GatewaySettings) -> Self {
        Self::open_on(free_port().await, gateway).await
    }

    pub async fn open_on(listener: TcpListener, gateway: GatewaySettings) -> Self {
        Self::open_with(listener, |config| config.gateway = gateway).await
    }

    pub async fn open_with(listener: TcpListener, settings: impl FnOnce(&mut Config)) -> Self {
        let space = Arc::new(Space::new());
        let clock = Arc::new(ManualClock::default());
        let mut config = Config::default();
        settings(&mut config);
        config.database.url = space.database_url().to_owned();
        space.redis_url().unwrap_or_default().clone_into(&mut config.redis.url);
        config.redis.prefix = space.redis_prefix().to_owned();
        config.imports.spool = Some(space.folder().join("spool"));
        Self::serve(space, config, clock, listener).await
    }

    /// Another server over the same ledger, as on another machine.
    pub async fn second(&self) -> Self {
        let (space, config) = (Arc::clone(&self.space), self.app.config().clone());
        Self::serve(space, config, self.clock.clone(), free_port().await).await
    }

    async fn serve(
        space: Arc<Space>,
        config: Config,
        clock: Arc<ManualClock>,
        listener: TcpListener,
    ) -> Self {
        let client = client();
        let app = App::open(config, clock.clone(), true).await.unwrap();
        let (url, served) = (url_of(&listener), app.clone());
        let server = Server::start(|stopped| web::serve(served, listener, stopped));
        Shop { app, clock, url, space, client, server }
    }

    /// Stops the server in good order.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    /// A token for the API.
    pub async fn token(&self, role: Role) -> String {
        let name = TokenName::parse(&format!("{role}-{}", rand::random::<u32>())).unwrap();
        let wanted = Wanted { name, role, owner: None, expires_at: None };
        tokens::create(&self.app, &Actor::CLI, wanted).await.unwrap().0
    }

    /// Somebody who speaks with the API.
    pub async fn speaker(&self, role: Role) -> Speaker {
        let token = self.token(role).await;
        Speaker { client: client(), api: format!("{}/api", self.url), token }
    }

    /// A person who may sign in with [`PASSWORD`].
    pub async fn person(&self, role: Role) -> Email {
        let email = Email::parse(&format!("{role}-{}@example.org", rand::random::<u32>())).unwrap();
        let password = Password::choose(PASSWORD).unwrap();
        users::create(&self.app, &Actor::CLI, email.clone(), role, password).await.unwrap();
        email
    }

    /// Somebody's browser.
    pub fn browser(&self) -> Browser {
        client();
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Browser { client, url: self.url.clone(), cookie: None, csrf_token: None }
    }

    /// The browser of somebody of this role, who has signed in.
    pub async fn signed_in(&self, role: Role) -> Browser {
        let email = self.person(role).await;
        let mut browser = self.browser();
        assert_eq!(browser.sign_in(email.as_str(), PASSWORD).await.status(), 303);
        browser
    }

    /// How many files lie in the spool.
    pub fn spooled(&self) -> usize {
        std::fs::read_dir(self.spool()).map_or(0, Iterator::count)
    }

    /// Whether all of it is in SQLite.
    pub fn is_on_sqlite(&self) -> bool {
        !self.space.is_mysql() && self.space.redis_url().is_none()
    }

    /// A folder of its own.
    pub fn folder(&self) -> std::path::PathBuf {
        self.space.folder().to_owned()
    }

    /// Where files wait for their import.
    pub fn spool(&self) -> std::path::PathBuf {
        self.space.folder().join("spool")
    }

    /// Gives the shop so many mugs.
    pub async fn stock(&self, quantity: i64) {
        let price = Some((PRICE, Currency::parse("EUR").unwrap()));
        let receipt = Receipt { sku: Sku::parse(SKU).unwrap(), name: None, price, quantity, note: None };
        app::stock::receive(&self.app, &Actor::SYSTEM, vec![receipt]).await.unwrap();
    }

    /// Places an order of two mugs.
    pub async fn place(&self, number: usize) -> OrderId {
        self.place_with(number, false).await
    }

    /// Places an order of two mugs, and has the customer told of it or not.
    pub async fn place_with(&self, number: usize, notify: bool) -> OrderId {
        let order = NewOrder { notify, ..order_of_two(number) };
        app::orders::place(&self.app, &Actor::SYSTEM, order).await.unwrap().0.id
    }

    /// Places an order and lets it come to where it waits for its payment.
    pub async fn place_reserved(&self, number: usize) -> OrderId {
        let order = self.place(number).await;
        self.work().await;
        assert_eq!(self.status(order).await, "reserved/pending");
        order
    }

    /// Runs all jobs that are due.
    pub async fn work(&self) {
        let registry = app::jobs::registry(&self.app).unwrap();
        queue::drain(self.app.queue(), &registry).await.unwrap();
    }

    /// Runs jobs until `holds`, while the other server does its part.
    pub async fn work_until(&self, holds: impl AsyncFn() -> bool) {
        for _ in 0..3_000 {
            self.work().await;
            if holds().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("what was waited for does not happen");
    }

    pub async fn order(&self, order: OrderId) -> OrderView {
        self.app.read("order", move |tx| store::orders::get_view(tx, order)).await.unwrap()
    }

    /// Where an order and its payment stand.
    pub async fn status(&self, order: OrderId) -> String {
        let row = self.order(order).await.row;
        format!("{}/{}", row.status, row.payment)
    }

    pub async fn all_are(&self, orders: &[OrderId], status: &str) -> bool {
        for order in orders {
            if self.status(*order).await != status {
                return false;
            }
        }
        true
    }

    /// How often something happened to an order.
    pub async fn count_events(&self, order: OrderId, kind: &str) -> usize {
        let events = self.app.read("events", move |tx| store::events::list(tx, order)).await.unwrap();
        events.iter().filter(|event| event.kind == kind).count()
    }

    pub async fn mugs(&self) -> Product {
        self.app.read("mugs", |tx| store::products::get_by_sku(tx, SKU)).await.unwrap()
    }

    /// Deliveries recorded with a verdict.
    pub async fn count_verdict(&self, verdict: &str) -> i64 {
        let counts = self.app.read("verdicts", store::webhooks::count_by_verdict).await.unwrap();
        counts.iter().filter(|(one, _)| one.as_str() == verdict).map(|(_, count)| count).sum()
    }

    pub async fn count_deliveries(&self) -> i64 {
        let counts = self.app.read("verdicts", store::webhooks::count_by_verdict).await.unwrap();
        counts.iter().map(|(_, count)| count).sum()
    }

    /// The key by which the gateway knows the first attempt to charge an order.
    pub fn charge_key(&self, order: OrderId) -> String {
        format!("{}-{:012}-1", self.app.instance(), order.get())
    }

    /// A callback about an order, signed now, with the order's amount.
    pub fn callback(&self, order: OrderId, event: &str, kind: &str) -> Callback {
        let key = self.charge_key(order);
        let data = json!({"key": key, "reference": "ch_1", "amount": 2 * PRICE, "currency": "EUR"});
        Callback {
            id: event.to_owned(),
            body: json!({"type": kind, "data": data}).to_string(),
            at: self.app.now(),
            secret: SECRET.to_owned(),
        }
    }

    /// Delivers a callback; answers the status and what the body says.
    pub async fn deliver(&self, callback: &Callback) -> (StatusCode, Value) {
        let response = self.send(callback).await;
        let status = response.status();
        (status, response.json().await.unwrap())
    }

    pub async fn send(&self, callback: &Callback) -> Response {
        let Callback { id, body, at, secret } = callback;
        let signed = Secrets::new(std::slice::from_ref(secret)).sign(id, *at, body.as_bytes()).unwrap();
        self.client
            .post(format!("{}/api/webhooks/payments", self.url))
            .header("content-type", "application/json")
            .header("webhook-id", signed.id)
            .header("webhook-timestamp", signed.timestamp)
            .header("webhook-signature", signed.signature)
            .body(body.clone())
            .send()
            .await
            .unwrap()
    }

    /// The verdict on a callback that must be taken.
    pub async fn verdict(&self, callback: &Callback) -> String {
        let (status, answer) = self.deliver(callback).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["verdict"].as_str().expect("a verdict").to_owned()
    }
}

/// An order of two mugs, of which nobody is told.
pub fn order_of_two(number: usize) -> NewOrder {
    let line =
        NewOrderLine { sku: Sku::parse(SKU).unwrap(), quantity: Quantity::new(2).unwrap(), unit_price: None };
    let email = Email::parse("ann@example.org").unwrap();
    NewOrder {
        source: SourceName::parse("test").unwrap(),
        external_id: ExternalId::parse(&number.to_string()).unwrap(),
        customer: NewCustomer { email: Some(email), ..NewCustomer::default() },
        currency: Currency::parse("EUR").unwrap(),
        placed_at: None,
        lines: vec![line],
        shipping: 0,
        discount: 0,
        notify: false,
    }
}

/// A callback before it is signed.
#[derive(Clone)]
pub struct Callback {
    pub id: String,
    pub body: String,
    pub at: jiff::Timestamp,
    pub secret: String,
}

/// A shop and a gateway that talk over HTTP.
pub struct Pair {
    pub shop: Shop,
    pub gateway: Option<Server>,
    pub settings: GatewaySettings,
    space: Space,
}

impl Pair {
    /// Both, with a gateway of these settings.
    pub async fn open(settings: GatewaySettings) -> Self {
        let mut pair = Self::open_without_gateway(settings).await;
        pair.start_gateway().await;
        pair
    }

    /// A shop whose gateway is down.
    pub async fn open_without_gateway(settings: GatewaySettings) -> Self {
        let (shop, gateway) = (free_port().await, free_port().await);
        let settings = GatewaySettings {
            mode: GatewayMode::Http,
            url: url_of(&gateway),
            callback_url: format!("{}/api/webhooks/payments", url_of(&shop)),
            ..settings
        };
        let shop = Shop::open_on(shop, settings.clone()).await;
        shop.stock(1_000).await;
        Pair { shop, gateway: None, settings, space: Space::new() }
    }

    /// Starts the gateway, again with the charges it had.
    pub async fn start_gateway(&mut self) {
        let address = self.settings.url.trim_start_matches("http://").parse().unwrap();
        let listener = web::listen(address).await.unwrap();
        self.gateway = Some(start_gateway(&self.space, &self.settings, listener, &self.shop.clock));
    }

    pub async fn crash_gateway(&mut self) {
        self.gateway.take().expect("the gateway runs").crash().await;
    }

    /// Places so many orders.
    pub async fn place(&self, count: usize) -> Vec<OrderId> {
        let mut orders = Vec::with_capacity(count);
        for number in 0..count {
            orders.push(self.shop.place(number).await);
        }
        orders
    }

    /// Works until all these orders are as wanted.
    pub async fn until_all_are(&self, orders: &[OrderId], status: &str) {
        self.shop.work_until(async || self.shop.all_are(orders, status).await).await;
    }

    /// What the gateway says of an order's charge.
    pub async fn charge(&self, order: OrderId) -> Value {
        let url = format!("{}/charges/{}", self.settings.url, self.shop.charge_key(order));
        client().get(url).send().await.unwrap().json().await.unwrap()
    }
}
