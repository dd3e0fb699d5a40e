//! Who may do what: every endpoint, every role, and everybody who has none.

use app::Actor;
use app::access::tokens::{self, Wanted};
use app::access::{Password, users};
use domain::{Email, Role, TokenName};
use jiff::SignedDuration;
use reqwest::{Client, Method, RequestBuilder};
use web::{Access, PageAccess};

use crate::support::{Shop, client, reliable};

fn request(client: &Client, shop: &Shop, (method, path): (&Method, &str)) -> RequestBuilder {
    client.request(method.clone(), format!("{}{}", shop.url, example(path)))
}

/// An address whose parts name something.
fn example(path: &str) -> String {
    path.replace("{order}", "1")
        .replace("{id}", "1")
        .replace("{deed}", "ship")
        .replace("{sku}", "MUG")
        .replace("{queue}", "default")
        .replace("{kind}", "confirmation")
}

#[tokio::test]
async fn every_endpoint_wants_its_role_and_takes_every_role_above() {
    let shop = Shop::open(reliable()).await;
    let client = client();
    let mut tokens = Vec::new();
    for role in Role::ALL {
        tokens.push((*role, shop.token(*role).await));
    }
    let endpoints = web::access();
    assert!(endpoints.len() > 20);
    for Access { method, address: path, needs, .. } in &endpoints {
        let Some(needed) = needs else { continue };
        let stranger = request(&client, &shop, (method, path)).send().await.unwrap();
        assert_eq!(stranger.status(), 401, "{method} {path} is open to strangers");
        assert_eq!(stranger.headers()["www-authenticate"], "Bearer");
        for (role, token) in &tokens {
            let answer = request(&client, &shop, (method, path)).bearer_auth(token).send().await.unwrap();
            let status = answer.status().as_u16();
            if role.covers(*needed) {
                assert!(![401, 403].contains(&status), "{method} {path} refuses {role}: {status}");
                assert!(status < 500, "{method} {path} as {role}: {status}");
            } else {
                assert_eq!(status, 403, "{method} {path} lets {role} in");
            }
        }
    }
}

#[tokio::test]
async fn every_endpoint_takes_a_session_as_it_takes_a_token() {
    let shop = Shop::open(reliable()).await;
    let mut browsers = Vec::new();
    for role in Role::ALL {
        browsers.push((*role, shop.signed_in(*role).await));
    }
    for Access { method, address: path, needs, .. } in web::access() {
        let Some(needed) = needs else { continue };
        for (role, browser) in &browsers {
            let request = || browser.request(method.clone(), &example(&path));
            let answer = request().header("x-csrf-token", browser.csrf()).send().await.unwrap();
            let status = answer.status().as_u16();
            if role.covers(needed) {
                assert!(![401, 403].contains(&status), "{method} {path} refuses {role}: {status}");
            } else {
                assert_eq!(status, 403, "{method} {path} lets {role} in");
            }
            let without = request().send().await.unwrap();
            if !method.is_safe() {
                assert_eq!(without.status(), 403, "{method} {path} needs no token of the session");
            }
        }
    }
}

#[tokio::test]
async fn every_page_wants_its_role_and_forms_a_token_of_the_session() {
    let shop = Shop::open(reliable()).await;
    let stranger = shop.browser();
    let mut browsers = Vec::new();
    for role in Role::ALL {
        browsers.push((*role, shop.signed_in(*role).await));
    }
    for PageAccess { method, address, needs } in web::page_access() {
        let path = example(address);
        let answer = stranger.request(method.clone(), &path).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{method} {path} is open to strangers");
        assert_eq!(answer.headers()["location"], "/login");
        for (role, browser) in &browsers {
            let answer = browser.request(method.clone(), &path).send().await.unwrap();
            let status = answer.status().as_u16();
            if !role.covers(needs) {
                assert_eq!(status, 403, "{method} {path} lets {role} in");
            } else if method.is_safe() {
                assert!(![401, 403].contains(&status) && status < 500, "{method} {path} as {role}: {status}");
            } else {
                let empty = browser.form(&path, &[]).send().await.unwrap();
                assert_eq!(empty.status(), 403, "{method} {path} takes a form of nobody's");
            }
        }
    }
}

