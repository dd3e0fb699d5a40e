//! The parts of an address.

use axum::extract::{FromRequestParts, Path as Parts};
use axum::http::request;
use serde::de::DeserializeOwned;

use crate::ApiError;

/// The parts of an address that are named in its route. What cannot be such a part names nothing.
#[derive(Clone, Copy)]
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Self, ApiError> {
        let found = Parts::from_request_parts(parts, state).await;
        found.map(|Parts(part)| Path(part)).map_err(|_| ApiError::NoSuchAddress(parts.uri.path().to_owned()))
    }
}
