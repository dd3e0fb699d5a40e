//! Requests that their senders named, so that they can be sent again.

use app::Actor;
use app::idempotency::Keyed;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use domain::IdempotencyKey;

use crate::ApiError;

/// The header that brings a key.
pub(crate) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The request's key, where it brings one.
fn key_of(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, ApiError> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let parsed = IdempotencyKey::parse(value.to_str().unwrap_or_default());
    parsed.map(Some).map_err(|error| ApiError::BadKey(error.to_string()))
}

/// A request to `address`, where it brings a key.
pub(crate) fn keyed(
    headers: &HeaderMap,
    who: &Actor,
    address: &str,
    body: &[u8],
) -> Result<Option<Keyed>, ApiError> {
    Ok(key_of(headers)?.map(|key| Keyed::new(who, key, address, body)))
}

/// The request's key, which it must bring.
pub(crate) fn require_key(headers: &HeaderMap) -> Result<IdempotencyKey, ApiError> {
    key_of(headers)?.ok_or_else(|| {
        ApiError::BadKey("is missing; take a fresh one for each request that is not a repetition".to_owned())
    })
}

/// Says in the answer that nothing was done this time.
pub(crate) fn marked(replayed: bool, mut response: Response) -> Response {
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
