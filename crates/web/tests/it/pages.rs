//! The dashboard's pages as a server sends them.

use app::Actor;
use app::stock::{self, Receipt};
use domain::{Currency, Label, Role, Sku};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING};
use reqwest::{Method, StatusCode};

use crate::support::{Browser, Shop, reliable};

/// A page that must be there.
pub async fn text(browser: &Browser, path: &str) -> String {
    let answer = browser.get(path).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}

/// The tile of a key figure.
fn tile<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, rest) =
        page.split_once(&format!("<dt>{name}</dt>")).unwrap_or_else(|| panic!("no {name}: {page}"));
    rest.split_once("</div>").unwrap().0
}

fn value<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, rest) = tile(page, name).split_once("<dd class=\"value\">").unwrap();
    rest.split_once("</dd>").unwrap().0
}

/// Places orders, and works until they are confirmed.
pub async fn sell(shop: &Shop, orders: std::ops::Range<usize>) {
    for number in orders.clone() {
        shop.place(number).await;
    }
    let confirmed = async || {
        app::figures::catch_up(&shop.app).await.unwrap();
        let overview = app::system::read(&shop.app).await.unwrap();
        !overview.payments_open && app::workers::is_idle(&shop.app).await.unwrap()
    };
    shop.work_until(confirmed).await;
}

#[tokio::test]
async fn the_overview_tells_the_figures_of_today_beside_those_before() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let empty = text(&browser, "/").await;
    assert!(
        empty.contains("No order has come yet") && empty.contains("ordermill import orders.csv"),
        "{empty}"
    );
    assert_eq!((value(&empty, "Orders"), value(&empty, "Average order")), ("0", "–"));
    shop.stock(1_000).await;
    sell(&shop, 0..2).await;
    shop.clock.advance(std::time::Duration::from_hours(24));
    sell(&shop, 2..5).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let page = text(&browser, "/").await;
    assert!(!page.contains("No order has come yet"));
    assert_eq!((value(&page, "Orders"), value(&page, "Net revenue")), ("3", "75.00"), "{page}");
    let orders = tile(&page, "Orders");
    assert!(orders.contains("2 the day before") && orders.contains("+50.0 %"), "{orders}");
    assert!(orders.contains("0 a week before"), "{orders}");
    assert!(page.contains("2030-01-02: 75.00 EUR") && page.contains("2030-01-01: 50.00 EUR"), "{page}");
    assert!(page.contains("ann@example.org"), "the customer leads: {page}");
    assert!(page.contains("The newest 5 orders.") && page.contains("<td>Confirmed</td>"), "{page}");
    assert!(
        page.contains("aria-label=\"Confirmed\">100.0 %") && page.contains("aria-label=\"Shipped\">0.0 %")
    );
    let other = text(&browser, "/?currency=USD").await;
    assert_eq!((value(&other, "Orders"), other.contains("Money in USD.")), ("0", true), "{other}");
    assert!(other.contains("href=\"/?over=days&#38;currency=EUR\">EUR</a>"), "{other}");
    let before = text(&browser, "/?day=2030-01-01&over=months").await;
    assert_eq!(value(&before, "Orders"), "2");
    assert!(before.contains("<title>2030-01-01: 50.00 EUR</title>"), "{before}");
    let tables = text(&browser, "/?day=2030-01-01&over=months&tables=true").await;
    assert!(tables.contains("<td>2030-01-01</td><td class=\"number\">50.00 EUR</td>"), "{tables}");
    assert!(
        !tables.contains("<rect")
            && tables.contains("/overview/live?over=months&#38;day=2030-01-01&#38;tables=true")
    );
}

#[tokio::test]
async fn orders_are_found_by_what_a_form_asks() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    assert!(text(&browser, "/orders").await.contains("No order has come yet"));
    shop.stock(4).await;
    sell(&shop, 0..2).await;
    shop.place(2).await;
    shop.work().await;
    let all = text(&browser, "/orders?text=&status=&sku=&from=&to=&source=&import=&sort=").await;
    for name in ["test/0", "test/1", "test/2"] {
        assert!(all.contains(&format!(">{name}</a>")), "{name}: {all}");
    }
    assert!(all.contains("out of stock") && all.contains("25.00 EUR") && all.contains("ann@example.org"));
    let failed = text(&browser, "/orders?status=failed").await;
    assert!(failed.contains(">test/2</a>") && !failed.contains(">test/1</a>"), "{failed}");
    let first = text(&browser, "/orders?limit=2&source=test").await;
    assert!(!first.contains("To the beginning"), "{first}");
    let (_, rest) =
        first.split_once("href=\"/orders?limit=2&#38;source=test&#38;cursor=").expect("a next part");
    let cursor = rest.split_once('"').unwrap().0;
    let next = text(&browser, &format!("/orders?limit=2&source=test&cursor={cursor}")).await;
    assert!(next.contains(">test/0</a>") && !next.contains(">test/1</a>"), "{next}");
    assert!(next.contains("href=\"/orders?limit=2&#38;source=test\">To the beginning"), "{next}");
    assert!(text(&browser, "/orders?text=nobody").await.contains("No order here fits"));
}

