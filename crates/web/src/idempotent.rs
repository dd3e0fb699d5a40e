//! Requests that their senders named, so that they can be sent again.

use app::Actor;
use app::idempotency::Keyed;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use domain::IdempotencyKey;

use crate::ApiError;
use crate::openapi::{Argument, Operation};
use crate::problem::kinds;

/// The header that brings a key.
pub(crate) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The request's key, where it brings one.
pub(crate) struct Key(Option<IdempotencyKey>);

/// The request's key, which it must bring.
pub(crate) struct RequiredKey(pub(crate) IdempotencyKey);

fn key_of(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, ApiError> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let parsed = IdempotencyKey::parse(value.to_str().unwrap_or_default());
    parsed.map(Some).map_err(|error| ApiError::BadKey(error.to_string()))
}

impl Key {
    /// What names the request to `address`, where it brings a key.
    pub(crate) fn of(self, who: &Actor, address: &str, body: &[u8]) -> Option<Keyed> {
        self.0.map(|key| Keyed::new(who, key, address, body))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        key_of(&parts.headers).map(Key)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequiredKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let missing = "is missing; take a fresh one for each request that is not a repetition";
        key_of(&parts.headers)?.map(RequiredKey).ok_or_else(|| ApiError::BadKey(missing.to_owned()))
    }
}

impl Argument for Key {
    fn describe(operation: &mut Operation<'_>) {
        let description =
            "Makes a repeated request the same request: it is answered as it was the first time.";
        describe(operation, false, description);
    }
}

impl Argument for RequiredKey {
    fn describe(operation: &mut Operation<'_>) {
        let description =
            "Makes a repeated request the same request. Take a fresh one for each that is not a repetition.";
        describe(operation, true, description);
    }
}

fn describe(operation: &mut Operation<'_>, is_required: bool, description: &str) {
    operation
        .takes_header::<IdempotencyKey>("Idempotency-Key", is_required, description)
        .carries(REPLAYED.as_str(), false, "`true` where the request came before, so that nothing was done.")
        .refuses(&[kinds::BAD_IDEMPOTENCY_KEY, kinds::KEY_REUSED]);
}

/// Says in the answer that nothing was done this time.
pub(crate) fn marked(replayed: bool, mut response: Response) -> Response {
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
