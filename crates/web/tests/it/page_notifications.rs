//! The pages of notifications, and of what they are written with.

use app::config::NotificationSettings;
use app::orders::NewOrder;
use domain::Role;
use reqwest::StatusCode;
use store::operator_actions::Search;

use crate::pages::text;
use crate::support::{Browser, Shop, free_port, order_of_two, reliable};

/// A shop that has confirmed an order and told its customer.
async fn told() -> Shop {
    let shop = Shop::open(reliable()).await;
    shop.stock(1_000).await;
    let order = NewOrder { notify: true, ..order_of_two(0) };
    app::orders::place(&shop.app, &app::Actor::SYSTEM, order).await.unwrap();
    shop.work_until(async || text_of_newest(&shop).await.is_some()).await;
    shop
}

async fn text_of_newest(shop: &Shop) -> Option<String> {
    let view = app::notifications::view(&shop.app, domain::NotificationId::from_ledger(1)).await.ok()?;
    view.text
}

/// The value of the hidden field that names a form.
fn key(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"key\" value=\"").expect("a form that has a name");
    rest.split_once('"').unwrap().0.to_owned()
}

async fn resend(browser: &Browser, key: &str) -> reqwest::Response {
    let fields = [("csrf_token", browser.csrf()), ("key", key)];
    browser.form("/notifications/1/resend", &fields).send().await.unwrap()
}

#[tokio::test]
async fn the_history_tells_what_customers_were_told_and_how_well_it_went() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let empty = text(&browser, "/notifications").await;
    assert!(empty.contains("No customer has been told anything yet"), "{empty}");
    drop(shop);
    let shop = told().await;
    let browser = shop.signed_in(Role::Viewer).await;
    let all = text(&browser, "/notifications?troubled=").await;
    for told in
        ["Arrived over log", "100.0 %", ">confirmation<", ">test/0</a>", ">ann@example.org<", ">sent<"]
    {
        assert!(all.contains(told), "{told}: {all}");
    }
    let troubled = text(&browser, "/notifications?troubled=true").await;
    assert!(troubled.contains("No attempt to tell a customer has failed"), "{troubled}");
}

#[tokio::test]
async fn a_notification_shows_its_words_and_lets_nothing_in_them_run() {
    let shop = told().await;
    let browser = shop.signed_in(Role::Viewer).await;
    let answer = browser.get("/notifications/1").await;
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("frame-src 'self'") && policy.contains("script-src 'self'"), "{policy}");
    let page = answer.text().await.unwrap();
    let words = text_of_newest(&shop).await.unwrap();
    assert!(page.contains(words.lines().next().unwrap()), "{page}");
    assert!(page.contains("<iframe class=\"letter\" sandbox src=\"/notifications/1/html\""), "{page}");
    assert!(!page.contains("Send it again"), "a viewer cannot");
    let html = browser.get("/notifications/1/html").await;
    let policy = html.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let rules: Vec<&str> = policy.split("; ").collect();
    for rule in ["default-src 'none'", "sandbox", "form-action 'none'", "frame-ancestors 'self'"] {
        assert!(rules.contains(&rule), "{policy}");
    }
    assert!(!policy.contains("script-src") && html.headers()["x-frame-options"] == "SAMEORIGIN");
    assert!(html.text().await.unwrap().contains("<html"));
    for none in ["/notifications/99", "/notifications/99/html", "/notifications/x"] {
        assert_eq!(browser.get(none).await.status(), StatusCode::NOT_FOUND, "{none}");
    }
}

#[tokio::test]
async fn a_customer_is_told_again_once_however_often_the_form_is_sent() {
    let shop = told().await;
    let browser = shop.signed_in(Role::Operator).await;
    assert!(text(&browser, "/notifications/1").await.contains("Send it again"));
    let asked = text(&browser, "/notifications/1/resend").await;
    assert!(asked.contains("<strong>ann@example.org</strong> will be told"), "{asked}");
    let key = key(&asked);
    let (first, second) = tokio::join!(resend(&browser, &key), resend(&browser, &key));
    assert_eq!((first.status(), second.status()), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
    let address = first.headers()["location"].to_str().unwrap();
    assert_eq!(second.headers()["location"], address);
    shop.work().await;
    let again = text(&browser, address).await;
    assert!(again.contains("href=\"/notifications/1\">notification 1</a>"), "{again}");
    let all = app::notifications::of_order(&shop.app, domain::OrderId::from_ledger(1)).await.unwrap();
    assert_eq!(all.len(), 2);
    let actions =
        app::access::actions(&shop.app, Search { limit: 10, ..Search::default() }).await.unwrap().rows;
    assert_eq!(actions.iter().filter(|action| action.kind == "notification_resent").count(), 1);
}

#[tokio::test]
async fn templates_say_where_they_come_from_and_what_is_wrong_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("shipped.txt");
    std::fs::write(&own, "Subject: On its way <b>\n\nIt left.\n").unwrap();
    let settings =
        NotificationSettings { templates: Some(folder.path().to_owned()), ..NotificationSettings::default() };
    let shop = Shop::open_with(free_port().await, |config| config.notifications = settings).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let all = text(&browser, "/notifications/templates").await;
    assert!(all.contains(&format!("<code>{}</code>", own.display())), "{all}");
    assert!(all.contains(">payment failed</a></td><td>built in</td><td>built in</td>"), "{all}");
    let preview = text(&browser, "/notifications/templates/shipped").await;
    assert!(preview.contains("On its way &#60;b&#62;") && preview.contains("It left."), "{preview}");
    assert!(!preview.contains("have changed since"), "{preview}");
    let html = browser.get("/notifications/templates/shipped/html").await;
    assert!(html.headers()["content-security-policy"].to_str().unwrap().contains("sandbox"));
    assert!(html.text().await.unwrap().contains("Ada Lovelace"));

    std::fs::write(&own, "Subject: Gone\n\nIt left again.\n").unwrap();
    let changed = text(&browser, "/notifications/templates/shipped").await;
    assert!(changed.contains("It left again.") && changed.contains("have changed since"), "{changed}");

    std::fs::write(&own, "Subject: Gone\n\n{{ parcel.colour }}\n").unwrap();
    for page in ["/notifications/templates", "/notifications/templates/shipped"] {
        let broken = text(&browser, page).await;
        assert!(broken.contains("shipped.txt, line 3,") && broken.contains("parcel.colour"), "{broken}");
    }
    let used = text(&browser, "/notifications/templates/shipped").await;
    assert!(used.contains("It left.") && !used.contains("It left again."), "what is in use is shown: {used}");
    assert_eq!(browser.get("/notifications/templates/birthday").await.status(), StatusCode::NOT_FOUND);
}
