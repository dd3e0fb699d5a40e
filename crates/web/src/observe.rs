//! What every request gets: an id, a span, and an answer also when its handler panics.

use std::any::Any;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use telemetry::{Span, TRACEPARENT};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use crate::ApiError;
use crate::metrics::{count_requests, known};

/// Names a request in its answer and in the log; taken from the request where it brings a sound one.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_ID: usize = 64;

/// Puts what every request gets around routes, and problems where no route is.
pub(crate) fn observed(routes: Router) -> Router {
    routes
        .fallback(async |uri: Uri| ApiError::NoSuchAddress(uri.path().to_owned()))
        .method_not_allowed_fallback(async |method: Method| ApiError::MethodNotAllowed(method))
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(middleware::from_fn(count_requests))
        .layer(middleware::from_fn(observe))
}

async fn observe(request: Request, next: Next) -> Response {
    let id = sound_id(&request).unwrap_or_else(fresh_id);
    let (method, path) = (request.method().clone(), logged(request.uri().path()).to_owned());
    let trace = begin_trace(&request, &id);
    let (name, trace_id) = (id.to_str().unwrap_or_default(), trace.trace_id());
    let span = tracing::info_span!("request", id = name, %method, path, trace_id);
    let began = Instant::now();
    let mut response = trace.around(next.run(request).instrument(span.clone())).await;
    let (status, took_ms) = (response.status().as_u16(), began.elapsed().as_millis());
    span.in_scope(|| tracing::debug!(status, took_ms, "answered"));
    trace.set("http.response.status_code", i64::from(status));
    if response.status().is_server_error() {
        trace.fail(|| response.status().to_string());
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The request's span, in the trace of whoever sends it, if that is said soundly.
fn begin_trace(request: &Request, id: &HeaderValue) -> Span {
    let mut said = request.headers().get_all(TRACEPARENT).iter();
    let parent = said.next().filter(|_| said.next().is_none()).and_then(|parent| parent.to_str().ok());
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let method = known(request.method());
    let name = || route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    let span = Span::request(parent, name);
    if span.is_kept() {
        span.set("http.request.method", method);
        span.set("http.route", route.unwrap_or("none").to_owned());
        span.set("url.path", logged(request.uri().path()).to_owned());
        span.set("request.id", id.to_str().unwrap_or_default().to_owned());
    }
    span
}

/// A path as the log may have it: who reads the log is not to become the first admin.
fn logged(path: &str) -> &str {
    if path.starts_with("/setup/") { "/setup/…" } else { path }
}

fn sound_id(request: &Request) -> Option<HeaderValue> {
    let id = request.headers().get(REQUEST_ID)?;
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let sound = (1..=LONGEST_ID).contains(&id.len()) && id.as_bytes().iter().all(is_plain);
    sound.then(|| id.clone())
}

fn fresh_id() -> HeaderValue {
    let id = format!("{:032x}", rand::random::<u128>());
    HeaderValue::try_from(id).expect("hexadecimal digits are a sound header")
}

fn answer_panic(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    ApiError::Panicked(text.unwrap_or_else(|| "no message".to_owned())).into_response()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn a_handler_that_panics_is_answered_without_its_words() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let panics = async || -> Response { panic!("the secret is 42") };
        let routes = observed(Router::new().route("/", get(panics)));
        let never = std::future::pending();
        tokio::spawn(crate::connections::serve(listener, routes, never, Duration::ZERO));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
        assert!(answer.contains("application/problem+json") && answer.contains("x-request-id"), "{answer}");
        assert!(!answer.contains("secret"), "{answer}");
    }
}
