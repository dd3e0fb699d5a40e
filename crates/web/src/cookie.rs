//! The cookie by which a browser shows its session.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use crate::visitor::Visitor;

const NAME: &str = "ordermill_session";
/// With this name browsers take it by HTTPS only, and from nobody but us: no neighbour of our domain can set it.
const HTTPS_NAME: &str = "__Host-ordermill_session";

fn name(visitor: Visitor) -> &'static str {
    if visitor.is_https { HTTPS_NAME } else { NAME }
}

/// What a browser shows, if it shows anything.
pub(crate) fn shown(headers: &HeaderMap, visitor: Visitor) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = texts.flat_map(Cookie::split_parse).filter_map(Result::ok);
    cookies.find(|cookie| cookie.name() == name(visitor)).map(|cookie| cookie.value().to_owned())
}

/// Tells a browser what to show from now on.
pub(crate) fn given(secret: &str, visitor: Visitor) -> HeaderValue {
    written(Cookie::build((name(visitor), secret)), visitor)
}

/// Tells a browser to show nothing any more.
pub(crate) fn taken_back(visitor: Visitor) -> HeaderValue {
    written(Cookie::build((name(visitor), "")).max_age(Duration::ZERO), visitor)
}

fn written(cookie: cookie::CookieBuilder<'_>, visitor: Visitor) -> HeaderValue {
    let cookie = cookie.path("/").http_only(true).same_site(SameSite::Lax).secure(visitor.is_https);
    // What we name and make up is letters, digits, `-` and `_`.
    HeaderValue::try_from(cookie.build().to_string()).expect("a cookie of ours is a sound header")
}
