//! People who have signed in with a browser.

use std::time::Duration;

use app::Actor;
use app::access::{Password, users};
use domain::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Browser, PASSWORD, Shop, free_port, reliable};

/// What `GET /api/session` is answered with.
async fn status(browser: &Browser) -> u16 {
    browser.get("/api/session").await.status().as_u16()
}

#[tokio::test]
async fn whoever_signs_in_gets_a_cookie_that_scripts_and_other_sites_do_not_get() {
    let shop = Shop::open(reliable()).await;
    let email = shop.person(Role::Viewer).await;
    let mut browser = shop.browser();
    assert_eq!(browser.get("/account").await.headers()["location"], "/login");
    let answer = browser.sign_in(&email.as_str().to_uppercase(), PASSWORD).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    let (named, flags) = cookie.split_once("; ").unwrap();
    let (name, secret) = named.split_once('=').unwrap();
    assert_eq!((name, secret.len()), ("ordermill_session", 43), "256 bits");
    assert_eq!(flags, "HttpOnly; SameSite=Lax; Path=/");
    let page = browser.get("/account").await.text().await.unwrap();
    assert!(page.contains(email.as_str()) && page.contains("viewer") && page.contains(browser.csrf()));
    assert_eq!(browser.get("/login").await.headers()["location"], "/");
    let kept: Vec<String> = shop
        .app
        .read("sessions", |tx| tx.query("SELECT hash FROM sessions", &[], |row| row.get(0)))
        .await
        .map_err(|error: sql::Error| error)
        .unwrap();
    assert_eq!(kept.len(), 1);
    assert!(!kept[0].contains(secret));
}

#[tokio::test]
async fn with_https_the_cookie_goes_by_https_only_and_browsers_are_asked_to_stay() {
    let public = |url: &'static str| async move {
        Shop::open_with(free_port().await, |config| config.web.public_url = url.to_owned()).await
    };
    let shop = public("https://orders.shop.example").await;
    let email = shop.person(Role::Viewer).await;
    let mut browser = shop.browser();
    let answer = browser.sign_in(email.as_str(), PASSWORD).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-ordermill_session="), "{cookie}");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/"), "{cookie}");
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    let plain = browser.cookie.take().unwrap().replace("__Host-", "");
    let tossed = browser.request(Method::GET, "/api/session").header("cookie", plain).send().await.unwrap();
    assert_eq!(tossed.status(), 401, "what a neighbour of the domain could set is not looked at");

    let behind = Shop::open_with(free_port().await, |config| {
        config.web.trusted_proxies = vec!["127.0.0.1".to_owned().try_into().unwrap()];
    })
    .await;
    let email = behind.person(Role::Viewer).await;
    let form = behind.browser().form("/login", &[("email", email.as_str()), ("password", PASSWORD)]);
    let answer = form.header("x-forwarded-proto", "https").send().await.unwrap();
    assert!(answer.headers()["set-cookie"].to_str().unwrap().contains("; Secure"));
    let untrusted = Shop::open(reliable()).await;
    let answer = untrusted.browser().request(Method::GET, "/healthz").header("x-forwarded-proto", "https");
    assert!(!answer.send().await.unwrap().headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn what_a_browser_showed_before_it_signed_in_is_no_session_afterwards() {
    let shop = Shop::open(reliable()).await;
    let email = shop.person(Role::Operator).await;
    let mut browser = shop.browser();
    let planted = format!("ordermill_session={}", "A".repeat(43));
    browser.cookie = Some(planted.clone());
    browser.sign_in(email.as_str(), PASSWORD).await;
    let first = browser.cookie.clone().unwrap();
    assert_ne!(first, planted);
    browser.sign_in(email.as_str(), PASSWORD).await;
    assert_ne!(browser.cookie, Some(first.clone()), "rotated");
    for old in [planted, first] {
        let mut other = shop.browser();
        other.cookie = Some(old);
        assert_eq!(status(&other).await, 401);
    }
    assert_eq!(status(&browser).await, 200);
}

#[tokio::test]
async fn a_session_ends_when_nobody_uses_it_and_after_its_time_however_it_is_used() {
    let shop = Shop::open(reliable()).await;
    let (hour, browser) = (Duration::from_hours(1), shop.signed_in(Role::Viewer).await);
    let begun = shop.app.now();
    let seen = async || {
        let read = |tx: &mut sql::Tx<'_>| {
            tx.query_one("SELECT last_seen_at FROM sessions", &[], |row| row.get::<jiff::Timestamp>(0))
        };
        shop.app.read("seen", read).await.map_err(|error: sql::Error| error).unwrap()
    };
    // Seven days are its time, in steps of less than the twelve hours that it may idle.
    for _ in 0..15 {
        shop.clock.advance(11 * hour);
        assert_eq!(status(&browser).await, 200, "{} after {begun}", shop.app.now());
        let kept = async {
            while seen().await != shop.app.now() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), kept).await.expect("it is kept that it was seen");
    }
    shop.clock.advance(3 * hour);
    assert_eq!(status(&browser).await, 401, "seven days are over");

    let idle = shop.signed_in(Role::Viewer).await;
    shop.clock.advance(11 * hour);
    let second = shop.signed_in(Role::Viewer).await;
    shop.clock.advance(hour);
    assert_eq!((status(&idle).await, status(&second).await), (401, 200));
    assert_eq!(app::access::sessions::forget_ended(&shop.app).await.unwrap(), 2);
    assert_eq!(status(&second).await, 200);
}

