//! What went wrong, for people: what the API would tell a program, as a page.

use askama::Template;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::{LOGIN, page};
use crate::ApiError;
use crate::headers::listed;
use crate::server::Web;

/// A problem is never longer.
const LONGEST: usize = 256 * 1024;

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage<'p> {
    shop: &'p str,
    problem: Problem,
}

/// The parts of a problem (RFC 9457) that people read.
#[derive(Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    errors: Vec<Violation>,
}

#[derive(Deserialize)]
struct Violation {
    pointer: String,
    detail: String,
}

impl Violation {
    /// What the form calls it: programs are told where it stands, as `/quantity` or `?over`.
    fn field(&self) -> String {
        self.pointer.trim_start_matches(['/', '?']).replace(['_', '/'], " ")
    }
}

/// Turns problems into pages for whoever wants to read one. Who has not signed in is sent to where they can.
pub(super) async fn tell_people(State(web): State<Web>, request: Request, next: Next) -> Response {
    let reads_pages = wants_page(request.headers());
    let response = next.run(request).await;
    if !reads_pages || !is_problem(response.headers()) {
        return response;
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        return Redirect::to(LOGIN).into_response();
    }
    told(&web, response).await.unwrap_or_else(IntoResponse::into_response)
}

async fn told(web: &Web, response: Response) -> Result<Response, ApiError> {
    let (mut parts, body) = response.into_parts();
    let unreadable =
        |error: &dyn std::fmt::Display| app::Error::Internal(format!("a problem cannot be read: {error}"));
    let body = to_bytes(body, LONGEST).await.map_err(|error| unreadable(&error))?;
    let problem = serde_json::from_slice(&body).map_err(|error| unreadable(&error))?;
    let told = page(parts.status, &RefusalPage { shop: &web.app.config().shop.name, problem })?;
    // What else was said with it holds still: when to come again, what to remember.
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    Ok((parts.headers, told).into_response())
}

fn wants_page(headers: &HeaderMap) -> bool {
    listed(headers, header::ACCEPT).any(|one| one.starts_with("text/html"))
}

fn is_problem(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE) == Some(&HeaderValue::from_static("application/problem+json"))
}
