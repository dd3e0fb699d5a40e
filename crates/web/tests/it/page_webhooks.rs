//! The page of what the payment gateway sent.

use domain::Role;
use serde_json::json;

use crate::pages::text;
use crate::support::{Callback, Shop, silent};

#[tokio::test]
async fn each_delivery_is_listed_with_its_verdict_and_its_order() {
    let shop = Shop::open(silent()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    assert!(text(&browser, "/webhooks").await.contains("has sent nothing yet"));
    shop.stock(100).await;
    let order = shop.place_reserved(0).await;
    let captured = shop.callback(order, "evt_1", "charge.captured");
    assert_eq!(shop.verdict(&captured).await, "applied");
    assert_eq!(shop.verdict(&captured).await, "duplicate");
    let hostile = Callback {
        id: "evt_<b>2".to_owned(),
        body: json!({"type": "party", "data": {"key": "none", "reference": "ch", "amount": 1, "currency": "EUR"}})
            .to_string(),
        ..captured.clone()
    };
    assert_eq!(shop.verdict(&hostile).await, "ignored");
    let forged =
        Callback { id: "evt_3".to_owned(), secret: "a secret of somebody else's".to_owned(), ..captured };
    assert_eq!(shop.deliver(&forged).await.0, 401);
    let all = text(&browser, "/webhooks?verdict=").await;
    for told in [">applied<", ">duplicate<", ">ignored<", ">rejected<", "<code>evt_1</code>"] {
        assert!(all.contains(told), "{told}: {all}");
    }
    assert!(all.contains(&format!("href=\"/orders/{order}\">test/0</a>")), "{all}");
    assert!(all.contains("evt_&#60;b&#62;2") && !all.contains("evt_<b>"), "{all}");
    let rejected = text(&browser, "/webhooks?verdict=rejected").await;
    assert!(rejected.contains(">rejected<") && !rejected.contains(">applied<"), "{rejected}");
    assert!(text(&browser, "/webhooks?verdict=stale").await.contains("No delivery here got this verdict"));
    let first = text(&browser, "/webhooks?limit=3").await;
    let (_, rest) = first.split_once("href=\"/webhooks?limit=3&#38;cursor=").expect("a next part");
    let cursor = rest.split_once('"').unwrap().0;
    assert_eq!(shop.deliver(&forged).await.0, 401);
    let next = text(&browser, &format!("/webhooks?limit=3&cursor={cursor}")).await;
    assert!(next.contains(">applied<") && !next.contains(">duplicate<"), "{next}");
}
