//! One trace from a request through its jobs to the mail, as a collector sees it.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use testkit::collector::{Span, SpanKind};
use testkit::{Collector, Port};

use crate::support::{Process, Shop, text, wait_until};

const CALLER: &str = "b7ad6b7169203331";
/// The jobs of an order that goes through, where the gateway runs in the same process.
const JOBS: [&str; 4] = ["reserve_stock", "take_payment", "deliver_callback", "send_notification"];

/// A shop with goods, a token for a till, and a server that the till speaks with.
struct Till {
    shop: Shop,
    token: String,
}

impl Till {
    fn new(shop: Shop) -> Self {
        let shop = shop.set("web.listen", "127.0.0.1:0");
        shop.done(&["stock", "receive", "TEA-1", "100000", "--name", "Teapot", "--price", "19.99"]);
        let token = shop.done(&["token", "create", "--role", "operator", "--name", "till"]).stdout;
        Till { shop, token: token.trim().to_owned() }
    }

    fn traced(collector: &Collector) -> Self {
        Self::new(Shop::new().set("telemetry.otlp_endpoint", collector.url()))
    }

    /// Places an order over HTTP.
    fn place(&self, address: &str, number: usize, traceparent: &str) {
        let body = format!(
            r#"{{"source":"till","external_id":"{number}","currency":"EUR","customer":{{"email":"c{number}@example.org"}},"lines":[{{"sku":"TEA-1","quantity":1}}]}}"#
        );
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "POST /api/orders HTTP/1.1\r\nhost: shop\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
             content-type: application/json\r\nx-request-id: order-{number}\r\n{traceparent}content-length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }

    /// Waits until this many notifications were sent.
    fn wait_for_mails(&self, mails: i64) {
        let sent = domain::NotificationStatus::Sent.code();
        let sent = format!("SELECT COUNT(*) FROM notifications WHERE status = {sent}");
        wait_until("the customers are told", || self.shop.count(&sent) == mails);
    }

    /// Arguments of jobs that name a trace, wherever jobs wait.
    fn jobs_with_a_trace(&self) -> i64 {
        let of = |table: &str| format!("SELECT COUNT(*) FROM {table} WHERE args LIKE '%traceparent%'");
        self.shop.count(&of("jobs")) + self.shop.count(&of("job_outbox"))
    }

    fn waiting_jobs(&self) -> i64 {
        self.shop.count("SELECT COUNT(*) FROM jobs") + self.shop.count("SELECT COUNT(*) FROM job_outbox")
    }
}

fn trace(number: usize) -> String {
    format!("{:032x}", 0x0af7_6519_16cd_43dd_8448_eb21_1c80_0000_u128 + number as u128)
}

fn traceparent(number: usize, flags: &str) -> String {
    format!("traceparent: 00-{}-{CALLER}-{flags}\r\n", trace(number))
}

fn end(process: Process) -> String {
    let ended = process.terminate();
    assert_eq!(ended.code(), Some(0), "{ended}");
    ended.stderr
}

/// The spans of a trace.
fn of_trace(spans: &[Span], trace: &str) -> Vec<Span> {
    spans.iter().filter(|span| span.trace == trace).cloned().collect()
}

/// Whether it is only a part of what another span is about: a transaction.
fn is_part(span: &Span) -> bool {
    span.kind == SpanKind::Internal && span.parent.is_some()
}

/// The names from the first span of a trace to this one, without their parts.
fn way(spans: &[Span], to: &Span) -> Vec<String> {
    let parent = to.parent.as_ref().and_then(|parent| spans.iter().find(|span| span.id == *parent));
    let mut names = parent.map_or(Vec::new(), |parent| way(spans, parent));
    if !is_part(to) {
        names.push(to.name.clone());
    }
    names
}

/// The spans of this name.
fn named<'s>(spans: &'s [Span], name: &str) -> Vec<&'s Span> {
    spans.iter().filter(|span| span.name == name && !is_part(span)).collect()
}

