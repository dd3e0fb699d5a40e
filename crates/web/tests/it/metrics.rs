//! What Prometheus is told.
#![expect(clippy::float_cmp, reason = "Prometheus has no whole numbers, but what is counted is one")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use domain::Role;
use reqwest::{Method, StatusCode};
use serde_json::json;
use web::metrics::{Kind, METRICS};

use crate::support::{PRICE, Server, Shop, client, free_port, reliable, url_of};

/// Samples by their name and labels, as they are written.
async fn scrape(url: &str, token: Option<&str>) -> BTreeMap<String, f64> {
    let request = client().get(format!("{url}/metrics"));
    let request = token.iter().fold(request, reqwest::RequestBuilder::bearer_auth);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    let text = response.text().await.unwrap();
    let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

/// Everything that a shop does: orders, a decline, a refund, an import.
async fn live_a_little(shop: &Shop) {
    shop.stock(100).await;
    let speaker = shop.speaker(Role::Operator).await;
    let order = shop.place(1).await;
    shop.work().await;
    let refund = json!({"order_id": order, "amount": PRICE, "reason": "cracked"});
    assert_eq!(speaker.post_keyed("/refunds", "key-1", &refund).await.status, 202);
    let file = "order_id,order_date,customer_email,sku,quantity,unit_price,currency\n\
                7,2025-01-01,c@example.org,MUG,1,5.00,EUR\n8,2025-01-01,c@example.org,MUG,none,5.00,EUR\n";
    let part = reqwest::multipart::Part::text(file).file_name("a.csv");
    let form = reqwest::multipart::Form::new().part("file", part);
    let sent = speaker.send(client().post(format!("{}/api/orders/import", shop.url)).multipart(form)).await;
    assert_eq!(sent.status, 202, "{sent:?}");
    shop.work().await;
}

#[tokio::test]
async fn metrics_need_a_token_but_for_a_listener_of_their_own() {
    let shop = Shop::open(reliable()).await;
    let answer = client().get(format!("{}/metrics", shop.url)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let token = shop.token(Role::Viewer).await;
    assert_eq!(scrape(&shop.url, Some(&token)).await["ordermill_ledger_up"], 1.0);

    let listener = free_port().await;
    let (url, app) = (url_of(&listener), shop.app.clone());
    let own = Server::start(|stopped| web::serve_metrics(app, listener, stopped));
    assert_eq!(scrape(&url, None).await["ordermill_ledger_up"], 1.0);
    let other = client().get(format!("{url}/api/orders")).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::NOT_FOUND);
    own.stop().await;
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_what_was_asked_for() {
    let shop = Shop::open(reliable()).await;
    let token = shop.token(Role::Viewer).await;
    for path in ["/api/orders/17", "/api/orders/secret:18", "/api/nowhere/19", "/20"] {
        client().get(format!("{}{path}", shop.url)).bearer_auth(&token).send().await.unwrap();
    }
    let brew = Method::from_bytes(b"BREW").unwrap();
    client().request(brew, format!("{}/healthz", shop.url)).send().await.unwrap();
    let samples = scrape(&shop.url, Some(&token)).await;
    let counted = |route: &str, method: &str, status: u16| {
        let labels = format!("{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}");
        samples.get(&format!("ordermill_http_requests_total{labels}")).copied()
    };
    assert_eq!(counted("/api/orders/{order}", "GET", 404), Some(2.0), "{samples:#?}");
    assert_eq!(counted("none", "GET", 404), Some(2.0), "{samples:#?}");
    assert_eq!(counted("/healthz", "other", 405), Some(1.0), "{samples:#?}");
    let count = "ordermill_http_request_seconds_count{route=\"/api/orders/{order}\",method=\"GET\"}";
    assert_eq!(samples[count], 2.0);
    assert!(
        !samples.keys().any(|name| ["17", "18", "19", "/20", "secret"]
            .iter()
            .any(|asked| name.contains(asked) && !name.contains("le="))),
        "{samples:#?}"
    );
}

#[tokio::test]
async fn gauges_tell_of_the_ledger_whoever_changed_it() {
    let shop = Shop::open(reliable()).await;
    shop.stock(10).await;
    let token = shop.token(Role::Viewer).await;
    shop.place(1).await;
    let other = shop.second().await;
    let waiting = "ordermill_queue_jobs{queue=\"stock\",state=\"available\"}";
    assert_eq!(scrape(&other.url, Some(&token)).await[waiting], 1.0);
    shop.clock.advance(std::time::Duration::from_secs(5));
    let oldest = "ordermill_queue_oldest_seconds{queue=\"stock\"}";
    assert_eq!(scrape(&other.url, Some(&token)).await[oldest], 5.0);
    shop.work().await;
    let samples = scrape(&other.url, Some(&token)).await;
    assert_eq!((samples[waiting], samples[oldest]), (0.0, 0.0));
}

#[tokio::test]
async fn what_is_told_is_what_is_listed_with_the_labels_that_are() {
    let shop = Shop::open(reliable()).await;
    let token = shop.token(Role::Viewer).await;
    live_a_little(&shop).await;
    let events = client().get(format!("{}/api/events", shop.url)).bearer_auth(&token).send().await.unwrap();
    scrape(&shop.url, Some(&token)).await;
    let samples = scrape(&shop.url, Some(&token)).await;
    drop(events);

    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for name in samples.keys() {
        let (name, labels) = name.split_once('{').unwrap_or((name, ""));
        let labels = labels.trim_end_matches('}').split("\",").filter_map(|label| label.split_once("=\""));
        let labels = labels.map(|(label, _)| label.to_owned()).filter(|label| label != "le");
        told.entry(name.to_owned()).or_default().extend(labels);
    }
    let is_of_process = |name: &str| name.starts_with("process_");
    for metric in METRICS {
        let name = match metric.kind {
            Kind::Histogram => format!("{}_count", metric.name),
            Kind::Counter | Kind::Gauge => metric.name.to_owned(),
        };
        let listed: BTreeSet<String> =
            metric.labels.split(", ").filter(|label| !label.is_empty()).map(str::to_owned).collect();
        let in_redis = metric.name.starts_with("ordermill_outbox");
        let is_elsewhere = in_redis && shop.app.redis().is_none();
        match told.remove(&name) {
            Some(labels) => assert_eq!(labels, listed, "{name}"),
            None => assert!(is_elsewhere, "{name} is not told"),
        }
    }
    let histograms = METRICS.iter().filter(|metric| metric.kind == Kind::Histogram);
    let parts: Vec<String> = histograms
        .flat_map(|metric| ["bucket", "sum"].map(|part| format!("{}_{part}", metric.name)))
        .collect();
    let unknown: Vec<&String> =
        told.keys().filter(|name| !parts.contains(name) && !is_of_process(name)).collect();
    assert!(unknown.is_empty(), "not listed: {unknown:?}");
    assert!(told.contains_key("process_resident_memory_bytes"), "{told:?}");

    for (name, wanted) in [
        ("ordermill_gateway_calls_total{call=\"refund\",outcome=\"succeeded\"}", 1.0),
        ("ordermill_gateway_calls_total{call=\"charge\",outcome=\"accepted\"}", 2.0),
        ("ordermill_import_rows_total{outcome=\"imported\"}", 1.0),
        ("ordermill_import_rows_total{outcome=\"rejected\"}", 1.0),
        ("ordermill_imports_total{outcome=\"completed\"}", 1.0),
        ("ordermill_events_clients", 1.0),
    ] {
        assert_eq!(samples.get(name), Some(&wanted), "{name} in {samples:#?}");
    }
}

#[test]
fn the_page_of_the_metrics_lists_all_of_them() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let mut table = "| metric | kind | labels | what it says |\n| --- | --- | --- | --- |\n".to_owned();
    for metric in METRICS {
        let (name, kind, labels, help) = (metric.name, metric.kind.as_str(), metric.labels, metric.help);
        writeln!(table, "| `{name}` | {kind} | {labels} | {help} |").unwrap();
    }
    let (begin, end) = ("<!-- metrics -->\n", "<!-- /metrics -->");
    let (before, rest) = page.split_once(begin).expect("the page has a place for the table");
    let (_, after) = rest.split_once(end).expect("the place has an end");
    let wanted = format!("{before}{begin}{table}{end}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    assert!(page == wanted || std::env::var_os("UPDATE_DOCS").is_some(), "run it with UPDATE_DOCS=1");
}