#[test]
fn who_only_looks_changes_nothing_by_a_page_but_what_is_their_own() {
    let open: Vec<&str> = web::page_access()
        .into_iter()
        .filter(|page| page.method != Method::GET && page.needs == Role::Viewer)
        .map(|page| page.address)
        .collect();
    assert_eq!(open, ["/orders/views", "/orders/views/forget", "/account/password", "/logout"]);
    let secret = ["/people", "/system/settings", "/audit"];
    for PageAccess { address, needs, .. } in web::page_access() {
        assert_eq!(needs == Role::Admin, secret.iter().any(|one| address.starts_with(one)), "{address}");
    }
}

#[tokio::test]
async fn forms_of_other_sites_are_refused_on_every_page() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Admin).await;
    for PageAccess { method, address, .. } in web::page_access() {
        if !method.is_safe() {
            let form = browser.form(&example(address), &[("csrf_token", browser.csrf())]);
            let answer = form.header("sec-fetch-site", "cross-site").send().await.unwrap();
            assert_eq!(answer.status(), 403, "{method} {address}");
        }
    }
}

#[tokio::test]
async fn what_needs_no_role_wants_a_signature() {
    let shop = Shop::open(reliable()).await;
    let open: Vec<_> = web::access().into_iter().filter(|endpoint| endpoint.needs.is_none()).collect();
    assert_eq!(open.len(), 1);
    let Access { method, address: path, .. } = &open[0];
    let answer = request(&client(), &shop, (method, path)).body("{}").send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["www-authenticate"]),
        (401, &"WebhookSignature".parse().unwrap())
    );
}

#[tokio::test]
async fn reading_needs_no_more_than_a_viewer_and_writing_does() {
    for Access { method, address: path, needs, .. } in web::access() {
        let is_write = method != Method::GET;
        assert!(!(is_write && needs == Some(Role::Viewer)), "{method} {path} is open to viewers");
    }
}

/// What a token is answered.
async fn status(shop: &Shop, authorization: &str) -> u16 {
    let request = client().get(format!("{}/api/orders", shop.url)).header("authorization", authorization);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_token_is_taken_until_it_ends_or_is_revoked() {
    let shop = Shop::open(reliable()).await;
    let name = TokenName::parse("till").unwrap();
    let expires_at = Some(shop.app.now() + SignedDuration::from_hours(1));
    let wanted = Wanted { name: name.clone(), role: Role::Viewer, owner: None, expires_at };
    let (token, about) = tokens::create(&shop.app, &Actor::CLI, wanted.clone()).await.unwrap();
    assert_eq!(about.last_used_at, None);
    assert_eq!(status(&shop, &format!("Bearer {token}")).await, 200);
    // The use is kept beside the answer, not before it.
    let last_used = async || tokens::list(&shop.app).await.unwrap()[0].last_used_at;
    let kept = async {
        while last_used().await.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), kept).await.expect("its use is kept");
    assert_eq!(last_used().await, Some(shop.app.now()));
    shop.clock.advance(std::time::Duration::from_hours(1));
    assert_eq!(status(&shop, &format!("Bearer {token}")).await, 401);

    let again = tokens::create(&shop.app, &Actor::CLI, wanted).await.unwrap_err();
    assert!(again.to_string().contains("in the future"), "{again}");
    let lasting =
        Wanted { name: TokenName::parse("door").unwrap(), role: Role::Viewer, owner: None, expires_at: None };
    let (lasting, _) = tokens::create(&shop.app, &Actor::CLI, lasting).await.unwrap();
    assert_eq!(status(&shop, &format!("bearer {lasting}")).await, 200);
    tokens::revoke(&shop.app, &Actor::CLI, TokenName::parse("door").unwrap()).await.unwrap();
    assert_eq!(status(&shop, &format!("Bearer {lasting}")).await, 401);
}

#[tokio::test]
async fn what_is_no_token_is_refused_alike() {
    let shop = Shop::open(reliable()).await;
    let token = shop.token(Role::Admin).await;
    let (almost, doubled) = (&token[..token.len() - 1], format!("Bearer {token}{token}"));
    for wrong in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer om_",
        "Basic YTpi",
        &token,
        almost,
        &doubled,
        &format!("Bearer {almost}"),
        &format!("Bearer {}", token.to_uppercase()),
        "Bearer om_' OR '1'='1",
    ] {
        assert_eq!(status(&shop, wrong).await, 401, "{wrong}");
    }
    assert_eq!(status(&shop, &format!("Bearer {token}")).await, 200);
}