/// The one span of this name.
fn only<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let named = named(spans, name);
    assert_eq!(named.len(), 1, "{name} among {spans:#?}");
    named[0]
}

/// The way of an order that began with this.
fn whole(beginning: &str) -> Vec<&str> {
    [&[beginning], &JOBS[..]].concat()
}

#[test]
fn one_trace_goes_from_a_request_through_its_jobs_to_the_mail() {
    let collector = Collector::start();
    let mut till = Till::traced(&collector);
    till.shop = till.shop.set("log.format", "json").set("log.filter", "debug");
    let mut serving = till.shop.start(&["serve"]);
    till.place(&serving.address(), 1, &traceparent(1, "01"));
    till.wait_for_mails(1);
    let log = end(serving);
    let spans = of_trace(&collector.spans(), &trace(1));
    let request = only(&spans, "POST /api/orders");
    assert_eq!(request.parent.as_deref(), Some(CALLER));
    assert_eq!(request.service, "ordermill");
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/api/orders"),
        ("url.path", "/api/orders"),
        ("http.response.status_code", "201"),
        ("request.id", "order-1"),
    ] {
        assert_eq!(request.attributes.get(key).map(String::as_str), Some(value), "{request:?}");
    }
    assert_eq!(way(&spans, only(&spans, "send_notification")), whole("POST /api/orders"));
    assert!(spans.iter().all(|span| span.failure.is_none()), "{spans:#?}");
    // The log names the trace, so that one leads to the other.
    let logged = |name: &str| log.lines().any(|line| line.contains(name) && line.contains(&trace(1)));
    assert!(logged("answered") && logged("a customer is told"), "{log}");
    till.shop.assert_clean();
}

#[test]
fn a_gateway_and_a_receiver_elsewhere_are_told_of_the_trace_and_a_retry_stays_in_it() {
    let collector = Collector::start();
    let (url, told) = receiver();
    let (gateway_at, web_at) = (Port::reserve(), Port::reserve());
    let shop = Shop::new()
        .set("telemetry.otlp_endpoint", collector.url())
        .set("gateway.mode", "http")
        .set("gateway.url", format!("http://{gateway_at}"))
        .set("gateway.callback_url", format!("http://{web_at}/api/webhooks/payments"))
        .set("notifications.channels", "webhook")
        .set("notifications.webhook.url", url)
        .set("notifications.webhook.secrets", "a secret of the shop's receiver")
        .set("notifications.webhook.allow_private", true);
    let till = Till::new(shop);
    let mut serving = till.shop.start(&["serve", "--listen", &web_at.to_string()]);
    till.place(&serving.address(), 1, &traceparent(1, "01"));
    wait_until("the charge has failed", || {
        till.shop.json(&["queue", "list"]).to_string().contains("no answer")
    });
    let shop = till.shop.set("telemetry.service_name", "bank");
    let mut gateway = shop.start(&["gateway"]);
    gateway.address();
    let till = Till { shop, ..till };
    till.wait_for_mails(1);
    end(serving);
    end(gateway);
    let spans = of_trace(&collector.spans(), &trace(1));
    let charges = named(&spans, "take_payment");
    let (failed, done): (Vec<&Span>, Vec<&Span>) = charges.iter().partition(|span| span.failure.is_some());
    assert!(!failed.is_empty() && done.len() == 1, "{charges:#?}");
    assert!(charges.iter().all(|span| span.parent == done[0].parent), "{charges:#?}");
    assert_eq!(done[0].attributes["job.attempt"], (failed.len() + 1).to_string());
    let asked = spans.iter().find(|span| span.name == "POST /charges" && span.service == "bank");
    let asked = way(&spans, asked.expect("the gateway's span"));
    assert_eq!(
        asked,
        ["POST /api/orders", "reserve_stock", "take_payment", "POST /charges", "POST /charges"]
    );
    let call = named(&spans, "POST").into_iter().find(|span| span.service == "ordermill");
    let call = call.expect("the call of the receiver");
    let way = way(&spans, call);
    let expected = [
        "POST /api/orders",
        "reserve_stock",
        "take_payment",
        "deliver_callback",
        "POST",
        "POST /api/webhooks/payments",
        "send_webhook",
        "POST",
    ];
    assert_eq!(way, expected);
    assert_eq!(told.recv().unwrap(), format!("00-{}-{}-01", call.trace, call.id));
    till.shop.assert_clean();
}