#[tokio::test]
async fn a_part_of_a_page_sends_the_whole_page_to_sign_in() {
    let shop = Shop::open(reliable()).await;
    let request = shop.browser().request(Method::GET, "/overview/live").header("hx-request", "true");
    let answer = request.send().await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["hx-redirect"]),
        (StatusCode::OK, &"/login".parse().unwrap())
    );
}

#[tokio::test]
async fn the_part_that_lives_is_the_same_without_its_frame() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let (page, part) = (text(&browser, "/").await, text(&browser, "/overview/live").await);
    assert!(page.contains(&part) && !part.contains("<html"), "{part}");
    assert!(page.contains("sse-connect=\"/api/events?topics=kpis,imports,queues\""));
}

#[tokio::test]
async fn names_that_are_markup_are_shown_as_they_are() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let receipt = Receipt {
        sku: Sku::parse("MUG").unwrap(),
        name: Some(Label::parse("<script>alert('mug')</script>").unwrap()),
        price: Some((1_250, Currency::parse("EUR").unwrap())),
        quantity: 10,
        note: None,
    };
    stock::receive(&shop.app, &Actor::SYSTEM, vec![receipt]).await.unwrap();
    sell(&shop, 0..1).await;
    let page = text(&browser, "/").await;
    assert!(page.contains("&#60;script&#62;alert") && !page.contains("<script>alert"), "{page}");
}

#[tokio::test]
async fn people_read_of_what_went_wrong_on_a_page() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let asked =
        |accept: &'static str| browser.request(Method::GET, "/?over=decades").header(ACCEPT, accept).send();
    let page = asked("text/html,application/xhtml+xml").await.unwrap();
    assert_eq!(page.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let page = page.text().await.unwrap();
    assert!(page.contains("?over") && page.contains("days"), "{page}");
    let problem = asked("application/json").await.unwrap();
    assert_eq!(problem.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn strangers_are_sent_to_where_they_sign_in() {
    let shop = Shop::open(reliable()).await;
    let stranger = shop.browser();
    for path in ["/", "/overview/live", "/account", "/docs"] {
        let answer = stranger.request(Method::GET, path).header(ACCEPT, "text/html").send().await.unwrap();
        assert_eq!(
            (answer.status(), &answer.headers()["location"]),
            (StatusCode::SEE_OTHER, &"/login".parse().unwrap()),
            "{path}"
        );
    }
    let program = stranger.get("/docs").await;
    assert_eq!(program.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn assets_are_kept_for_as_long_as_they_are_the_same() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.browser();
    let page = text(&browser, "/login").await;
    let (_, rest) = page.split_once("<link rel=\"stylesheet\" href=\"/assets/").unwrap();
    let address = format!("/assets/{}", rest.split_once('"').unwrap().0);
    let asked = |path: &str, encoding: &'static str| {
        browser.request(Method::GET, path).header(ACCEPT_ENCODING, encoding).send()
    };
    let (plain, zipped) =
        (asked(&address, "identity").await.unwrap(), asked(&address, "br, gzip").await.unwrap());
    for answer in [&plain, &zipped] {
        assert_eq!(answer.headers()["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(answer.headers()["vary"], "accept-encoding");
    }
    assert!(!plain.headers().contains_key("content-encoding"));
    assert_eq!(zipped.headers()["content-encoding"], "gzip");
    let (plain, zipped) = (plain.bytes().await.unwrap(), zipped.bytes().await.unwrap());
    assert!(zipped.len() * 2 < plain.len(), "{} of {}", zipped.len(), plain.len());
    let mut unzipped = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&zipped[..]), &mut unzipped).unwrap();
    assert_eq!(unzipped, plain);
    assert_eq!(asked(&address, "gzip;q=0").await.unwrap().headers().get("content-encoding"), None);
    let other = asked("/assets/0123456789abcdef/ordermill.css", "identity").await.unwrap();
    assert_eq!(
        (other.status(), &other.headers()["cache-control"]),
        (StatusCode::OK, &"no-cache".parse().unwrap())
    );
    let path = "/assets/0123456789abcdef/none.js";
    assert_eq!(asked(path, "identity").await.unwrap().status(), StatusCode::NOT_FOUND);
}
