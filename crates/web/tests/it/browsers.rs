//! What browsers are told with every answer.

use domain::Role;
use reqwest::Method;

use crate::support::{Shop, reliable};

#[tokio::test]
async fn every_answer_tells_browsers_to_be_careful() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let stranger = shop.browser();
    for (who, method, path, status) in [
        (&stranger, Method::GET, "/healthz", 200),
        (&stranger, Method::POST, "/healthz", 405),
        (&stranger, Method::GET, "/nowhere", 404),
        (&stranger, Method::GET, "/api/orders", 401),
        (&stranger, Method::POST, "/api/webhooks/payments", 401),
        (&stranger, Method::GET, "/account", 303),
        (&stranger, Method::GET, "/login", 200),
        (&stranger, Method::POST, "/login", 415),
        (&stranger, Method::GET, "/setup/none", 404),
        (&browser, Method::GET, "/account", 200),
        (&browser, Method::GET, "/api/orders", 200),
        (&browser, Method::GET, "/api/operator-actions", 403),
        (&browser, Method::GET, "/api/orders/99", 404),
    ] {
        let answer = who.request(method.clone(), path).send().await.unwrap();
        let headers = answer.headers().clone();
        assert_eq!(answer.status(), status, "{method} {path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        for rule in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.split("; ").any(|one| one == rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(headers["referrer-policy"], "same-origin", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert!(!headers.contains_key("strict-transport-security"), "{path} is not HTTPS");
    }
}

#[tokio::test]
async fn no_page_holds_anything_that_its_policy_forbids() {
    let shop = Shop::open(reliable()).await;
    let link = app::access::setup::issue(&shop.app).await.unwrap().unwrap();
    let setup = shop.browser().get(&format!("/setup/{link}")).await.text().await.unwrap();
    let browser = shop.signed_in(Role::Viewer).await;
    let overview = browser.get("/").await.text().await.unwrap();
    let account = browser.get("/account").await.text().await.unwrap();
    let login = shop.browser().get("/login").await.text().await.unwrap();
    let over = shop.browser().get("/setup/none").await.text().await.unwrap();
    for page in [setup, overview, account, login, over] {
        // A script comes from us, and is nothing but its address.
        let page = page.replace("<script src=\"/assets/", "<ours ").replace("\" defer></script>", ">");
        for forbidden in ["<script", "<style", " style=", " on", "javascript:", "http://", "https://"] {
            let inside = page.split('<').any(|part| {
                let tag = part.split('>').next().unwrap_or_default();
                format!("<{tag}").contains(forbidden)
                    && (forbidden != " on" || tag.contains(" onc") || tag.contains(" onl"))
            });
            assert!(!inside, "{forbidden} in {page}");
        }
    }
}

#[tokio::test]
async fn what_somebody_types_cannot_become_part_of_a_page() {
    let shop = Shop::open(reliable()).await;
    let hostile = "\"><script>alert(1)</script>";
    let page = shop.browser().submit("/login", &[("email", hostile), ("password", hostile)]).await;
    assert_eq!(page.status(), 401);
    let text = page.text().await.unwrap();
    assert!(!text.contains("<script") && text.contains("&#60;script"), "{text}");
}