/// A receiver of the shop's that takes one call and tells its `traceparent`.
fn receiver() -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut head, mut buffer) = (String::new(), [0; 4096]);
        while !head.contains("\r\n\r\n") {
            let read = stream.read(&mut buffer).unwrap();
            head.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        let named = head.lines().find_map(|line| line.strip_prefix("traceparent: "));
        tell.send(named.unwrap_or_default().to_owned()).unwrap();
        stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
    });
    (url, told)
}

#[test]
fn orders_that_are_worked_on_together_keep_each_its_own_trace() {
    const ORDERS: usize = 12;
    let collector = Collector::start();
    let mut till = Till::traced(&collector);
    // Callers have decided; what is kept of runs follows from that.
    till.shop = till.shop.set("telemetry.sample_ratio", 0);
    let mut serving = till.shop.start(&["serve", "--no-workers"]);
    let address = serving.address();
    for number in 1..=ORDERS {
        till.place(&address, number, &traceparent(number, "01"));
    }
    // Whoever sends this does not want it kept.
    till.place(&address, ORDERS + 1, &traceparent(ORDERS + 1, "00"));
    assert_eq!(till.jobs_with_a_trace(), ORDERS as i64);
    assert_eq!(till.waiting_jobs(), ORDERS as i64 + 1);
    end(serving);
    till.shop.done(&["work", "--until-idle"]);
    till.wait_for_mails(ORDERS as i64 + 1);
    let spans = collector.spans();
    for number in 1..=ORDERS {
        let spans = of_trace(&spans, &trace(number));
        assert_eq!(way(&spans, only(&spans, "send_notification")), whole("POST /api/orders"));
    }
    assert!(of_trace(&spans, &trace(ORDERS + 1)).is_empty());
    // Nobody else's trace has a job of an order in it.
    for kind in JOBS {
        assert_eq!(named(&spans, kind).len(), ORDERS, "{kind}");
    }
    let run = only(&spans, "reserve_stock (several)");
    let jobs = named(&spans, "reserve_stock");
    assert_eq!(
        run.links.iter().collect::<BTreeSet<_>>(),
        jobs.iter().map(|job| &job.id).collect::<BTreeSet<_>>()
    );
    assert!(jobs.iter().all(|job| job.links == [run.id.clone()]), "{jobs:#?}");
    // What was done for all of them is in the run's own trace.
    let done = of_trace(&spans, &run.trace);
    assert!(
        done.iter().any(|span| span.name == "reserve_stock" && span.parent.as_ref() == Some(&run.id)),
        "{done:#?}"
    );
    till.shop.assert_clean();
}

#[test]
fn a_malformed_trace_is_passed_over_and_a_ratio_of_nothing_keeps_nothing() {
    let collector = Collector::start();
    let mut till = Till::traced(&collector);
    let mut serving = till.shop.start(&["serve", "--no-workers"]);
    till.place(&serving.address(), 1, "traceparent: 00-not-a-trace\r\n");
    end(serving);
    let spans = collector.spans();
    let request = only(&spans, "POST /api/orders");
    assert_eq!(request.parent, None);
    assert_eq!(till.jobs_with_a_trace(), 1);

    till.shop = till.shop.set("telemetry.sample_ratio", 0);
    let mut serving = till.shop.start(&["serve", "--no-workers"]);
    let address = serving.address();
    till.place(&address, 2, "");
    till.place(&address, 3, &traceparent(3, "00"));
    till.place(&address, 4, &traceparent(4, "01"));
    end(serving);
    let later = collector.spans().split_off(spans.len());
    assert!(later.iter().all(|span| span.trace == trace(4)), "the caller decides: {later:#?}");
    assert_eq!(till.jobs_with_a_trace(), 2);
    assert_eq!(till.waiting_jobs(), 4);
}

