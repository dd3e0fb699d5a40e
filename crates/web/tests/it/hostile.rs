//! Texts that want to be more than data.

use base64::Engine as _;
use domain::Role;
use serde_json::{Value, json};

use crate::support::{Shop, Speaker, client, reliable};

const SCRIPT: &str = "<script>alert('x')</script>\"{{7*7}}' OR 1=1 --";

async fn open() -> (Shop, Speaker) {
    let shop = Shop::open(reliable()).await;
    shop.stock(100).await;
    let speaker = shop.speaker(Role::Operator).await;
    (shop, speaker)
}

/// A text as part of an address.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02x}"))
}

#[tokio::test]
async fn a_script_in_any_text_comes_back_as_data() {
    let (shop, speaker) = open().await;
    let product = json!({ "sku": SCRIPT, "name": SCRIPT, "price": { "amount": 100, "currency": "EUR" } });
    assert_eq!(speaker.post("/products", &product).await.status, 201);
    let stock = json!({ "kind": "receive", "quantity": 5, "note": SCRIPT });
    let received = speaker.post(&format!("/products/{}/stock", escaped(SCRIPT)), &stock).await;
    assert_eq!((received.status, &received.body["name"]), (200, &json!(SCRIPT)), "{received:?}");
    let order = json!({
        "source": "shop", "external_id": SCRIPT,
        "customer": { "email": "ann@example.org", "external_id": SCRIPT, "name": SCRIPT },
        "lines": [{ "sku": SCRIPT, "quantity": 2 }],
    });
    let placed = speaker.post("/orders", &order).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    shop.work().await;
    let id = &placed.body["id"];
    let parcel = json!({ "carrier": SCRIPT, "tracking": SCRIPT });
    assert_eq!(speaker.post(&format!("/orders/{id}/ship"), &parcel).await.status, 200);
    let refund = json!({ "order_id": id, "amount": 10, "reason": SCRIPT });
    speaker.post_keyed("/refunds", "r-1", &refund).await;
    shop.work().await;

    let shown = speaker.get(&format!("/orders/shop:{}", escaped(SCRIPT))).await;
    assert_eq!(shown.headers["content-type"], "application/json");
    for pointer in [
        "/external_id",
        "/customer/name",
        "/customer/external_id",
        "/lines/0/sku",
        "/lines/0/name",
        "/shipments/0/carrier",
        "/shipments/0/tracking",
        "/refunds/0/reason",
    ] {
        assert_eq!(shown.body.pointer(pointer), Some(&json!(SCRIPT)), "{pointer}: {}", shown.body);
    }
    let mail = &shown.body["notifications"][0]["id"];
    let html = speaker.get(&format!("/notifications/{mail}")).await.body["html"].to_string();
    assert!(!html.contains("<script>") && !html.contains("49"), "{html}");
    for path in ["/orders?text=", "/orders?sku=", "/customers?text="] {
        let found = speaker.get(&format!("{path}{}", escaped(SCRIPT))).await;
        assert_eq!(found.body["data"].as_array().unwrap().len(), 1, "{path}: {found:?}");
    }
}

#[tokio::test]
async fn a_name_that_climbs_out_of_its_folder_names_nothing() {
    let (_shop, speaker) = open().await;
    for name in ["../../etc/passwd", "..", "/etc/passwd", "..\\..\\x", "%2e%2e%2f", "shop:../../x"] {
        for address in ["/products/", "/orders/", "/queues/"] {
            let tail = if address == "/queues/" { "/metrics" } else { "" };
            let answer = speaker.get(&format!("{address}{}{tail}", escaped(name))).await;
            assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{address} {name}: {answer:?}");
        }
    }
    let climbing = json!({ "sku": "../../etc/passwd" });
    let made = speaker.post("/products", &climbing).await;
    assert_eq!((made.status, &made.body["sku"]), (201, &json!("../../etc/passwd")), "it is a name like any");
    let shown = speaker.get(&format!("/products/{}", escaped("../../etc/passwd"))).await;
    assert_eq!(shown.body["sku"], "../../etc/passwd", "{shown:?}");
}

#[tokio::test]
async fn a_line_break_gets_into_no_text_and_no_header() {
    let (shop, speaker) = open().await;
    let broken = "x\r\nBcc: eve@example.org";
    let order = |pointer: &str, value: &str| {
        let mut order = json!({
            "source": "shop", "external_id": "1", "customer": { "email": "ann@example.org", "name": "Ann" },
            "lines": [{ "sku": "MUG", "quantity": 1 }],
        });
        *order.pointer_mut(pointer).unwrap() = json!(value);
        order
    };
    for pointer in ["/source", "/external_id", "/customer/email", "/customer/name", "/lines/0/sku"] {
        for bad in [broken, "a\u{0}b", "a\u{2028}b", "a\tb"] {
            let answer = speaker.post("/orders", &order(pointer, bad)).await;
            assert_eq!((answer.status, answer.problem()), (422, "unfit-body"), "{pointer}: {answer:?}");
            assert_eq!(answer.body["errors"][0]["pointer"], pointer);
        }
    }
    for path in ["/orders?text=", "/customers?text=", "/orders?sku="] {
        let answer = speaker.get(&format!("{path}{}", escaped(broken))).await;
        assert_eq!((answer.status, answer.problem()), (422, "invalid-request"), "{path}: {answer:?}");
    }
    let url = format!("{}/api/orders/{}", shop.url, escaped(broken));
    let answer = client().get(url).bearer_auth(&speaker.token).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("bcc")), (404, None));
    assert_eq!(speaker.get("/orders").await.body["data"], json!([]));
}

#[tokio::test]
async fn a_cursor_that_somebody_made_up_harms_nobody() {
    let (shop, speaker) = open().await;
    shop.place(1).await;
    let made_up = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    for text in
        ["", "newest", "newest:1", "newest:x:1", "total:1:1", "newest:1:99999999999999999999", "' OR 1=1"]
    {
        let answer = speaker.get(&format!("/orders?cursor={}", made_up(text))).await;
        assert_eq!((answer.status, answer.problem()), (422, "invalid-request"), "{text}: {answer:?}");
    }
    let (least, most) = (i64::MIN, i64::MAX);
    for sort in ["newest", "oldest", "placed_newest", "placed_oldest", "total_highest", "total_lowest"] {
        for (key, id) in [(least, least), (most, most), (0, least), (least, most)] {
            let cursor = made_up(&format!("{sort}:{key}:{id}"));
            let answer = speaker.get(&format!("/orders?text=1&sort={sort}&cursor={cursor}")).await;
            assert_eq!(answer.status, 200, "{sort} {key} {id}: {answer:?}");
            let without = if sort.starts_with("total") { "customer=1&" } else { "" };
            let answer = speaker.get(&format!("/orders?{without}sort={sort}&cursor={cursor}")).await;
            assert_eq!(answer.status, 200, "{sort} {key} {id}: {answer:?}");
            assert!(matches!(answer.body["data"], Value::Array(_)));
        }
    }
}
