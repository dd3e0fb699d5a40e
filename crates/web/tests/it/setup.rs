//! How the first person gets in.

use std::time::Duration;

use app::Actor;
use app::access::{Password, setup, users};
use domain::{Email, Role};
use reqwest::StatusCode;

use crate::support::{PASSWORD, Shop, reliable};

const ANN: [(&str, &str); 2] = [("email", "ann@example.org"), ("password", PASSWORD)];

/// The address of the link, which must be given.
async fn link(shop: &Shop) -> String {
    format!("/setup/{}", setup::issue(&shop.app).await.unwrap().expect("nobody is known"))
}

#[tokio::test]
async fn whoever_opens_the_link_first_becomes_the_admin_and_is_signed_in() {
    let shop = Shop::open(reliable()).await;
    let (link, mut browser) = (link(&shop).await, shop.browser());
    for _ in 0..2 {
        let page = browser.get(&link).await;
        assert_eq!(page.status(), StatusCode::OK, "looking uses nothing up");
        assert!(page.text().await.unwrap().contains("name=\"password\""));
    }
    let made = browser.submit(&link, &ANN).await;
    assert_eq!((made.status().as_u16(), &made.headers()["location"]), (303, &"/".parse().unwrap()));
    let about: serde_json::Value = browser.get("/api/session").await.json().await.unwrap();
    assert_eq!(
        (about["actor"].as_str(), about["role"].as_str()),
        (Some("user:ann@example.org"), Some("admin"))
    );
    let log: serde_json::Value = browser.get("/api/operator-actions").await.json().await.unwrap();
    let kinds: Vec<_> =
        log["data"].as_array().unwrap().iter().map(|one| (&one["kind"], &one["actor"])).collect();
    assert_eq!(
        kinds,
        [(&"signed_in".into(), &"user:ann@example.org".into()), (&"user_created".into(), &"setup".into())]
    );

    let again = shop.browser().submit(&link, &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
    assert_eq!(shop.browser().get(&link).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(users::list(&shop.app).await.unwrap().len(), 1);
    assert_eq!(setup::issue(&shop.app).await.unwrap(), None, "there is no other link");
}

#[tokio::test]
async fn of_many_who_use_the_link_at_once_one_is_let_in() {
    let shop = Shop::open(reliable()).await;
    let link = link(&shop).await;
    let tries = (0..8).map(|number| {
        let (mut browser, link) = (shop.browser(), link.clone());
        tokio::spawn(async move {
            let email = format!("ann-{number}@example.org");
            browser.submit(&link, &[("email", &email), ("password", PASSWORD)]).await.status().as_u16()
        })
    });
    let mut statuses = Vec::new();
    for one in tries.collect::<Vec<_>>() {
        statuses.push(one.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404, 404, 404, 404, 404, 404, 404]);
    assert_eq!(users::list(&shop.app).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_link_ends_with_its_hour_with_the_next_one_and_with_the_first_person() {
    let shop = Shop::open(reliable()).await;
    let refused = async |link: &str| {
        let mut browser = shop.browser();
        let seen = browser.get(link).await.status();
        (seen, browser.submit(link, &ANN).await.status()) == (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND)
    };
    let first = link(&shop).await;
    let second = link(&shop).await;
    assert!(refused(&first).await, "replaced");
    assert_eq!(shop.browser().get(&second).await.status(), StatusCode::OK);
    shop.clock.advance(Duration::from_hours(1));
    assert!(refused(&second).await, "too old");
    let third = link(&shop).await;
    let email = Email::parse("bob@example.org").unwrap();
    users::create(&shop.app, &Actor::CLI, email, Role::Viewer, Password::choose(PASSWORD).unwrap())
        .await
        .unwrap();
    assert!(refused(&third).await, "somebody is known");
    for made_up in ["/setup/", "/setup/x", "/setup/%27%20OR%201=1"] {
        assert!(refused(made_up).await, "{made_up}");
    }
    assert_eq!(users::list(&shop.app).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_the_rules_refuse_leaves_the_link_as_it_is() {
    let shop = Shop::open(reliable()).await;
    let (link, mut browser) = (link(&shop).await, shop.browser());
    let long =
        format!("{}@{}.example", "a".repeat(64), ["b".repeat(60), "c".repeat(60), "d".repeat(57)].join("."));
    assert!((251..=254).contains(&long.len()));
    for (email, password, why) in [
        ("ann@example.org", "short", "at least 12 characters"),
        ("<b>ann", PASSWORD, "of the form name@example.com"),
        (long.as_str(), PASSWORD, "at most 250 bytes"),
    ] {
        let refused = browser.submit(&link, &[("email", email), ("password", password)]).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{email}");
        let page = refused.text().await.unwrap();
        assert!(page.contains(why) && !page.contains(password) && !page.contains("<b>ann"), "{page}");
    }
    let foreign = browser.form(&link, &ANN).header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    assert_eq!(browser.submit(&link, &ANN).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_secret_of_the_link_is_kept_nowhere() {
    let shop = Shop::open(reliable()).await;
    let secret = setup::issue(&shop.app).await.unwrap().unwrap();
    let kept: Vec<String> = shop
        .app
        .read("links", |tx| tx.query("SELECT hash FROM setup_links", &[], |row| row.get(0)))
        .await
        .map_err(|error: sql::Error| error)
        .unwrap();
    assert_eq!((kept.len(), kept[0].len()), (1, 64));
    assert_ne!(kept[0], secret);
}