#[test]
fn without_the_setting_nothing_is_sent_and_jobs_carry_nothing() {
    let collector = Collector::start();
    let till = Till::new(Shop::new());
    let mut serving = till.shop.start(&["serve", "--no-workers"]);
    till.place(&serving.address(), 1, &traceparent(1, "01"));
    assert_eq!((till.waiting_jobs(), till.jobs_with_a_trace()), (1, 0));
    end(serving);
    // What was pushed before traces were kept is worked on, and what carries one where none are.
    let shop = till.shop.set("telemetry.otlp_endpoint", collector.url());
    let till = Till { shop, ..till };
    let mut serving = till.shop.start(&["serve", "--no-workers"]);
    till.place(&serving.address(), 2, &traceparent(2, "01"));
    assert_eq!((till.waiting_jobs(), till.jobs_with_a_trace()), (2, 1));
    end(serving);
    let sent = collector.spans().len();
    let till = Till { shop: till.shop.set("telemetry.otlp_endpoint", ""), ..till };
    till.shop.done(&["work", "--until-idle"]);
    till.wait_for_mails(2);
    assert_eq!(collector.spans().len(), sent);
    till.shop.assert_clean();
}

#[test]
fn a_command_and_each_order_of_an_import_begin_a_trace() {
    let collector = Collector::start();
    let till = Till::traced(&collector);
    till.shop.done(&["orders", "place", "--email", "jane@example.com", "--line", "TEA-1:2"]);
    let file = till.shop.write(
        "more.csv",
        "order_id,order_date,customer_email,sku,quantity,unit_price,currency\n\
         7,2025-01-01,c@example.org,TEA-1,1,5.00,EUR\n8,2025-01-01,d@example.org,TEA-1,1,5.00,EUR\n",
    );
    till.shop.done(&["import", text(&file), "--source", "more"]);
    till.shop.done(&["work", "--until-idle"]);
    let spans = collector.spans();
    let of = |name: &str| of_trace(&spans, &only(&spans, name).trace);
    let placed = of("ordermill orders");
    assert_eq!(way(&placed, only(&placed, "send_notification")), whole("ordermill orders"));
    let import = of("ordermill import");
    assert!(["plan_import", "finish_import"].iter().all(|kind| import.iter().any(|span| span.name == *kind)));
    assert!(import.iter().all(|span| span.name != "send_notification"), "{import:#?}");
    let orders = named(&spans, "imported order");
    assert_eq!(orders.len(), 2);
    for order in orders {
        let spans = of_trace(&spans, &order.trace);
        assert_eq!(way(&spans, only(&spans, "send_notification")), whole("imported order"));
    }
}

#[test]
fn a_collector_that_is_dead_or_silent_disturbs_nothing() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (dead, silent) = (Port::reserve(), silent.local_addr().unwrap());
    for collector in [dead.to_string(), silent.to_string()] {
        let till = Till::new(Shop::new().set("telemetry.otlp_endpoint", format!("http://{collector}")));
        let mut serving = till.shop.command(&["serve"]);
        serving.env("OTEL_BSP_SCHEDULE_DELAY", "50");
        let mut serving = Process::start(serving, till.shop.folder());
        let address = serving.address();
        for number in 1..=5 {
            till.place(&address, number, "");
        }
        till.wait_for_mails(5);
        if collector == dead.to_string() {
            let warned = "the collector of traces takes none";
            wait_until("it is said", || serving.stderr().contains(warned));
            till.place(&address, 6, "");
            till.wait_for_mails(6);
        }
        let began = Instant::now();
        let log = end(serving);
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
        let warnings = log.matches("the collector of traces takes none").count();
        assert!(warnings <= 1 && (collector == silent.to_string() || warnings == 1), "{log}");
        let began = Instant::now();
        till.shop.done(&["orders", "place", "--email", "jane@example.com", "--line", "TEA-1:2"]);
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    }
}
