//! Answers that are the same for as long as the program is: tagged, so that nobody is sent one twice.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// `content`, or that it has not changed since.
pub(crate) fn answer(request: &HeaderMap, media_type: HeaderValue, content: Bytes) -> Response {
    let tag = tag(&content);
    let caching =
        [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    if request.get(header::IF_NONE_MATCH) == Some(&tag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, media_type)], content).into_response()
}

fn tag(content: &[u8]) -> HeaderValue {
    HeaderValue::try_from(format!("\"{}\"", mark(content))).expect("digits are a sound header")
}

/// Digits that tell this content from any other.
pub(crate) fn mark(content: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hasher as _};
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    format!("{:016x}", hasher.finish())
}
