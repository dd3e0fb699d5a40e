//! `SIGTERM` under load: what was answered is done, what was not may be asked for again.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use importer::sample::Sample;
use serde_json::{Value, json};

use crate::support::{Shop, create, text, wait_until};

/// Clients that place orders, and as many that ask for refunds.
const CLIENTS: usize = 4;
/// Orders that are there to be refunded, for each client.
const PAID: usize = 150;
/// Requests that are answered before the signal comes.
const ANSWERS: usize = 80;

/// A request with its key, and what it was answered.
struct Asked {
    path: &'static str,
    key: String,
    body: Value,
    answer: Option<Value>,
}

/// An HTTP client over one address.
#[derive(Clone)]
struct Caller {
    address: String,
    token: String,
}

impl Caller {
    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_mins(1)))?;
        let Caller { address, token } = self;
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        )?;
        Ok(stream)
    }

    /// Posts a request with its key. No answer, or half of one, is an error.
    fn post(&self, path: &str, key: &str, body: &Value) -> io::Result<Value> {
        let mut stream =
            self.send("POST", path, &format!("idempotency-key: {key}\r\n"), &body.to_string())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(broken)?;
        let value = serde_json::from_str(body).map_err(|_| broken())?;
        let is_done = head.starts_with("HTTP/1.1 2");
        assert!(is_done, "{path} {key}: {answer}");
        Ok(value)
    }
}

/// Asks for one thing after the other until no answer comes.
fn ask(caller: &Caller, answers: &AtomicUsize, requests: Vec<(&'static str, String, Value)>) -> Vec<Asked> {
    let mut asked = Vec::new();
    for (path, key, body) in requests {
        let answer = caller.post(path, &key, &body).ok();
        let is_over = answer.is_none();
        asked.push(Asked { path, key, body, answer });
        if is_over {
            return asked;
        }
        answers.fetch_add(1, Ordering::Relaxed);
    }
    panic!("the load ended before the signal came");
}

fn placing(client: usize) -> Vec<(&'static str, String, Value)> {
    let order = |number: usize| {
        let body = json!({
            "source": "load", "external_id": format!("{client}-{number}"),
            "customer": {"email": "jane@example.com"}, "lines": [{"sku": "TEA-1", "quantity": 1}],
        });
        ("/api/orders", format!("order-{client}-{number}"), body)
    };
    (0..100_000).map(order).collect()
}

/// Refunds of these orders, twice a unit each.
fn refunding(client: usize, orders: &[i64]) -> Vec<(&'static str, String, Value)> {
    let refund = |order: i64, unit: usize| {
        let lines = json!([{"line_no": 1, "quantity": 1}]);
        let body = json!({"order_id": order, "lines": lines, "restock": true, "reason": "load"});
        ("/api/refunds", format!("refund-{client}-{order}-{unit}"), body)
    };
    (0..2).flat_map(|unit| orders.iter().map(move |order| refund(*order, unit))).collect()
}

/// Places orders that can be refunded, and gives their ids.
fn paid_orders(shop: &Shop) -> Vec<i64> {
    let path = shop.path("paid.csv");
    let mut file = create(&path);
    writeln!(file, "order_id,order_date,customer_email,sku,quantity,unit_price,currency").unwrap();
    for number in 0..CLIENTS * PAID {
        writeln!(file, "P-{number},2025-01-01,p@example.org,TEA-1,2,19.99,EUR").unwrap();
    }
    shop.done(&["import", text(&path), "--source", "paid"]);
    let first = shop.count("SELECT MIN(id) FROM orders WHERE source = 'paid'");
    let ids: Vec<i64> = (first..first + (CLIENTS * PAID) as i64).collect();
    assert_eq!(shop.count("SELECT MAX(id) FROM orders WHERE source = 'paid'"), ids[ids.len() - 1]);
    ids
}

#[test]
fn terminated_under_load_the_program_loses_nothing_that_it_has_answered() {
    let shop = Shop::new().set("web.listen", "127.0.0.1:0").set("gateway.latency", "20ms");
    shop.done(&["stock", "receive", "TEA-1", "1000000", "--name", "Teapot", "--price", "19.99"]);
    let paid = paid_orders(&shop);
    let path = shop.path("large.csv");
    Sample::shop(5_000, 1).write(create(&path)).expect("the file is written");
    let token = shop.done(&["token", "create", "--role", "operator", "--name", "load"]).stdout;

    let mut serving = shop.start(&["serve"]);
    let working = shop.start(&["work"]);
    let caller = Caller { address: serving.address(), token: token.trim().to_owned() };
    shop.done(&["import", text(&path), "--source", "large", "--initial-stock", "1000000", "--detach"]);
    let mut listening = caller.send("GET", "/api/events", "", "").unwrap();
    let answers = AtomicUsize::new(0);
    let (asked, ended) = thread::scope(|scope| {
        let mut clients = Vec::new();
        for client in 0..CLIENTS {
            let (caller, answers, orders) = (&caller, &answers, &paid[client * PAID..(client + 1) * PAID]);
            clients.push(scope.spawn(move || ask(caller, answers, placing(client))));
            clients.push(scope.spawn(move || ask(caller, answers, refunding(client, orders))));
        }
        wait_until("many requests are answered", || answers.load(Ordering::Relaxed) >= ANSWERS);
        let ended = [serving.terminate(), working.terminate()];
        let asked: Vec<Asked> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        (asked, ended)
    });
    for ran in &ended {
        assert_eq!(ran.code(), Some(0), "{ran}");
        assert!(!ran.stderr.contains("broken off"), "{ran}");
    }
    let mut events = String::new();
    listening.read_to_string(&mut events).unwrap();
    assert!(events.contains("event: ready") && events.ends_with("0\r\n\r\n"), "{events}");
    shop.assert_clean();

    let mut serving = shop.start(&["serve"]);
    let caller = Caller { address: serving.address(), ..caller };
    for Asked { path, key, body, answer } in &asked {
        let again = caller.post(path, key, body).unwrap();
        if let Some(answer) = answer {
            assert_eq!(again["id"], answer["id"], "{path} {key}");
        }
    }
    assert_eq!(serving.terminate().code(), Some(0));
    shop.done(&["work", "--until-idle"]);
    let of = |path: &str| asked.iter().filter(|asked| asked.path == path).count() as i64;
    println!("{} orders and {} refunds", of("/api/orders"), of("/api/refunds"));
    assert_eq!(shop.count("SELECT COUNT(*) FROM orders WHERE source = 'load'"), of("/api/orders"));
    assert_eq!(shop.count("SELECT COUNT(*) FROM refunds WHERE reason = 'load'"), of("/api/refunds"));
    assert_eq!(shop.count("SELECT COUNT(*) FROM orders WHERE source = 'large'"), 5_000);
    shop.assert_clean();
}
