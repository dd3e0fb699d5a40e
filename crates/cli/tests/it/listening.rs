//! Clients that listen to what happens.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::chaos;
use crate::support::{Shop, wait_until};

/// Clients that do nothing but listen; see docs/performance.md.
const CLIENTS: u64 = 10_000;
/// What so many may cost, the server itself included.
const MOST_MIB: u64 = 300;

fn listen(address: &str, token: &str, topics: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let path = format!("/api/events?topics={topics}");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n")
        .unwrap();
    stream
}

/// Reads until the server has said so.
fn hear(stream: &mut TcpStream, said: &str) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4_096]);
    while !text.contains(said) {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "it ended without {said}: {text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    text
}

#[test]
fn ten_thousand_who_listen_take_less_than_300_mib() {
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, rustix::process::Rlimit { current: files.maximum, ..files }).unwrap();
    let clients = chaos::count(CLIENTS);
    let shop = Shop::new().set("web.listen", "127.0.0.1:0").set("web.events_clients", clients + 1);
    shop.done(&["stock", "receive", "TEA-1", "100", "--name", "Teapot", "--price", "19.99"]);
    let token = shop.done(&["token", "create", "--role", "viewer", "--name", "screen"]).stdout;
    let mut serving = shop.start(&["serve"]);
    let address = serving.address();
    let alone = serving.resident_kib();
    let mut listening: Vec<TcpStream> = Vec::new();
    // What the first ones cost once, such as the code that they are the first to run, is not multiplied.
    let (first, mut begun) = (clients / 10, alone);
    for number in 0..clients {
        if number == first {
            begun = serving.resident_kib();
        }
        let mut stream = listen(&address, token.trim(), "orders,kpis,imports,queues");
        hear(&mut stream, "event: ready");
        listening.push(stream);
    }
    let taken = serving.resident_kib() - begun;
    // All of them are told, and nobody is in the others' way.
    shop.done(&["orders", "place", "--email", "jane@example.com", "--line", "TEA-1:2"]);
    for stream in &mut listening {
        hear(stream, "\"event\":\"order_confirmed\"");
    }
    let each = serving.resident_kib().saturating_sub(alone) as f64 / clients as f64;
    println!(
        "{clients} who listen: {} MiB, {:.1} KiB each; {each:.1} KiB each after an order; the server alone {} MiB",
        (begun + taken - alone) >> 10,
        taken as f64 / (clients - first) as f64,
        alone >> 10,
    );
    let all = begun + taken * (CLIENTS - first) / (clients - first);
    assert!(all / 1_024 < MOST_MIB, "{all} KiB for {CLIENTS}, as {taken} KiB for {} tell", clients - first);
    let ended = serving.terminate();
    assert_eq!(ended.code(), Some(0), "{ended}");
}

#[test]
fn what_workers_in_another_process_do_is_told_by_the_server() {
    let shop = Shop::new().set("web.listen", "127.0.0.1:0");
    shop.done(&["stock", "receive", "TEA-1", "100", "--name", "Teapot", "--price", "19.99"]);
    let token = shop.done(&["token", "create", "--role", "viewer", "--name", "screen"]).stdout;
    let mut serving = shop.start(&["serve", "--no-workers"]);
    let mut stream = listen(&serving.address(), token.trim(), "orders,kpis,imports");
    hear(&mut stream, "event: ready");
    let working = shop.start(&["work"]);
    shop.done(&["orders", "place", "--email", "jane@example.com", "--line", "TEA-1:2"]);
    let mut heard = hear(&mut stream, "\"event\":\"order_confirmed\"");
    let file = shop.write("more.csv", "order_id,order_date,customer_email,sku,quantity,unit_price,currency\n7,2025-01-01,c@example.org,TEA-1,1,5.00,EUR\n");
    shop.done(&["import", crate::support::text(&file), "--source", "more"]);
    while !heard.contains("\"file_name\":\"more.csv\"") || !heard.contains("\"status\":\"completed\"") {
        heard.push_str(&hear(&mut stream, "event: "));
    }
    assert_eq!(working.terminate().code(), Some(0));
    let mut id = heard.rsplit("id: ").next().unwrap_or_default().lines();
    let id = id.next().unwrap_or_default().to_owned();
    drop(stream);

    // Whoever comes back after a restart is told what happened while the server was away.
    assert_eq!(serving.terminate().code(), Some(0));
    shop.done(&["orders", "cancel", "1", "--reason", "changed my mind"]);
    let mut serving = shop.start(&["serve", "--no-workers"]);
    let address = serving.address();
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(
        stream,
        "GET /api/events?topics=orders HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\nlast-event-id: {id}\r\n\r\n",
        token.trim()
    )
    .unwrap();
    let told = hear(&mut stream, "\"event\":\"order_cancelled\"");
    assert!(!told.contains("event: reset"), "{told}");
    wait_until("the server runs", || serving.is_running());
}

#[test]
fn whatever_is_logged_tells_of_which_request_or_job_it_is() {
    let shop = Shop::new()
        .set("web.listen", "127.0.0.1:0")
        .set("log.format", "json")
        .set("log.filter", "info,web=debug");
    shop.done(&["stock", "receive", "TEA-1", "100", "--name", "Teapot", "--price", "19.99"]);
    let mut serving = shop.start(&["serve", "--no-workers"]);
    let address = serving.address();
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(stream, "GET /healthz HTTP/1.1\r\nhost: {address}\r\nx-request-id: mine-7\r\n\r\n").unwrap();
    hear(&mut stream, "alive");
    shop.done(&["orders", "place", "--email", "jane@example.com", "--line", "TEA-1:2"]);
    let worked = shop.done(&["work", "--until-idle"]).stderr;
    let log = format!("{}{worked}", serving.terminate().stderr);
    let lines: Vec<serde_json::Value> =
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let within = |span: &str| -> Vec<&serde_json::Value> {
        lines.iter().map(|line| &line["span"]).filter(|found| found["name"] == span).collect()
    };
    assert!(within("request").iter().any(|span| span["id"] == "mine-7"), "{log}");
    let mails: Vec<_> =
        within("job").into_iter().filter(|span| span["kind"] == "send_notification").collect();
    assert!(mails.iter().any(|span| span["id"].as_i64().is_some_and(|id| id > 0)), "{log}");
}
