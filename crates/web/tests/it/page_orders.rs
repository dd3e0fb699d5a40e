//! An order's page, and what can be done there.

use domain::{OrderId, Role};
use reqwest::StatusCode;

use crate::pages::text;
use crate::support::{Browser, Shop, reliable};

/// The value of a hidden field.
fn field(page: &str, name: &str) -> String {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name}: {page}"));
    rest.split_once('"').unwrap().0.replace("&#34;", "\"")
}

/// What a page says comes of something, as words.
fn effects(page: &str) -> String {
    let (_, rest) =
        page.split_once("What comes of it</h2>").unwrap_or_else(|| panic!("nothing comes of it: {page}"));
    let mut words = String::new();
    let mut is_tag = false;
    for letter in rest.split_once("</section>").unwrap().0.chars() {
        match letter {
            '<' => is_tag = true,
            '>' => (is_tag, words) = (false, words + " "),
            _ if !is_tag => words.push(letter),
            _ => {}
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A shop with one paid order of two mugs, and somebody who works there.
async fn paid() -> (Shop, OrderId, Browser) {
    let shop = Shop::open(reliable()).await;
    shop.stock(10).await;
    let order = shop.place(1).await;
    shop.work_until(async || shop.status(order).await == "confirmed/paid").await;
    let browser = shop.signed_in(Role::Operator).await;
    (shop, order, browser)
}

async fn submit(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> reqwest::Response {
    let fields = [&[("csrf_token", browser.csrf())], fields].concat();
    browser.form(path, &fields).send().await.unwrap()
}

#[tokio::test]
async fn an_order_stands_on_one_page_with_all_that_belongs_to_it() {
    let (shop, order, browser) = paid().await;
    let page = text(&browser, &format!("/orders/{order}/live")).await;
    for told in [
        "test/1",
        "confirmed",
        "25.00 EUR",
        "ann@example.org",
        "MUG",
        "charge.captured",
        "order placed",
        "applied",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(page.contains("8 (0 reserved)") || page.contains("10 (2 reserved)"), "{page}");
    for action in ["ship", "cancel", "refund"] {
        assert!(page.contains(&format!("href=\"/orders/{order}/{action}\"")), "{action}: {page}");
    }
    assert!(!page.contains(&format!("/orders/{order}/deliver")), "nothing has left yet");
    let viewer = shop.signed_in(Role::Viewer).await;
    let seen = text(&viewer, &format!("/orders/{order}")).await;
    assert!(!seen.contains(&format!("/orders/{order}/ship")), "a viewer only looks: {seen}");
    assert_eq!(viewer.get(&format!("/orders/{order}/ship")).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(browser.get("/orders/99").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(browser.get(&format!("/orders/{order}/burn")).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn jobs_stand_in_the_timeline_once_they_were_looked_for() {
    let shop = Shop::open(reliable()).await;
    shop.stock(10).await;
    let order = shop.place(1).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let first = text(&browser, &format!("/orders/{order}")).await;
    assert!(first.contains("Jobs are being looked for") && !first.contains("/queues/jobs/"), "{first}");
    let then = text(&browser, &format!("/orders/{order}/live")).await;
    assert!(then.contains("reserve_stock, attempt 0") && then.contains("/queues/jobs/"), "{then}");
}

#[tokio::test]
async fn what_comes_of_a_shipment_is_shown_before_it_leaves() {
    let (shop, order, browser) = paid().await;
    let path = format!("/orders/{order}/ship");
    let page = text(&browser, &path).await;
    assert!(
        effects(&page).contains("confirmed paid shipped Stock MUG: -2 on hand, -2 reserved"),
        "{}",
        effects(&page)
    );
    let (key, version) = (field(&page, "key"), field(&page, "version"));
    let part = [
        ("key", key.as_str()),
        ("version", &version),
        ("units_1", "1"),
        ("carrier", "DHL"),
        ("tracking", "T-1"),
    ];
    let looked =
        submit(&browser, &path, &[&part[..], &[("look", "yes")]].concat()).await.text().await.unwrap();
    assert!(
        effects(&looked).contains("partially shipped Stock MUG: -1 on hand, -1 reserved"),
        "{}",
        effects(&looked)
    );
    assert!(looked.contains("value=\"DHL\"") && field(&looked, "key") == key, "{looked}");
    assert_eq!(shop.order(order).await.lines[0].shipped, 0, "looking does nothing");
    for _ in 0..2 {
        let done = submit(&browser, &path, &part).await;
        assert_eq!(
            (done.status(), &done.headers()["location"]),
            (StatusCode::SEE_OTHER, &format!("/orders/{order}").parse().unwrap())
        );
    }
    assert_eq!(shop.order(order).await.lines[0].shipped, 1, "a form that is sent twice is done once");
    // Somebody who looked before does not ship what they did not see.
    let late = [("key", "another"), ("version", version.as_str()), ("units_1", "1")];
    let late = submit(&browser, &path, &late).await;
    assert_eq!(late.status(), StatusCode::PRECONDITION_FAILED);
    let page = text(&browser, &format!("/orders/{order}/live")).await;
    assert!(page.contains("T-1") && page.contains("partially shipped"), "{page}");
    let too_many = [("key", "k"), ("version", version.as_str()), ("units_1", "5"), ("look", "yes")];
    let refused = submit(&browser, &path, &too_many).await.text().await.unwrap();
    assert!(effects(&refused).contains("line 1 can ship 1 units, not 5"), "{}", effects(&refused));
    assert!(!refused.contains(">Ship</button>"), "what is refused cannot be done: {refused}");
}

#[tokio::test]
async fn a_cancelled_order_gives_its_money_and_goods_back() {
    let (shop, order, browser) = paid().await;
    let path = format!("/orders/{order}/cancel");
    let page = text(&browser, &path).await;
    let told = effects(&page);
    assert!(
        told.contains("cancelled")
            && told.contains("MUG: -2 reserved")
            && told.contains("25.00 EUR goes back"),
        "{told}"
    );
    assert_eq!(shop.status(order).await, "confirmed/paid");
    let fields = [
        ("key", field(&page, "key")),
        ("version", field(&page, "version")),
        ("reason", "changed their mind".to_owned()),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(submit(&browser, &path, &fields).await.status(), StatusCode::SEE_OTHER);
    shop.work().await;
    assert_eq!(shop.status(order).await, "cancelled/refunded");
    let page = text(&browser, &format!("/orders/{order}/live")).await;
    assert!(page.contains("changed their mind") && !page.contains("/ship\""), "{page}");
    let again = text(&browser, &path).await;
    assert!(effects(&again).contains("cannot cancel"), "{}", effects(&again));
}

#[tokio::test]
async fn a_refund_is_shown_before_it_is_asked_for_and_asked_for_as_it_was_shown() {
    let (shop, order, browser) = paid().await;
    let path = format!("/orders/{order}/refund");
    let page = text(&browser, &path).await;
    assert!(page.contains("<strong>25.00 EUR</strong> can go back"), "{page}");
    let key = field(&page, "key");
    let wish = [
        ("key", key.as_str()),
        ("how", "lines"),
        ("units_1", "1"),
        ("restock_1", "yes"),
        ("reason", "chipped"),
    ];
    let looked = submit(&browser, &path, &wish).await.text().await.unwrap();
    let told = effects(&looked);
    assert!(told.contains("12.50 EUR goes back") && told.contains("12.50 EUR for 1 units of MUG"), "{told}");
    assert!(looked.contains("Refund 12.50 EUR</button>"), "{looked}");
    let looked_at = field(&looked, "looked_at");
    let sure = [("sure", "yes"), ("looked_at", looked_at.as_str())];
    let other = [&[("key", key.as_str()), ("how", "lines"), ("units_1", "2")], &sure[..]].concat();
    let changed = submit(&browser, &path, &other).await;
    assert_eq!(changed.status(), StatusCode::OK, "it is shown again, not done");
    assert_eq!(shop.order(order).await.row.refund_pending.amount, 0);
    let mut led_to = Vec::new();
    for _ in 0..2 {
        let done = submit(&browser, &path, &[&wish[..], &sure].concat()).await;
        assert_eq!(done.status(), StatusCode::SEE_OTHER);
        led_to.push(done.headers()["location"].to_str().unwrap().to_owned());
    }
    assert_eq!(led_to[0], led_to[1]);
    assert_eq!(shop.order(order).await.row.refund_pending.amount, 1_250);
    shop.work().await;
    let refund = text(&browser, &led_to[0]).await;
    assert!(refund.contains("chipped") && refund.contains("succeeded"), "{refund}");
    for (wish, why) in [
        (vec![("how", "amount"), ("amount", "13.00")], "12.50"),
        (vec![("how", "amount"), ("amount", "a lot")], "a lot"),
        (vec![("how", "lines"), ("units_1", "2")], "line 1"),
    ] {
        let refused = submit(&browser, &path, &[&[("key", "k")][..], &wish].concat()).await;
        assert_eq!(refused.status(), StatusCode::OK);
        let refused = refused.text().await.unwrap();
        assert!(
            effects(&refused).contains(why) && !refused.contains("name=\"sure\""),
            "{}",
            effects(&refused)
        );
    }
}

#[tokio::test]
async fn many_orders_are_moved_on_at_once_each_on_its_own() {
    let shop = Shop::open(reliable()).await;
    shop.stock(100).await;
    let (a, b, c) = (shop.place(1).await, shop.place(2).await, shop.place(3).await);
    shop.work_until(async || shop.all_are(&[a, b, c], "confirmed/paid").await).await;
    app::orders::cancel(&shop.app, &app::Actor::CLI, c, None).await.unwrap();
    shop.work().await;
    let browser = shop.signed_in(Role::Operator).await;
    let asked = text(&browser, &format!("/orders/many?deed=ship&order={a}&order={b}&order={c}")).await;
    assert!(asked.contains("Ship 2 of 3 orders?") && asked.contains("Left as they are"), "{asked}");
    assert!(asked.contains("cannot ship"), "why the third is left out: {asked}");
    let meant: Vec<&str> =
        asked.split("name=\"order\" value=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
    assert_eq!(meant.len(), 2);
    // One of them is moved on by somebody else in between.
    app::orders::ship(&shop.app, &app::Actor::CLI, b, app::orders::Shipping::default()).await.unwrap();
    let key = field(&asked, "key");
    let form = [("key", key.as_str()), ("deed", "ship"), ("order", meant[0]), ("order", meant[1])];
    for _ in 0..2 {
        let done = submit(&browser, "/orders/many", &form).await;
        assert_eq!(done.status(), StatusCode::OK);
        let done = done.text().await.unwrap();
        assert!(done.contains("1 of 2 orders: done") && done.contains("look at it again"), "{done}");
    }
    assert_eq!(shop.count_events(a, "order_shipped").await, 1);
    let blind = submit(&browser, "/orders/many", &[("key", "k"), ("deed", "cancel"), ("order", "1")]).await;
    assert_eq!(blind.status(), StatusCode::UNPROCESSABLE_ENTITY, "nobody looked at what would come of it");
    assert_eq!(
        browser.get("/orders/many?deed=burn&order=1").await.status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(browser.get("/orders/many?deed=ship").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_a_list_finds_comes_as_csv_to_its_end() {
    let shop = Shop::open(reliable()).await;
    shop.stock(4).await;
    let paid = [shop.place(0).await, shop.place(1).await];
    let short = shop.place(2).await;
    let at_rest =
        async || shop.all_are(&paid, "confirmed/paid").await && shop.all_are(&[short], "failed/unpaid").await;
    shop.work_until(at_rest).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let csv = text(&browser, "/orders.csv?limit=1&sort=oldest").await;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 4, "a list's limit is not the file's: {csv}");
    assert!(lines[0].starts_with("id,source,order_id,placed_at,customer,email,status"), "{csv}");
    assert!(
        lines[1].contains("test,0,")
            && lines[1].contains(",ann@example.org,")
            && lines[1].ends_with(",EUR,25.00,25.00,0.00,0.00"),
        "{csv}"
    );
    let failed = text(&browser, "/orders.csv?status=failed").await;
    assert_eq!(failed.lines().count(), 2, "{failed}");
    assert!(failed.contains(",failed,out_of_stock,"), "{failed}");
}

#[tokio::test]
async fn a_list_is_kept_for_who_keeps_it_and_forgotten_again() {
    let shop = Shop::open(reliable()).await;
    let (browser, other) = (shop.signed_in(Role::Viewer).await, shop.signed_in(Role::Viewer).await);
    let list = "/orders?status=failed&source=test";
    assert!(text(&browser, list).await.contains("Keep this list as"));
    let kept = [("name", "<b>Failed here</b>"), ("query", "?status=failed&source=test&cursor=abc&sku=")];
    let answer = submit(&browser, "/orders/views", &kept).await;
    assert_eq!(
        (answer.status(), &answer.headers()["location"]),
        (StatusCode::SEE_OTHER, &list.parse().unwrap())
    );
    let page = text(&browser, list).await;
    let link =
        "<a href=\"/orders?status=failed&#38;source=test\" aria-current=\"true\">&#60;b&#62;Failed here";
    assert!(page.contains(link) && !page.contains("Keep this list as"), "{page}");
    assert!(text(&browser, "/orders").await.contains("Failed here"));
    assert!(!text(&other, "/orders").await.contains("Failed here"), "it is nobody else's");
    for wrong in [[("name", ""), ("query", "")], [("name", "x"), ("query", "?colour=red")]] {
        let refused = submit(&browser, "/orders/views", &wrong).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
    }
    let again = [("name", "<b>Failed here</b>"), ("query", "?status=pending")];
    submit(&browser, "/orders/views", &again).await;
    let page = text(&browser, "/orders?status=pending").await;
    assert!(page.contains("no longer") && page.matches("Failed here").count() == 3, "the newer one: {page}");
    submit(&browser, "/orders/views/forget", &[("name", "<b>Failed here</b>")]).await;
    assert!(!text(&browser, "/orders").await.contains("Failed here"));
    for number in 0..30 {
        submit(&browser, "/orders/views", &[("name", &*format!("v{number}")), ("query", "?sku=A")]).await;
    }
    let full = submit(&browser, "/orders/views", &[("name", "v30"), ("query", "?sku=A")]).await;
    assert_eq!(full.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        submit(&browser, "/orders/views", &[("name", "v7"), ("query", "?sku=B")]).await.status(),
        StatusCode::SEE_OTHER
    );
}
