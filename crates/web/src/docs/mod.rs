//! The API's description as a page: made of `/openapi.json`, without a script and without asking any other host.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use minijinja::value::Serde;
use minijinja::{Environment, Value, context};
use serde_json::json;

use crate::ApiError;
use crate::openapi::{Operation, openapi};
use crate::server::Web;

const STYLE: &str = "/docs/style.css";
const ICON: &str = "/docs/icon.svg";

/// What the page is made of besides: open to all, like every static file.
pub(crate) fn files() -> Router<Web> {
    Router::new().route(STYLE, get(style)).route(ICON, get(icon))
}

static PAGE: LazyLock<Bytes> = LazyLock::new(|| render().into());

/// `GET /docs`
pub(crate) async fn show(headers: HeaderMap) -> Result<Response, ApiError> {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    Ok(crate::fixed::answer(&headers, html, PAGE.clone()))
}

/// Says what `GET /docs` answers.
pub(crate) fn shown(operation: &mut Operation<'_>) {
    let page = json!({ "type": "string" });
    operation.is_tagged().answers_as(StatusCode::OK, "text/html; charset=utf-8", "The page.", page);
}

async fn style(headers: HeaderMap) -> Response {
    let css = HeaderValue::from_static("text/css; charset=utf-8");
    crate::fixed::answer(&headers, css, Bytes::from_static(include_bytes!("style.css")))
}

async fn icon(headers: HeaderMap) -> Response {
    let svg = HeaderValue::from_static("image/svg+xml");
    crate::fixed::answer(&headers, svg, Bytes::from_static(include_bytes!("icon.svg")))
}

fn render() -> String {
    let safe = |address: &str| Value::from_safe_string(address.to_owned());
    let mut environment = Environment::new();
    environment.add_filter("pretty", pretty);
    environment.add_filter("marked", marked);
    environment.add_template("page.html", include_str!("page.html")).expect("a test renders it");
    let page = environment.get_template("page.html").expect("it was added above");
    page.render(context! { api => Value::from(Serde(openapi())), style => safe(STYLE), icon => safe(ICON) })
        .expect("a test renders it")
}

/// JSON as people read it; a text as it is.
fn pretty(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => serde_json::to_string_pretty(value).unwrap_or_default(),
    }
}

/// A text as HTML, with what stands between backticks as code.
fn marked(text: &Value) -> Value {
    let text = text.as_str().unwrap_or_default();
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let parts = text.split('`').enumerate();
    let parts = parts
        .map(|(index, part)| if index % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() });
    Value::from_safe_string(parts.collect())
}
