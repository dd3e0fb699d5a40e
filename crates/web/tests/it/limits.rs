//! How often one may try, and ask.

use std::time::Duration;

use app::config::Config;
use domain::Role;
use reqwest::{Method, Response};

use crate::support::{PASSWORD, Shop, free_port, reliable};

async fn guess(shop: &Shop, email: &str, password: &str, from: &str) -> Response {
    let form = shop.browser().form("/login", &[("email", email), ("password", password)]);
    form.header("x-forwarded-for", from).send().await.unwrap()
}

/// A shop behind a proxy at this machine, so that tests come from where they say.
async fn behind_a_proxy() -> Shop {
    let trust = |config: &mut Config| {
        config.gateway = reliable();
        config.web.trusted_proxies = vec!["127.0.0.1".to_owned().try_into().unwrap()];
    };
    Shop::open_with(free_port().await, trust).await
}

fn retry_after(answer: &Response) -> u64 {
    answer.headers()["retry-after"].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_account_whose_password_is_guessed_pauses_longer_and_longer() {
    let shop = behind_a_proxy().await;
    let email = shop.person(Role::Admin).await;
    let at = |number: u32| format!("203.0.113.{number}");
    // Everybody comes from elsewhere: it is the account that is counted.
    for number in 0..5 {
        assert_eq!(guess(&shop, email.as_str(), "wrong", &at(number)).await.status(), 401);
    }
    for pause in [1, 2, 4, 8] {
        let refused = guess(&shop, email.as_str(), PASSWORD, &at(100)).await;
        assert_eq!(
            (refused.status().as_u16(), retry_after(&refused)),
            (429, pause),
            "also the right one waits"
        );
        shop.clock.advance(Duration::from_secs(pause));
        let written_otherwise = format!("\u{feff} {}", email.as_str().to_uppercase());
        assert_eq!(guess(&shop, &written_otherwise, "wrong", &at(101)).await.status(), 401);
    }
    shop.clock.advance(Duration::from_mins(5));
    assert_eq!(guess(&shop, email.as_str(), PASSWORD, &at(102)).await.status(), 303);
    assert_eq!(guess(&shop, email.as_str(), "wrong", &at(103)).await.status(), 401, "counted anew");
}

#[tokio::test]
async fn many_guesses_at_once_are_counted_before_one_is_looked_at() {
    let shop = behind_a_proxy().await;
    let email = shop.person(Role::Admin).await;
    let guesses = (0..20).map(|number| {
        let form = shop.browser().form("/login", &[("email", email.as_str()), ("password", "wrong")]);
        let request = form.header("x-forwarded-for", format!("203.0.113.{number}"));
        tokio::spawn(async move { request.send().await.unwrap().status().as_u16() })
    });
    let mut looked_at = 0;
    for one in guesses.collect::<Vec<_>>() {
        looked_at += usize::from(one.await.unwrap() == 401);
    }
    assert_eq!(looked_at, 5);
}

#[tokio::test]
async fn who_guesses_at_many_accounts_pauses_and_others_do_not() {
    let shop = behind_a_proxy().await;
    let email = shop.person(Role::Admin).await;
    let (guesser, other) = ("2001:db8:1:2::1", "2001:db8:1:3::1");
    for number in 0..20 {
        let from = format!("2001:db8:1:2::{number}");
        assert_eq!(guess(&shop, &format!("user-{number}@example.org"), "wrong", &from).await.status(), 401);
    }
    let refused = guess(&shop, email.as_str(), PASSWORD, guesser).await;
    assert_eq!((refused.status().as_u16(), retry_after(&refused)), (429, 1));
    assert_eq!(guess(&shop, email.as_str(), PASSWORD, other).await.status(), 303);
}

#[tokio::test]
async fn whoever_knows_their_password_is_not_counted() {
    let shop = behind_a_proxy().await;
    let email = shop.person(Role::Viewer).await;
    for _ in 0..25 {
        assert_eq!(guess(&shop, email.as_str(), PASSWORD, "203.0.113.1").await.status(), 303);
    }
}

#[tokio::test]
async fn an_account_that_is_not_known_is_answered_like_one_that_is() {
    let shop = behind_a_proxy().await;
    let known = shop.person(Role::Admin).await;
    let disabled = shop.person(Role::Admin).await;
    app::access::users::disable(&shop.app, &app::Actor::CLI, disabled.clone()).await.unwrap();
    let mut answers = Vec::new();
    for (number, email) in [known.as_str(), disabled.as_str(), "nobody@example.org"].into_iter().enumerate() {
        for _ in 0..6 {
            let answer = guess(&shop, email, "wrong", &format!("203.0.113.{number}")).await;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let names: Vec<String> = headers.keys().map(ToString::to_string).collect();
            let text = answer.text().await.unwrap().replace(email, "EMAIL");
            answers.push((number, status, names, text));
        }
    }
    let of = |wanted: usize| {
        answers.iter().filter(move |(number, ..)| *number == wanted).map(|(_, a, b, c)| (a, b, c))
    };
    assert!(of(0).eq(of(1)) && of(0).eq(of(2)), "{answers:#?}");
}

#[tokio::test]
async fn a_caller_may_send_so_many_requests_and_others_are_not_held_up() {
    let limited = |config: &mut Config| (config.web.api_rate, config.web.api_burst) = (2, 5);
    let shop = Shop::open_with(free_port().await, limited).await;
    let (greedy, other) = (shop.speaker(Role::Viewer).await, shop.speaker(Role::Viewer).await);
    for _ in 0..5 {
        assert_eq!(greedy.get("/orders").await.status, 200);
    }
    let refused = greedy.get("/orders").await;
    assert_eq!((refused.status, refused.problem()), (429, "too-many-requests"));
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(other.get("/orders").await.status, 200);
    let browser = shop.signed_in(Role::Viewer).await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(browser.request(Method::GET, "/api/orders").send().await.unwrap().status().as_u16());
    }
    assert_eq!(
        statuses,
        [200, 200, 200, 200, 429, 429],
        "a session is counted as well, its first request too"
    );
    shop.clock.advance(Duration::from_secs(1));
    assert_eq!(greedy.get("/orders").await.status, 200);
    assert_eq!(greedy.get("/orders").await.status, 200);
    assert_eq!(greedy.get("/orders").await.status, 429);
}