#[tokio::test]
async fn a_session_ends_with_signing_out_and_with_its_person() {
    let shop = Shop::open(reliable()).await;
    let email = shop.person(Role::Admin).await;
    let mut browsers = [shop.browser(), shop.browser(), shop.browser()];
    for browser in &mut browsers {
        browser.sign_in(email.as_str(), PASSWORD).await;
    }
    let [mut first, mut second, third] = browsers;
    let (cookie, token) = (first.cookie.clone(), first.csrf().to_owned());
    let out = first.submit("/logout", &[("csrf_token", &token)]).await;
    assert_eq!((out.status().as_u16(), out.headers()["location"].to_str().unwrap()), (303, "/login"));
    assert_eq!(first.cookie, None, "the browser forgets it");
    first.cookie = cookie;
    assert_eq!((status(&first).await, status(&second).await), (401, 200), "and so do we");

    let token = second.csrf().to_owned();
    let change = async |browser: &mut Browser, current: &str, new: &str| {
        let fields = [("csrf_token", token.as_str()), ("current", current), ("new", new)];
        browser.submit("/account/password", &fields).await.status().as_u16()
    };
    assert_eq!(change(&mut second, "wrong", "another horse battery").await, 422);
    assert_eq!(change(&mut second, PASSWORD, "short").await, 422);
    assert_eq!(status(&third).await, 200);
    assert_eq!(change(&mut second, PASSWORD, "another horse battery").await, 303);
    assert_eq!(status(&third).await, 401, "another password ends every session");
    assert_eq!(first.sign_in(email.as_str(), PASSWORD).await.status(), 401);
    assert_eq!(first.sign_in(email.as_str(), "another horse battery").await.status(), 303);

    let log: Value = first.get("/api/operator-actions").await.json().await.unwrap();
    let kinds: Vec<&str> =
        log["data"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    let signed_in = ["signed_in"; 3];
    let since = ["signed_in", "sign_in_refused", "password_changed", "signed_out"];
    assert_eq!(kinds, [&since[..], &signed_in, &["user_created"]].concat());
    assert_eq!(log["data"][1]["actor"], "stranger");
    assert_eq!(log["data"][1]["after"], json!({ "from": "127.0.0.1" }));
    assert!(!log.to_string().contains("horse"), "{log}");

    users::disable(&shop.app, &Actor::CLI, email).await.unwrap();
    assert_eq!(status(&first).await, 401);
}

#[tokio::test]
async fn whoever_may_do_less_today_may_do_less_in_the_session_of_yesterday() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Admin).await;
    assert_eq!(browser.get("/api/operator-actions").await.status(), 200);
    let lower = |tx: &mut sql::Tx<'_>| tx.execute("UPDATE users SET role = ?", &[Role::Viewer.code().into()]);
    shop.app.transaction("lower", lower).await.map_err(|error: sql::Error| error).unwrap();
    assert_eq!(browser.get("/api/operator-actions").await.status(), 403);
    assert_eq!(status(&browser).await, 200);
}

