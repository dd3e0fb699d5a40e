//! The pages of who may sign in, and with what.

use domain::Role;
use reqwest::{Response, StatusCode};
use store::operator_actions::Search;

use crate::pages::text;
use crate::support::{Browser, PASSWORD, Shop, client, reliable};

async fn send(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Response {
    let fields: Vec<_> = [("csrf_token", browser.csrf())].into_iter().chain(fields.iter().copied()).collect();
    browser.form(path, &fields).send().await.unwrap()
}

async fn count(shop: &Shop, kind: &str) -> usize {
    let actions =
        app::access::actions(&shop.app, Search { limit: 100, ..Search::default() }).await.unwrap().rows;
    actions.iter().filter(|action| action.kind == kind).count()
}

#[tokio::test]
async fn an_admin_lets_people_in_and_no_more() {
    let shop = Shop::open(reliable()).await;
    let admin = shop.signed_in(Role::Admin).await;
    let fields = [("email", "Bob@example.org"), ("role", "operator"), ("password", PASSWORD)];
    assert_eq!(send(&admin, "/people/new", &fields).await.status(), StatusCode::SEE_OTHER);
    let page = text(&admin, "/people").await;
    assert!(page.contains("<td>bob@example.org</td><td>operator</td>"), "{page}");
    let mut bob = shop.browser();
    assert_eq!(bob.sign_in("bob@example.org", PASSWORD).await.status(), 303);
    assert_eq!(bob.get("/people").await.status(), StatusCode::FORBIDDEN);
    assert!(!text(&bob, "/").await.contains("href=\"/people\""));
    for (fields, told) in [
        (
            [("email", "bob@example.org"), ("role", "viewer"), ("password", PASSWORD)],
            "bob@example.org already",
        ),
        ([("email", "\"><b>"), ("role", "viewer"), ("password", PASSWORD)], "e-mail is not of the form"),
        ([("email", "eve@example.org"), ("role", "viewer"), ("password", "short")], "12"),
    ] {
        let refused = send(&admin, "/people/new", &fields).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{told}");
        let page = refused.text().await.unwrap();
        let (_, refusal) = page.split_once("role=\"alert\">").expect("a refusal");
        assert!(refusal.split_once("</p>").unwrap().0.contains(told), "{told}: {page}");
        assert!(!page.contains(PASSWORD) && !page.contains("\"><b>"), "{page}");
    }

    let asked = text(&admin, "/people/disable?email=bob%40example.org").await;
    assert!(asked.contains("Disable bob@example.org?") && !asked.contains("This is you"), "{asked}");
    for _ in 0..2 {
        let done = send(&admin, "/people/disable", &[("email", "bob@example.org")]).await;
        assert_eq!(
            (done.status(), &done.headers()["location"]),
            (StatusCode::SEE_OTHER, &"/people".parse().unwrap())
        );
    }
    assert_eq!(bob.get("/orders").await.status(), StatusCode::SEE_OTHER, "his session has ended");
    assert_eq!((count(&shop, "user_created").await, count(&shop, "user_disabled").await), (2, 1));
    assert_eq!(admin.get("/people/disable?email=nobody%40example.org").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn whoever_disables_themselves_is_told_what_that_means() {
    let shop = Shop::open(reliable()).await;
    let email = shop.person(Role::Admin).await;
    let mut admin = shop.browser();
    admin.sign_in(email.as_str(), PASSWORD).await;
    let address = format!("/people/disable?email={}", email.as_str().replace('@', "%40"));
    let asked = text(&admin, &address).await;
    assert!(asked.contains("This is you") && asked.contains("Nobody else is admin"), "{asked}");
    shop.person(Role::Admin).await;
    assert!(!text(&admin, &address).await.contains("Nobody else is admin"));
    let done = send(&admin, "/people/disable", &[("email", email.as_str())]).await;
    assert_eq!(done.headers()["location"], "/login");
    assert_eq!(admin.get("/people").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_token_is_shown_once_and_taken_until_it_is_revoked() {
    let shop = Shop::open(reliable()).await;
    let admin = shop.signed_in(Role::Admin).await;
    let owner = shop.person(Role::Operator).await;
    let fields =
        [("name", "till"), ("role", "operator"), ("owner", owner.as_str()), ("expires", "2030-02-01")];
    let made = send(&admin, "/people/tokens/new", &fields).await;
    assert_eq!(
        (made.status(), &made.headers()["cache-control"]),
        (StatusCode::CREATED, &"no-store".parse().unwrap())
    );
    let made = made.text().await.unwrap();
    let (_, rest) = made.split_once("value=\"om_").unwrap_or_else(|| panic!("no token: {made}"));
    let token = format!("om_{}", rest.split_once('"').unwrap().0);
    let orders = async || {
        let url = format!("{}/api/orders", shop.url);
        client().get(url).bearer_auth(&token).send().await.unwrap().status()
    };
    assert_eq!(orders().await, StatusCode::OK);
    let page = text(&admin, "/people").await;
    assert!(page.contains(&format!("<td>till</td><td>operator</td><td>{owner}</td>")), "{page}");
    assert!(page.contains(">taken<") && page.contains("2030-02-01") && !page.contains(&token), "{page}");
    for (fields, told) in [
        ([("name", "till"), ("role", "viewer"), ("owner", ""), ("expires", "")], "token till already"),
        ([("name", "a b"), ("role", "viewer"), ("owner", ""), ("expires", "")], "token name contains"),
        ([("name", "b"), ("role", "admin"), ("owner", owner.as_str()), ("expires", "")], "cannot be admin"),
        ([("name", "c"), ("role", "viewer"), ("owner", "no@example.org"), ("expires", "")], "Nobody has"),
        ([("name", "d"), ("role", "viewer"), ("owner", ""), ("expires", "2029-01-01")], "in the future"),
        ([("name", "e"), ("role", "viewer"), ("owner", ""), ("expires", "<i>soon")], "is no day"),
    ] {
        let refused = send(&admin, "/people/tokens/new", &fields).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{told}");
        let page = refused.text().await.unwrap();
        assert!(page.contains(told) && !page.contains("<i>soon"), "{told}: {page}");
    }
    let asked = text(&admin, "/people/tokens/revoke?name=till").await;
    assert!(asked.contains("Revoke the token till?"), "{asked}");
    for _ in 0..2 {
        let done = send(&admin, "/people/tokens/revoke", &[("name", "till")]).await;
        assert_eq!(done.status(), StatusCode::SEE_OTHER);
    }
    assert_eq!(orders().await, StatusCode::UNAUTHORIZED);
    assert!(text(&admin, "/people").await.contains(">revoked<"));
    assert_eq!((count(&shop, "token_created").await, count(&shop, "token_revoked").await), (1, 1));
    assert_eq!(admin.get("/people/tokens/revoke?name=none").await.status(), StatusCode::NOT_FOUND);
}
