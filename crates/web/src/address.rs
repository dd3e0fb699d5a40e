//! The parts of an address.

use axum::extract::{FromRequestParts, OriginalUri, Path as Parts};
use axum::http::request;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::ApiError;
use crate::openapi::{Argument, Operation};

/// The parts of an address that are named in its route. What cannot be such a part names nothing.
#[derive(Clone, Copy)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: JsonSchema> Argument for Path<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes_part::<T>();
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Self, ApiError> {
        let found = Parts::from_request_parts(parts, state).await;
        found.map(|Parts(part)| Path(part)).map_err(|_| {
            // What the router has passed the request on with is only the end of it.
            let whole = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
            ApiError::NoSuchAddress(whole.path().to_owned())
        })
    }
}
