//! Objects of S3, read in pieces.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Client, Response, StatusCode, Url, header, redirect};
use rusty_s3::actions::{GetObject, S3Action as _};
use rusty_s3::{Bucket, Credentials, UrlStyle};

use crate::config::StoreSettings;

/// For how long a request's signature holds.
const SIGNED_FOR: Duration = Duration::from_mins(15);
/// How long a connection may take.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of a refusal that are looked at for its reason.
const REFUSAL: usize = 4096;

/// A bucket that is read from.
pub(super) struct ObjectStore {
    bucket: Bucket,
    credentials: Option<Credentials>,
    client: Client,
}

/// Why an object could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    /// It will be the same until somebody changes something.
    #[error("{0}")]
    Lasting(String),
    /// It may be read later.
    #[error("{0}")]
    Passing(String),
    /// It is another than the one that was begun with.
    #[error("the object was changed while it was fetched")]
    Changed,
}

/// An object, from some byte on.
pub(super) struct Object {
    /// What the store calls this version of it.
    pub(super) etag: Option<String>,
    /// All its bytes, also those before the first that comes.
    pub(super) bytes: u64,
    /// The first byte that comes.
    pub(super) from: u64,
    response: Response,
}

impl ObjectStore {
    /// Connects to nothing.
    pub(super) fn new(settings: &StoreSettings) -> Result<Self, StoreError> {
        let unusable = |error: &dyn std::fmt::Display| {
            StoreError::Lasting(format!(
                "the settings of the bucket {} cannot be used: {error}",
                settings.bucket
            ))
        };
        let endpoint = Url::parse(&settings.address()).map_err(|error| unusable(&error))?;
        let style = if settings.path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let bucket = Bucket::new(endpoint, style, settings.bucket.clone(), settings.region.clone());
        let pair = settings.access_key_id.clone().zip(settings.secret_access_key.clone());
        let credentials = pair.map(|(id, key)| match settings.session_token.clone() {
            Some(token) => Credentials::new_with_token(id, key, token),
            None => Credentials::new(id, key),
        });
        let client = Client::builder()
            .connect_timeout(CONNECTED_WITHIN)
            .read_timeout(settings.timeout)
            // What is signed for one place is nobody else's business, and the settings alone say where a store is.
            .redirect(redirect::Policy::none())
            .build();
        Ok(ObjectStore {
            bucket: bucket.map_err(|error| unusable(&error))?,
            credentials,
            client: client.map_err(|error| unusable(&error))?,
        })
    }

    /// Asks for an object, from the byte `from` of the version `etag` on; from its beginning where no version is named.
    pub(super) async fn open(
        &self,
        key: &str,
        at: Timestamp,
        (from, etag): (u64, Option<&str>),
    ) -> Result<Object, StoreError> {
        let url =
            GetObject::new(&self.bucket, self.credentials.as_ref(), key).sign_with_time(SIGNED_FOR, &at);
        let mut request = self.client.get(url);
        if let (Some(etag), true) = (etag, from > 0) {
            request = request.header(header::IF_MATCH, etag).header(header::RANGE, format!("bytes={from}-"));
        }
        let response = request.send().await.map_err(passing)?;
        let text = |name| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        let found = text(header::ETAG);
        match response.status() {
            StatusCode::OK => {
                let bytes = response.content_length().ok_or_else(|| {
                    StoreError::Lasting("the store does not tell how large the object is".to_owned())
                })?;
                Ok(Object { etag: found, bytes, from: 0, response })
            }
            StatusCode::PARTIAL_CONTENT => {
                let range = text(header::CONTENT_RANGE).unwrap_or_default();
                let bytes = total(&range, from).ok_or_else(|| {
                    StoreError::Lasting(format!(
                        "the store answers with the range `{range}`, not from {from}"
                    ))
                })?;
                if etag != found.as_deref() {
                    return Err(StoreError::Changed);
                }
                Ok(Object { etag: found, bytes, from, response })
            }
            StatusCode::PRECONDITION_FAILED | StatusCode::RANGE_NOT_SATISFIABLE => Err(StoreError::Changed),
            status => Err(refusal(status, response).await),
        }
    }
}

impl Object {
    /// The next piece; none at its end.
    pub(super) async fn next(&mut self) -> Result<Option<bytes::Bytes>, StoreError> {
        self.response.chunk().await.map_err(passing)
    }
}

/// How large the whole is, by the head of a part that begins where it should.
fn total(range: &str, from: u64) -> Option<u64> {
    let (part, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = part.split_once('-')?;
    (first.parse::<u64>().ok()? == from).then_some(())?;
    total.parse().ok()
}

/// What a store says instead of an object.
async fn refusal(status: StatusCode, mut response: Response) -> StoreError {
    let mut text = Vec::new();
    while text.len() < REFUSAL
        && let Ok(Some(piece)) = response.chunk().await
    {
        text.extend_from_slice(&piece);
    }
    let text = String::from_utf8_lossy(&text[..text.len().min(REFUSAL)]).into_owned();
    let code =
        text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    let said = code.map_or_else(|| status.to_string(), |code| format!("{status}, {code}"));
    let passes = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
    match status {
        _ if passes => StoreError::Passing(format!("the store answers {said}")),
        StatusCode::NOT_FOUND => StoreError::Lasting(format!("there is no such object ({said})")),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => StoreError::Lasting(format!(
            "the store does not let us ({said}); look at access_key_id and secret_access_key of its settings"
        )),
        _ if status.is_redirection() => StoreError::Lasting(format!(
            "the store sends us elsewhere ({said}); look at endpoint and region of its settings"
        )),
        _ => StoreError::Lasting(format!("the store answers {said}")),
    }
}

/// A connection that fails. Its address is not told: it is signed.
fn passing(error: reqwest::Error) -> StoreError {
    let error = queue::with_causes(&error.without_url());
    StoreError::Passing(format!("the store cannot be read from: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_counts_only_where_it_begins_as_asked() {
        assert_eq!(total("bytes 10-99/100", 10), Some(100));
        for wrong in ["bytes 0-99/100", "bytes 10-99/*", "10-99/100", "bytes 10-99", ""] {
            assert_eq!(total(wrong, 10), None, "{wrong}");
        }
    }
}
