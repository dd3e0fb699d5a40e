//! The document and its page, as a browser gets them.

use std::collections::HashSet;

use domain::Role;
use reqwest::Response;

use crate::support::{Shop, client, reliable};

async fn get(shop: &Shop, path: &str, token: Option<&str>) -> Response {
    let request = client().get(format!("{}{path}", shop.url));
    let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
    request.send().await.unwrap()
}

/// What stands between each `begin` and the quote after it.
fn between<'t>(text: &'t str, begin: &str) -> Vec<&'t str> {
    text.split(begin).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[tokio::test]
async fn the_document_is_served_and_not_sent_twice() {
    let shop = Shop::open(reliable()).await;
    let token = shop.token(Role::Viewer).await;
    assert_eq!(get(&shop, "/openapi.json", None).await.status(), 401);
    let answer = get(&shop, "/openapi.json", Some(&token)).await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    let tag = answer.headers()["etag"].clone();
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap(), *web::openapi());
    let request = client().get(format!("{}/openapi.json", shop.url)).bearer_auth(&token);
    let again = request.header("if-none-match", tag).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.bytes().await.unwrap().len()), (304, 0));
}

#[tokio::test]
async fn the_page_has_no_script_and_asks_no_other_host() {
    let shop = Shop::open(reliable()).await;
    let token = shop.token(Role::Viewer).await;
    assert_eq!(get(&shop, "/docs", None).await.status(), 401);
    let answer = get(&shop, "/docs", Some(&token)).await;
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    let page = answer.text().await.unwrap().replace("&#x2f;", "/");
    for forbidden in ["<script", " style=", "<style", " on", " src=", "=\"http", "=\"//"] {
        let at = page.find(forbidden).map(|at| page[at..].chars().take(60).collect::<String>());
        // ` on` is a word too; an attribute of that name has an equals sign.
        let is_word = forbidden == " on" && !page.contains(" onclick=") && !page.contains(" onload=");
        assert!(at.is_none() || is_word, "{at:?}");
    }
    let ids: HashSet<_> = between(&page, " id=\"").into_iter().collect();
    for link in between(&page, " href=\"") {
        let is_known = match link.strip_prefix('#') {
            Some(id) => ids.contains(id),
            None => ["/", "/openapi.json", "/docs/style.css", "/docs/icon.svg"].contains(&link),
        };
        assert!(is_known, "{link} leads nowhere");
    }
    for access in web::access() {
        assert!(page.contains(&access.address), "{} is not on the page", access.address);
    }
    let style = get(&shop, "/docs/style.css", None).await;
    assert_eq!(
        (style.status().as_u16(), &style.headers()["content-type"]),
        (200, &"text/css; charset=utf-8".parse().unwrap())
    );
    let style = style.text().await.unwrap();
    assert!(!style.contains("url(") && !style.contains("@import"));
}