#[tokio::test]
async fn a_password_that_changes_while_somebody_signs_in_with_the_old_one_lets_nobody_in() {
    let shop = Shop::open(reliable()).await;
    let email = shop.person(Role::Admin).await;
    let old =
        users::recognise(&shop.app, Some(email.clone()), Password::given(PASSWORD)).await.unwrap().unwrap();
    let new = Password::choose("another horse battery").unwrap();
    users::set_password(&shop.app, &Actor::CLI, email, new).await.unwrap();
    let begun = app::access::sessions::begin(&shop.app, old, None, [127, 0, 0, 1].into()).await.unwrap();
    assert_eq!(begun, None);
}

#[tokio::test]
async fn nothing_is_done_with_a_session_alone() {
    let shop = Shop::open(reliable()).await;
    shop.stock(10).await;
    let (browser, other) = (shop.signed_in(Role::Operator).await, shop.signed_in(Role::Operator).await);
    let stock = |headers: &[(&str, &str)]| {
        let request = browser
            .request(Method::POST, "/api/products/MUG/stock")
            .json(&json!({ "kind": "receive", "quantity": 1 }));
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send()
    };
    let refused = async |headers: &[(&str, &str)]| {
        let answer = stock(headers).await.unwrap();
        let (status, problem) = (answer.status().as_u16(), answer.json::<Value>().await.unwrap());
        (status, problem["type"].as_str().unwrap().trim_start_matches("urn:ordermill:problem:").to_owned())
    };
    let token = ("x-csrf-token", browser.csrf());
    for wrong in
        [&[][..], &[("x-csrf-token", "")], &[("x-csrf-token", "wrong")], &[("x-csrf-token", other.csrf())]]
    {
        assert_eq!(refused(wrong).await, (403, "csrf-token".to_owned()), "{wrong:?}");
    }
    for from_elsewhere in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let wanted = (403, "cross-origin".to_owned());
        assert_eq!(refused(&[token, from_elsewhere]).await, wanted, "{from_elsewhere:?}");
    }
    assert_eq!(shop.mugs().await.on_hand, 10, "nothing was done");
    let own = ("origin", shop.url.as_str());
    for from_here in [&[token][..], &[token, own], &[token, own, ("sec-fetch-site", "same-origin")]] {
        assert_eq!(stock(from_here).await.unwrap().status(), 200, "{from_here:?}");
    }
    assert_eq!(shop.mugs().await.on_hand, 13);
}

#[tokio::test]
async fn a_form_needs_the_token_of_its_session_and_a_page_of_ours() {
    let shop = Shop::open(reliable()).await;
    let (browser, other) = (shop.signed_in(Role::Viewer).await, shop.signed_in(Role::Viewer).await);
    for fields in [&[][..], &[("csrf_token", "wrong")], &[("csrf_token", other.csrf())]] {
        assert_eq!(browser.form("/logout", fields).send().await.unwrap().status(), 403, "{fields:?}");
    }
    let form = browser.form("/logout", &[("csrf_token", browser.csrf())]);
    assert_eq!(form.header("origin", "https://evil.example").send().await.unwrap().status(), 403);
    let login = other.form("/login", &[("email", "a@example.org"), ("password", PASSWORD)]);
    assert_eq!(login.header("sec-fetch-site", "cross-site").send().await.unwrap().status(), 403);
    assert_eq!(status(&browser).await, 200, "still signed in");
    let stranger = shop.browser().form("/logout", &[("csrf_token", browser.csrf())]).send().await.unwrap();
    assert_eq!(stranger.headers()["location"], "/login");
}

#[tokio::test]
async fn a_token_needs_nothing_beside_it() {
    let shop = Shop::open(reliable()).await;
    shop.stock(10).await;
    let speaker = shop.speaker(Role::Operator).await;
    let request = shop.browser().request(Method::POST, "/api/products/MUG/stock");
    let request =
        request.header("origin", "https://till.example").json(&json!({ "kind": "receive", "quantity": 1 }));
    assert_eq!(speaker.send(request).await.status, 200);
    let about = speaker.get("/session").await;
    assert_eq!((about.status, &about.body["csrf_token"]), (200, &Value::Null));
}
