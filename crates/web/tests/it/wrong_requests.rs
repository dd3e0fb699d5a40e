//! Requests that mean harm, or come from a program that has gone wrong.

use std::time::Duration;

use domain::Role;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Answer, Shop, Speaker, client, reliable};

async fn open() -> (Shop, Speaker) {
    let shop = Shop::open(reliable()).await;
    let speaker = shop.speaker(Role::Operator).await;
    (shop, speaker)
}

async fn post(shop: &Shop, speaker: &Speaker, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = client().post(format!("{}/api{path}", shop.url));
    let request = request.header("content-type", "application/json").header("idempotency-key", "k-1");
    speaker.send(request.body(body)).await
}

fn order() -> Value {
    json!({ "source": "shop", "external_id": "A-1", "customer": { "email": "ann@example.org" },
        "lines": [{ "sku": "MUG", "quantity": 1, "unit_price": 100 }] })
}

#[tokio::test]
async fn a_body_of_ten_mebibytes_is_refused_unread() {
    let (shop, speaker) = open().await;
    let mut long = order();
    long["source"] = "x".repeat(10 * 1024 * 1024).into();
    for path in ["/orders", "/refunds", "/products/MUG/stock", "/jobs/retry"] {
        let answer = post(&shop, &speaker, path, long.to_string()).await;
        assert_eq!((answer.status, answer.problem()), (413, "body-too-large"), "{path}");
    }
}

#[tokio::test]
async fn deep_json_is_refused_without_harm() {
    let (shop, speaker) = open().await;
    for (begin, end) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", begin.repeat(30_000), end.repeat(30_000));
        let whole = post(&shop, &speaker, "/orders", deep.clone()).await;
        assert!([400, 422].contains(&whole.status), "{whole:?}");
        let within = format!("{{\"source\": {deep}}}");
        let answer = post(&shop, &speaker, "/orders", within).await;
        assert!([400, 422].contains(&answer.status), "{answer:?}");
    }
    assert_eq!(speaker.get("/orders").await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_is_named_where_it_is() {
    let (shop, speaker) = open().await;
    let with = |pointer: &str, value: Value| {
        let mut body = order();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        body
    };
    let cases = [
        ("/source", json!(7)),
        ("/source", json!("a\u{0}b")),
        ("/external_id", json!("\u{2028}x\r\ny")),
        ("/customer/email", json!("ann@example.org\r\nbcc: eve@example.org")),
        ("/customer/name", json!("Ann\nEve")),
        ("/lines/0/quantity", json!(-1)),
        ("/lines/0/quantity", json!(1e300)),
        ("/lines/0/unit_price", json!(u64::MAX)),
        ("/lines/0/colour", json!("red")),
        ("/currency", json!("XXX")),
        ("/placed_at", json!("yesterday")),
    ];
    for (pointer, value) in cases {
        let answer = post(&shop, &speaker, "/orders", with(pointer, value).to_string()).await;
        assert_eq!((answer.status, answer.problem()), (422, "unfit-body"), "{pointer}: {answer:?}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_change_of_stock_is_named_where_it_is() {
    let (shop, speaker) = open().await;
    let cases = [
        (json!({ "kind": "receive", "quantity": "ten" }), "/quantity"),
        (
            json!({ "kind": "receive", "quantity": 1, "price": { "amount": 1.5, "currency": "EUR" } }),
            "/price/amount",
        ),
        (json!({ "kind": "receive", "quantity": 1, "change": 1 }), "/change"),
        (json!({ "kind": "adjust", "change": 1, "note": "a\nb" }), "/note"),
        (json!({ "kind": "lose" }), "/kind"),
        (json!({ "quantity": 1 }), ""),
    ];
    for (body, pointer) in cases {
        let answer = post(&shop, &speaker, "/products/MUG/stock", body.to_string()).await;
        assert_eq!((answer.status, answer.problem()), (422, "unfit-body"), "{body}: {answer:?}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{body}: {answer:?}");
    }
}

/// What is answered to bytes as they stand.
async fn raw(shop: &Shop, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(shop.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn nothing_is_smuggled_into_a_header() {
    let (shop, speaker) = open().await;
    let lines = |extra: &[u8]| {
        let head =
            format!("GET /api/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n", speaker.token);
        [head.as_bytes(), extra, b"\r\nconnection: close\r\n\r\n"].concat()
    };
    for extra in
        [&b"x-request-id: a\rset-cookie: b=c"[..], b"x-request-id: a\0b", b"x-request-id: \"><script>"]
    {
        let answer = raw(&shop, &lines(extra)).await;
        let head = answer.split("\r\n\r\n").next().unwrap();
        assert!(!head.contains("set-cookie") && !head.contains("<script") && !head.contains('\0'), "{head}");
    }
    let refused = [
        &b"GET /api/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"[..],
        b"GET /api/orders\r\nx HTTP/1.1\r\nhost: x\r\n\r\n",
    ];
    for request in refused {
        let answer = raw(&shop, request).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    let marked = client().get(format!("{}/api/orders", shop.url)).header("x-request-id", "é");
    assert_eq!(speaker.send(marked).await.status, 200);
    let key = client().post(format!("{}/api/orders", shop.url)).header("idempotency-key", "a b");
    let answer = speaker.send(key.json(&order())).await;
    assert_eq!((answer.status, answer.problem()), (400, "bad-idempotency-key"));
}

#[tokio::test]
async fn who_is_refused_in_the_middle_of_a_body_hears_why() {
    let (shop, speaker) = open().await;
    let form = "--x\r\ncontent-disposition: form-data; name=\"options\"\r\n\r\n{\"workflow\": true}\r\n--x\r\n\
                content-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n";
    let cases = [
        ("/orders/import", "multipart/form-data; boundary=x", form, &speaker.token[..], "HTTP/1.1 422"),
        ("/orders/import", "multipart/form-data; boundary=x", form, "nobody", "HTTP/1.1 401"),
        ("/orders", "application/json", "[", &speaker.token, "HTTP/1.1 413"),
    ];
    for (path, kind, begin, token, status) in cases {
        let body = [begin.as_bytes(), &vec![b'x'; 16 * 1024 * 1024]].concat();
        let head = format!(
            "POST /api{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: {kind}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let answer = raw(&shop, &[head.as_bytes(), &body].concat()).await;
        assert!(answer.starts_with(status), "{path}: {answer}");
        if status.ends_with("422") {
            assert!(answer.contains(r#""pointer":"/workflow""#), "{answer}");
        }
    }
}

#[tokio::test]
async fn who_asks_before_a_body_is_sent_is_refused_without_it() {
    let (shop, _) = open().await;
    let head = "POST /api/orders/import HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=x\r\n\
                content-length: 1000000\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n";
    // A body that was not asked for is not waited for either, as one that is under way is: for ten seconds.
    let answer = tokio::time::timeout(Duration::from_secs(8), raw(&shop, head.as_bytes())).await;
    let answer = answer.expect("the connection ends with the answer");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}
