//! A worker killed while the shop's receiver is called: the call is repeated with its id, and none is lost.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use domain::NotificationStatus;

use crate::chaos::{self, Chance};
use crate::support::{Shop, text, wait_until};

/// Ids and bodies of the calls that came, in their order.
type Calls = Arc<Mutex<Vec<(String, String)>>>;

/// A receiver that answers each call after `pause`, and the first ones of all never.
fn receiver(silent: usize, pause: Duration) -> (String, Calls) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    let calls = Calls::default();
    let kept = Arc::clone(&calls);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || converse(&stream, &kept, silent, pause));
        }
    });
    (url, calls)
}

/// Takes calls until the other side is gone.
fn converse(stream: &TcpStream, calls: &Calls, silent: usize, pause: Duration) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut id, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            let read = reader.read_line(&mut line).ok().filter(|read| *read > 0);
            read?;
            match line.trim().split_once(": ") {
                Some(("webhook-id", value)) => value.clone_into(&mut id),
                Some(("content-length", value)) => length = value.parse().ok()?,
                None if line.trim().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let count = {
            let mut calls = calls.lock().unwrap();
            calls.push((id, String::from_utf8(body).ok()?));
            calls.len()
        };
        if count <= silent {
            sleep(Duration::from_hours(1));
        }
        sleep(pause);
        let mut stream = stream;
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").ok()?;
    }
}

fn shop(url: &str, customers: u64) -> Shop {
    let shop = Shop::new()
        .set("queue.lease", "1s")
        .set("notifications.channels", "webhook")
        .set("notifications.webhook.url", url)
        .set("notifications.webhook.secrets", "a secret of the shop's receiver")
        .set("notifications.webhook.allow_private", true);
    let mut file =
        "external_order_id,order_placed_at,currency,customer_email,product_sku,unit_price_cents,qty\n"
            .to_owned();
    for number in 0..customers {
        writeln!(file, "{number},2026-03-01 10:00:00,EUR,c{number}@example.org,MUG,900,1").unwrap();
    }
    let path = shop.write("orders.csv", file);
    shop.done(&["import", text(&path), "--initial-stock", "100000", "--detach"]);
    shop
}

fn unsent(shop: &Shop) -> i64 {
    shop.count(&format!(
        "SELECT COUNT(*) FROM notifications WHERE status <> {}",
        NotificationStatus::Sent.code()
    ))
}

#[test]
fn a_call_in_doubt_is_repeated_with_the_same_id() {
    let (url, calls) = receiver(1, Duration::ZERO);
    let shop = shop(&url, 1);
    let worker = shop.start(&["work"]);
    wait_until("the call has come", || calls.lock().unwrap().len() == 1);
    assert!(worker.kill());
    shop.done(&["work", "--until-idle"]);
    let calls = calls.lock().unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0], calls[1]);
    assert_eq!(unsent(&shop), 0);
    let told = shop.json(&["notifications", "webhook"]);
    assert_eq!(told["webhook"]["status"], "working", "{told}");
    shop.assert_clean();
}

#[test]
fn killed_at_random_workers_lose_no_call() {
    let (url, calls) = receiver(0, Duration::from_millis(50));
    let kills = chaos::count(100);
    // A job that cost many workers is given up for good; here the same ones may be hit by each.
    let shop = shop(&url, kills * 20).set("queue.max_losses", kills + 1);
    let mut chance = Chance::new();
    for _ in 0..kills {
        let worker = shop.start(&["work"]);
        sleep(Duration::from_millis(100) + chance.below(Duration::from_millis(700)));
        assert!(worker.kill());
    }
    shop.done(&["work", "--until-idle"]);
    let mut arrived: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, body) in calls.lock().unwrap().iter().cloned() {
        arrived.entry(id).or_default().push(body);
    }
    assert_eq!((arrived.len() as u64, unsent(&shop)), (kills * 20, 0));
    let twice = arrived.values().filter(|bodies| bodies.len() > 1).count();
    println!("{twice} of {} calls came more than once", arrived.len());
    assert!(arrived.values().all(|bodies| bodies.iter().all(|body| *body == bodies[0])));
    shop.assert_clean();
}
