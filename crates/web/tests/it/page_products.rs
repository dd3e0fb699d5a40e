//! The pages of products and their stock.

use app::stock::{self, Receipt};
use domain::{Label, Role, Sku};
use reqwest::{Response, StatusCode};
use store::operator_actions::Search;

use crate::pages::{sell, text};
use crate::support::{Browser, Shop, reliable};

async fn receive(shop: &Shop, sku: &str, units: i64, note: &str) {
    let receipt = Receipt {
        sku: Sku::parse(sku).unwrap(),
        name: Some(Label::parse(&format!("<b>{sku}</b>")).unwrap()),
        price: None,
        quantity: units,
        note: Some(note.to_owned()),
    };
    stock::receive(&shop.app, &app::Actor::SYSTEM, vec![receipt]).await.unwrap();
}

/// The value of a hidden field of a form.
fn hidden(page: &str, name: &str) -> String {
    let found = page.split_once(&format!("name=\"{name}\" value=\""));
    let (_, rest) = found.unwrap_or_else(|| panic!("no {name}: {page}"));
    rest.split_once('"').unwrap().0.to_owned()
}

async fn send(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Response {
    let fields: Vec<_> = [("csrf_token", browser.csrf())].into_iter().chain(fields.iter().copied()).collect();
    browser.form(path, &fields).send().await.unwrap()
}

#[tokio::test]
async fn products_are_found_by_how_their_skus_begin() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    assert!(text(&browser, "/products").await.contains("There are no products yet"));
    for (sku, units) in [("CUP-1", 5), ("CUP-2", 6), ("CUP/3 é", 0), ("POT", 9)] {
        receive(&shop, sku, units, "x").await;
    }
    let all = text(&browser, "/products").await;
    assert!(all.contains("href=\"/products/CUP%2F3%20%C3%A9\">CUP/3 é</a>"), "{all}");
    assert!(all.contains("few left") && all.contains("none left"), "{all}");
    assert!(all.contains("&#60;b&#62;POT") && !all.contains("<b>POT"), "{all}");
    let cups = text(&browser, "/products?sku=CUP&limit=2").await;
    assert!(cups.contains(">CUP-1</a>") && cups.contains(">CUP-2</a>") && !cups.contains(">CUP/3"), "{cups}");
    let (_, rest) = cups.split_once("href=\"/products?sku=CUP&#38;limit=2&#38;cursor=").expect("a next part");
    let cursor = rest.split_once('"').unwrap().0;
    receive(&shop, "CUP-0", 1, "x").await;
    let next = text(&browser, &format!("/products?sku=CUP&limit=2&cursor={cursor}")).await;
    assert!(
        next.contains(">CUP/3 é</a>") && !next.contains(">POT</a>") && !next.contains(">CUP-2"),
        "{next}"
    );
    assert!(text(&browser, "/products?sku=cup").await.contains("No product has a SKU that begins so"));
    let one = text(&browser, "/products/CUP%2F3%20%C3%A9").await;
    assert!(one.contains("<h1>CUP/3 é") && !one.contains("Receive goods"), "{one}");
    assert_eq!(browser.get("/products/NONE").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_ledger_tells_what_moved_a_product_and_what_was_there_then() {
    let shop = Shop::open(reliable()).await;
    shop.stock(10).await;
    receive(&shop, "CUP", 3, "x").await;
    let later = || shop.clock.advance(std::time::Duration::from_secs(1));
    later();
    sell(&shop, 0..1).await;
    later();
    receive(&shop, "MUG", 5, "<i>late</i>").await;
    let browser = shop.signed_in(Role::Viewer).await;
    let page = text(&browser, "/products/MUG").await;
    let (_, ledger) = page.split_once("id=\"ledger\"").unwrap();
    let rows: Vec<&str> = ledger.split("<tr>").skip(2).collect();
    assert_eq!(rows.len(), 3, "{ledger}");
    let numbers = |row: &str| -> Vec<String> {
        let cells = row.split("<td class=\"number\">").skip(1);
        cells.map(|cell| cell.split_once("</td>").unwrap().0.to_owned()).collect()
    };
    assert_eq!(numbers(rows[0]), ["+5", "", "15", "2"], "{ledger}");
    assert_eq!(numbers(rows[1]), ["", "+2", "10", "2"], "{ledger}");
    assert_eq!(numbers(rows[2]), ["+10", "", "10", "0"], "{ledger}");
    assert!(rows[1].contains("<td>reserve</td>") && rows[1].contains(">test/0</a>"), "{ledger}");
    assert!(ledger.contains("&#60;i&#62;late") && !ledger.contains("<i>late"), "{ledger}");
    let receipts = text(&browser, "/products/MUG?cause=receipt&limit=1").await;
    assert!(receipts.contains("&#60;i&#62;late") && !receipts.contains(">+10<"), "{receipts}");
    let (_, rest) = receipts.split_once("cause=receipt&#38;limit=1&#38;cursor=").expect("a next part");
    let cursor = rest.split_once('"').unwrap().0;
    receive(&shop, "MUG", 7, "x").await;
    let next = text(&browser, &format!("/products/MUG?cause=receipt&limit=1&cursor={cursor}")).await;
    assert!(next.contains(">+10<") && !next.contains(">+7<") && !next.contains(">+5<"), "{next}");
    let none = text(&browser, "/products/MUG?cause=shipment_line").await;
    assert!(none.contains("Nothing has moved it for this cause yet"), "{none}");
}

#[tokio::test]
async fn goods_arrive_once_however_often_the_form_is_sent() {
    let shop = Shop::open(reliable()).await;
    receive(&shop, "A/B", 1, "x").await;
    let browser = shop.signed_in(Role::Operator).await;
    let asked = text(&browser, "/products/A%2FB/receive?units=4&note=%3Ci%3Edelivery").await;
    assert!(asked.contains("1 → 5") && asked.contains("&#60;i&#62;delivery"), "{asked}");
    assert!(asked.contains("action=\"/products/A%2FB/receive\""), "{asked}");
    let key = hidden(&asked, "key");
    let fields = [("key", &*key), ("units", "4"), ("note", "<i>delivery")];
    let path = "/products/A%2FB/receive";
    let (first, second) = tokio::join!(send(&browser, path, &fields), send(&browser, path, &fields));
    for answer in [&first, &second] {
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(answer.headers()["location"], "/products/A%2FB#ledger");
    }
    let page = text(&browser, "/products/A%2FB").await;
    assert!(page.contains("<dt>On hand</dt><dd>5</dd>"), "{page}");
    let other = send(&browser, path, &[("key", &key), ("units", "5"), ("note", "")]).await;
    assert_eq!(other.status(), StatusCode::UNPROCESSABLE_ENTITY, "the key is of another form");
    for (units, told) in [("0", "one unit or more"), ("many", "no whole number"), ("-2", "one unit or more")]
    {
        let refused = browser.get(&format!("{path}?units={units}&note=x")).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{units}");
        let page = refused.text().await.unwrap();
        assert!(page.contains(told) && !page.contains("name=\"key\""), "{page}");
    }
}

#[tokio::test]
async fn a_count_is_put_right_with_a_reason_and_never_below_what_is_held() {
    let shop = Shop::open(reliable()).await;
    shop.stock(10).await;
    sell(&shop, 0..1).await;
    let browser = shop.signed_in(Role::Operator).await;
    let asked = text(&browser, "/products/MUG/adjust?units=-3&note=broken").await;
    assert!(asked.contains("10 → 7") && asked.contains("8 → 5") && asked.contains("2, as now"), "{asked}");
    let key = hidden(&asked, "key");
    let fields = [("key", &*key), ("units", "-3"), ("note", "broken")];
    for _ in 0..2 {
        assert_eq!(send(&browser, "/products/MUG/adjust", &fields).await.status(), StatusCode::SEE_OTHER);
    }
    assert_eq!(shop.mugs().await.on_hand, 7);
    let silent = browser.get("/products/MUG/adjust?units=-3").await;
    assert!(silent.text().await.unwrap().contains("Say why the count is put right"));
    let fields = [("key", "another"), ("units", "-6"), ("note", "gone")];
    let refused = send(&browser, "/products/MUG/adjust", &fields).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let refused = refused.text().await.unwrap();
    assert!(refused.contains("would leave too few") && refused.contains("value=\"gone\""), "{refused}");
    assert_eq!(shop.mugs().await.on_hand, 7);
    let actions =
        app::access::actions(&shop.app, Search { limit: 10, ..Search::default() }).await.unwrap().rows;
    assert_eq!(actions.iter().filter(|action| action.kind == "stock_adjusted").count(), 1);
}

#[tokio::test]
async fn what_the_catalogue_says_changes_where_it_is_as_it_was_seen() {
    let shop = Shop::open(reliable()).await;
    shop.stock(10).await;
    let browser = shop.signed_in(Role::Operator).await;
    let seen = text(&browser, "/products/MUG").await;
    assert!(seen.contains("value=\"12.50\""), "{seen}");
    let tag = hidden(&seen, "tag");
    let said = |name: &'static str, price: &'static str| {
        [
            ("tag", tag.clone()),
            ("name", name.to_owned()),
            ("price", price.to_owned()),
            ("currency", "EUR".to_owned()),
        ]
    };
    let change = async |fields: [(&'static str, String); 4]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        send(&browser, "/products/MUG/change", &fields).await
    };
    let bad = change(said("Mug", "12.5055")).await;
    assert_eq!(bad.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let bad = bad.text().await.unwrap();
    assert!(bad.contains("more decimals than EUR has") && bad.contains("value=\"12.5055\""), "{bad}");
    assert_eq!(change(said("\"><script>", "13")).await.status(), StatusCode::SEE_OTHER);
    let page = text(&browser, "/products/MUG").await;
    assert!(page.contains("&#34;&#62;&#60;script&#62;") && !page.contains("value=\"\"><script>"), "{page}");
    assert_eq!(shop.mugs().await.price, Some(1_300));
    let late = change(said("Small mug", "")).await;
    assert_eq!(late.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(late.text().await.unwrap().contains("was changed since"));
    assert_eq!(shop.mugs().await.price, Some(1_300));
}

#[tokio::test]
async fn a_product_is_made_once_also_one_that_is_called_new() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Operator).await;
    let page = text(&browser, "/products/new").await;
    let key = hidden(&page, "key");
    let fields = [("key", &*key), ("sku", "new"), ("name", ""), ("price", "3.10"), ("currency", "EUR")];
    for _ in 0..2 {
        let made = send(&browser, "/products/new", &fields).await;
        assert_eq!(made.headers()["location"], "/products/%6E%65%77", "{:?}", made.status());
    }
    let made = text(&browser, "/products/%6E%65%77").await;
    assert!(
        made.contains("<h1>new") && made.contains("none left") && made.contains("value=\"3.10\""),
        "{made}"
    );
    let fields = [("key", "2"), ("sku", "new"), ("name", "<b>"), ("price", ""), ("currency", "EUR")];
    let taken = send(&browser, "/products/new", &fields).await;
    assert_eq!(taken.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let taken = taken.text().await.unwrap();
    assert!(taken.contains("new already") && taken.contains("value=\"&#60;b&#62;\""), "{taken}");
    let fields = [("key", "3"), ("sku", " "), ("name", ""), ("price", ""), ("currency", "EUR")];
    assert!(send(&browser, "/products/new", &fields).await.text().await.unwrap().contains("SKU is empty"));
}
