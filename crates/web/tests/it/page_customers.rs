//! The pages of customers.

use app::orders::{NewCustomer, NewOrder};
use app::refunds::{self, Request};
use domain::{Email, ExternalId, IdempotencyKey, OrderId, RefundRequest, Role};
use reqwest::StatusCode;

use crate::pages::text;
use crate::support::{Shop, order_of_two, reliable};

/// Places an order of somebody's.
async fn buy(shop: &Shop, number: usize, name: &str, email: &str) -> OrderId {
    let customer = NewCustomer {
        external_id: Some(ExternalId::parse(&format!("C-{email}")).unwrap()),
        email: Some(Email::parse(email).unwrap()),
        name: Some(name.to_owned()),
    };
    let order = NewOrder { customer, ..order_of_two(number) };
    app::orders::place(&shop.app, &app::Actor::SYSTEM, order).await.unwrap().0.id
}

async fn work_to_the_end(shop: &Shop) {
    let is_done = async || {
        app::figures::catch_up(&shop.app).await.unwrap();
        !app::system::read(&shop.app).await.unwrap().payments_open
            && app::workers::is_idle(&shop.app).await.unwrap()
    };
    shop.work_until(is_done).await;
}

/// Three customers, of whom Bob leads, then Ann, then Eve.
async fn three() -> (Shop, OrderId) {
    let shop = Shop::open(reliable()).await;
    shop.stock(1_000).await;
    let of_ann = buy(&shop, 0, "<i>Ann</i>", "ann@example.org").await;
    for number in 1..4 {
        buy(&shop, number, "Bob", "bob@example.org").await;
    }
    buy(&shop, 4, "Eve", "eve@example.org").await;
    work_to_the_end(&shop).await;
    let key = IdempotencyKey::parse("r").unwrap();
    let reason = Some("<u>late".to_owned());
    let request = Request {
        order: OrderId::from_ledger(5),
        key,
        what: RefundRequest::Amount(500),
        restock: false,
        reason,
    };
    refunds::request(&shop.app, &app::Actor::CLI, request).await.unwrap();
    work_to_the_end(&shop).await;
    (shop, of_ann)
}

#[tokio::test]
async fn customers_are_found_with_what_they_bought() {
    let empty = Shop::open(reliable()).await;
    let browser = empty.signed_in(Role::Viewer).await;
    assert!(text(&browser, "/customers").await.contains("There are no customers yet"));
    let (shop, _) = three().await;
    let browser = shop.signed_in(Role::Viewer).await;
    let all = text(&browser, "/customers?text=").await;
    for told in [
        ">bob@example.org<",
        ">test/C-bob@example.org<",
        ">3</a></td><td class=\"number\">75.00 EUR<",
        "20.00 EUR",
    ] {
        assert!(all.contains(told), "{told}: {all}");
    }
    assert!(all.contains("&#60;i&#62;Ann") && !all.contains("<i>Ann"), "{all}");
    for asked in ["BOB@", "C-bob"] {
        let found = text(&browser, &format!("/customers?text={asked}")).await;
        assert!(found.contains(">Bob</a>") && !found.contains(">Eve</a>"), "{asked}: {found}");
    }
    assert!(text(&browser, "/customers?text=nobody").await.contains("begins so"));
    let first = text(&browser, "/customers?limit=2").await;
    assert!(first.contains(">Eve</a>") && first.contains(">Bob</a>") && !first.contains("Ann"), "{first}");
    let (_, rest) = first.split_once("href=\"/customers?limit=2&#38;cursor=").expect("a next part");
    let cursor = rest.split_once('"').unwrap().0;
    buy(&shop, 9, "Zoe", "zoe@example.org").await;
    let next = text(&browser, &format!("/customers?limit=2&cursor={cursor}")).await;
    assert!(next.contains("Ann") && !next.contains(">Bob</a>") && !next.contains(">Zoe</a>"), "{next}");
}

#[tokio::test]
async fn a_customer_is_seen_with_orders_refunds_and_neighbours() {
    let (shop, of_ann) = three().await;
    let browser = shop.signed_in(Role::Viewer).await;
    let ann = shop.order(of_ann).await.row.customer_id;
    let page = text(&browser, &format!("/customers/{ann}")).await;
    assert!(page.contains("&#60;i&#62;Ann") && !page.contains("<i>Ann"), "{page}");
    assert!(page.contains(&format!("href=\"/orders?customer={ann}\">All their orders")), "{page}");
    assert!(
        page.contains(">test/0</a>")
            && !page.contains(">test/1</a>")
            && page.contains("Nothing of them was refunded")
    );
    assert!(page.contains(&format!("hx-get=\"/customers/{ann}/rank\"")), "{page}");
    let rank = text(&browser, &format!("/customers/{ann}/rank")).await;
    let order = |name: &str| rank.find(name).unwrap_or_else(|| panic!("no {name}: {rank}"));
    assert!(
        order(">Bob</a>") < order("<strong>&#60;i&#62;Ann") && order("Ann") < order(">Eve</a>"),
        "{rank}"
    );
    assert!(rank.contains("<td>2</td><td><strong>") && !rank.contains("<html"), "{rank}");
    assert!(text(&browser, &format!("/customers/{ann}?rank=true")).await.contains(&rank));
    let eve = shop.order(OrderId::from_ledger(5)).await.row.customer_id;
    let page = text(&browser, &format!("/customers/{eve}")).await;
    assert!(page.contains("<dd>20.00 EUR</dd>") && page.contains("5.00 EUR"), "{page}");
    assert!(page.contains("&#60;u&#62;late") && !page.contains("<u>late"), "{page}");
    assert_eq!(browser.get("/customers/99").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_has_no_confirmed_order_is_on_no_board() {
    let shop = Shop::open(reliable()).await;
    let order = {
        shop.stock(10).await;
        buy(&shop, 0, "Ann", "ann@example.org").await
    };
    let browser = shop.signed_in(Role::Viewer).await;
    let ann = shop.order(order).await.row.customer_id;
    assert!(text(&browser, &format!("/customers/{ann}/rank")).await.contains("They are not on the board"));
}