#[tokio::test]
async fn a_persons_token_may_do_no_more_than_they_may() {
    let shop = Shop::open(reliable()).await;
    let email = Email::parse("ann@example.org").unwrap();
    let password = Password::choose("correct horse battery").unwrap();
    users::create(&shop.app, &Actor::CLI, email.clone(), Role::Operator, password).await.unwrap();
    let wanted = |name: &str, role| Wanted {
        name: TokenName::parse(name).unwrap(),
        role,
        owner: Some(email.clone()),
        expires_at: None,
    };
    let refused = tokens::create(&shop.app, &Actor::CLI, wanted("high", Role::Admin)).await.unwrap_err();
    assert!(refused.to_string().contains("is operator"), "{refused}");
    let (token, _) = tokens::create(&shop.app, &Actor::CLI, wanted("till", Role::Viewer)).await.unwrap();
    assert_eq!(status(&shop, &format!("Bearer {token}")).await, 200);
    users::disable(&shop.app, &Actor::CLI, email).await.unwrap();
    assert_eq!(status(&shop, &format!("Bearer {token}")).await, 401);
}

#[tokio::test]
async fn a_person_signs_in_with_their_password_until_they_are_disabled() {
    let shop = Shop::open(reliable()).await;
    let (ann, nobody) = (Email::parse("Ann@Example.org").unwrap(), Email::parse("bob@example.org").unwrap());
    let password = || Password::choose("correct horse battery").unwrap();
    users::create(&shop.app, &Actor::CLI, ann.clone(), Role::Operator, password()).await.unwrap();
    let taken = users::create(&shop.app, &Actor::CLI, ann.clone(), Role::Viewer, password()).await;
    assert_eq!(taken.unwrap_err().to_string(), "there is a user ann@example.org already");
    let recognise = async |email: &Email, password| {
        users::recognise(&shop.app, Some(email.clone()), password).await.unwrap()
    };
    let user = recognise(&ann, password()).await.unwrap();
    assert_eq!((user.email.as_str(), user.role), ("ann@example.org", Role::Operator));
    assert!(recognise(&ann, Password::given("correct horse batter")).await.is_none());
    assert!(recognise(&nobody, password()).await.is_none());
    users::disable(&shop.app, &Actor::CLI, ann.clone()).await.unwrap();
    assert!(recognise(&ann, password()).await.is_none());
}

#[tokio::test]
async fn what_is_done_to_accounts_is_logged_once_without_secrets() {
    let shop = Shop::open(reliable()).await;
    let ann = Email::parse("ann@example.org").unwrap();
    let password = Password::choose("correct horse battery").unwrap();
    users::create(&shop.app, &Actor::CLI, ann.clone(), Role::Admin, password).await.unwrap();
    let admin = shop.speaker(Role::Admin).await;
    let name = TokenName::parse(&tokens::list(&shop.app).await.unwrap()[0].name).unwrap();
    for _ in 0..2 {
        users::disable(&shop.app, &Actor::CLI, ann.clone()).await.unwrap();
    }
    let log = admin.get("/operator-actions").await;
    assert_eq!(log.status, 200);
    let kinds: Vec<&str> =
        log.body["data"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["user_disabled", "token_created", "user_created"]);
    assert_eq!(log.body["data"][1]["subject"], name.as_str());
    let text = log.body.to_string();
    assert!(!text.contains("argon2") && !text.contains(&admin.token) && !text.contains("horse"), "{text}");
    tokens::revoke(&shop.app, &Actor::CLI, name).await.unwrap();
    assert_eq!(admin.get("/operator-actions").await.status, 401);
}

#[tokio::test]
async fn who_only_reads_is_answered_while_nothing_can_be_written() {
    let shop = Shop::open(reliable()).await;
    let token = shop.token(Role::Viewer).await;
    let held = std::sync::Arc::new(tokio::sync::Notify::new());
    let (free, freed) = std::sync::mpsc::channel::<()>();
    let (app, is_held) = (shop.app.clone(), held.clone());
    // The row of the token is held, on SQLite with all that can be written.
    let freed = std::sync::Mutex::new(freed);
    let holding = tokio::spawn(async move {
        app.transaction("hold", move |tx| -> app::Result<()> {
            tx.execute("UPDATE api_tokens SET role = role", &[])?;
            is_held.notify_one();
            freed.lock().unwrap().recv().unwrap();
            Ok(())
        })
        .await
        .unwrap();
    });
    held.notified().await;
    let authorization = format!("Bearer {token}");
    let answered = tokio::time::timeout(std::time::Duration::from_secs(20), status(&shop, &authorization));
    assert_eq!(answered.await.expect("a read waits for no writer"), 200);
    free.send(()).unwrap();
    holding.await.unwrap();
}
