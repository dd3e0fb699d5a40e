//! Bodies: bounded in size and in time, and JSON only where they say so.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::{HeaderMap, header};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use crate::openapi::{Argument, Operation};
use crate::{ApiError, Violation};

/// How long a body may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(20);

/// The raw bytes of a body of at most `LIMIT` bytes. A body that calls itself anything but JSON is refused.
pub(crate) struct RawJson<const LIMIT: usize>(pub(crate) Bytes);

/// A JSON body of at most `LIMIT` bytes.
pub(crate) struct JsonBody<T, const LIMIT: usize>(pub(crate) T);

impl<S: Send + Sync, const LIMIT: usize> FromRequest<S> for RawJson<LIMIT> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if says_json(request.headers()) == Some(false) {
            return Err(ApiError::UnsupportedMediaType);
        }
        read(request, state, LIMIT).await.map(RawJson)
    }
}

impl<S: Send + Sync, T: DeserializeOwned, const LIMIT: usize> FromRequest<S> for JsonBody<T, LIMIT> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if says_json(request.headers()) != Some(true) {
            return Err(ApiError::UnsupportedMediaType);
        }
        let bytes = read(request, state, LIMIT).await?;
        parse(&bytes).map(JsonBody)
    }
}

/// A JSON body of at most `LIMIT` bytes, and the bytes that it was.
pub(crate) struct ExactJson<T, const LIMIT: usize> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
}

impl<S: Send + Sync, T: DeserializeOwned, const LIMIT: usize> FromRequest<S> for ExactJson<T, LIMIT> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let RawJson(bytes) = RawJson::<LIMIT>::from_request(request, state).await?;
        Ok(ExactJson { value: parse(&bytes)?, bytes })
    }
}

/// A JSON body that may be left out, of at most `LIMIT` bytes, and the bytes that it was.
pub(crate) struct OptionalJson<T, const LIMIT: usize> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
}

impl<S: Send + Sync, T: DeserializeOwned + Default, const LIMIT: usize> FromRequest<S>
    for OptionalJson<T, LIMIT>
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let says_json = says_json(request.headers());
        let bytes = read(request, state, LIMIT).await?;
        let value = match says_json {
            _ if bytes.is_empty() => T::default(),
            Some(true) => parse(&bytes)?,
            _ => return Err(ApiError::UnsupportedMediaType),
        };
        Ok(OptionalJson { value, bytes })
    }
}

/// A form of at most `LIMIT` bytes, as browsers send one without files.
pub(crate) struct UrlEncoded<T, const LIMIT: usize>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned, const LIMIT: usize> FromRequest<S> for UrlEncoded<T, LIMIT> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if essence(request.headers()).as_deref() != Some("application/x-www-form-urlencoded") {
            return Err(ApiError::NoPlainForm);
        }
        let bytes = read(request, state, LIMIT).await?;
        from_url_encoded(&bytes).map(UrlEncoded)
    }
}

fn from_url_encoded<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let read = serde_urlencoded::Deserializer::new(form_urlencoded::parse(bytes));
    serde_path_to_error::deserialize(read).map_err(|error| {
        let pointer = pointer(error.path());
        ApiError::Unfit(Violation { pointer, detail: error.into_inner().to_string() })
    })
}

/// The fields of a form out of their names and values.
pub(crate) fn from_pairs<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, ApiError> {
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    from_url_encoded(text.as_bytes())
}

impl<const LIMIT: usize> Argument for RawJson<LIMIT> {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes_json::<Value>(true, LIMIT);
    }
}

impl<T: JsonSchema, const LIMIT: usize> Argument for JsonBody<T, LIMIT> {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes_json::<T>(true, LIMIT);
    }
}

impl<T: JsonSchema, const LIMIT: usize> Argument for ExactJson<T, LIMIT> {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes_json::<T>(true, LIMIT);
    }
}

impl<T: JsonSchema, const LIMIT: usize> Argument for OptionalJson<T, LIMIT> {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes_json::<T>(false, LIMIT);
    }
}

/// Reads JSON; what does not fit is named by its pointer (RFC 6901).
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        match inner.classify() {
            // A word that is none of those known is told as bad JSON where it is no text.
            Category::Syntax if serde_json::from_slice::<serde_json::Value>(bytes).is_ok() => {
                ApiError::Unfit(Violation { pointer, detail: inner.to_string() })
            }
            Category::Data => ApiError::Unfit(Violation { pointer, detail: inner.to_string() }),
            Category::Syntax | Category::Eof | Category::Io => ApiError::Malformed(inner),
        }
    })?;
    json.end().map_err(ApiError::Malformed)?;
    Ok(value)
}

/// What holds where a body does not say otherwise.
pub(crate) fn yes() -> bool {
    true
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let part = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { variant } => format!("/{variant}"),
        Segment::Unknown => String::new(),
    };
    path.iter().map(part).collect()
}

async fn read<S: Send + Sync>(mut request: Request, state: &S, limit: usize) -> Result<Bytes, ApiError> {
    DefaultBodyLimit::max(limit).apply(&mut request);
    let arrived = tokio::time::timeout(ARRIVES_WITHIN, Bytes::from_request(request, state)).await;
    let too_slow = ApiError::TooSlow { seconds: ARRIVES_WITHIN.as_secs() };
    arrived.map_err(|_| too_slow)?.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            ApiError::TooLarge { limit }
        }
        _ => ApiError::BrokenOff,
    })
}

/// What the body calls itself, without parameters.
fn essence(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Whether the body calls itself JSON; none where it says nothing.
pub(crate) fn says_json(headers: &HeaderMap) -> Option<bool> {
    let essence = essence(headers)?;
    let (main, sub) = essence.split_once('/').unwrap_or_default();
    Some(main == "application" && (sub == "json" || sub.ends_with("+json")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_by_its_type_whatever_its_parameters() {
        let says =
            |value: &str| says_json(&HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]));
        for json in ["application/json", "Application/JSON; charset=utf-8", "application/cloudevents+json"] {
            assert_eq!(says(json), Some(true), "{json}");
        }
        for other in ["text/plain", "application/jsonp", "text/json", "json", "", "+json"] {
            assert_eq!(says(other), Some(false), "{other}");
        }
        assert_eq!(says_json(&HeaderMap::new()), None);
    }
}
