//! The API's description as OpenAPI 3.1, made of the table of endpoints, of what handlers take and answer, and of the types'
//! own schemas.

mod document;
mod operation;
mod signature;

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

pub(crate) use operation::Operation;
pub(crate) use signature::{Argument, Signature};

use crate::ApiError;

/// The description of everything that is answered, as OpenAPI 3.1.
pub fn openapi() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document::write(&crate::api::endpoints()));
    &DOCUMENT
}

static TEXT: LazyLock<Bytes> = LazyLock::new(|| openapi().to_string().into());

/// `GET /openapi.json`
pub(crate) async fn show(headers: HeaderMap) -> Result<Response, ApiError> {
    let json = HeaderValue::from_static("application/json");
    Ok(crate::fixed::answer(&headers, json, TEXT.clone()))
}

/// Says what `GET /openapi.json` answers.
pub(crate) fn shown(operation: &mut Operation<'_>) {
    operation.is_tagged().answers_as(
        StatusCode::OK,
        "application/json",
        "An OpenAPI 3.1 document.",
        json!({ "type": "object", "properties": { "openapi": { "const": "3.1.0" } }, "required": ["openapi", "paths"] }),
    );
}
