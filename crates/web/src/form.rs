//! Files that are sent as a form: taken to disk as they come, whatever their size.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use app::App;
use app::imports::{ImportOptions, Upload};
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::StatusCode;
use hyper::body::Frame;

use crate::body::parse;
use crate::problem::with_causes;
use crate::{ApiError, Violation};

/// How long the next piece of a file may take.
const NEXT_WITHIN: Duration = Duration::from_secs(30);
/// The most that the options may have.
const OPTIONS_LIMIT: usize = 256 * 1024;
/// The longest name that a file is remembered by, in characters.
const NAME_LIMIT: usize = 255;

/// The most that is read ahead of what is taken: room for a piece of a file and for the head of a field, which has no end
/// where a sender does not want one.
const AHEAD: usize = 1024 * 1024;

/// A form that is still to come.
pub(crate) struct Form {
    fields: Multipart,
    ahead: Arc<AtomicUsize>,
}

/// A body of which no more than [`AHEAD`] is read before something of it is taken.
struct Bounded {
    body: Body,
    ahead: Arc<AtomicUsize>,
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            let length = frame.data_ref().map_or(0, Bytes::len);
            if self.ahead.fetch_add(length, Ordering::Relaxed) + length > AHEAD {
                return Poll::Ready(Some(Err(axum::Error::new(EndlessHead))));
            }
        }
        Poll::Ready(frame)
    }
}

/// A field whose head does not end.
#[derive(Debug, thiserror::Error)]
#[error("the head of a field is longer than {AHEAD} bytes")]
struct EndlessHead;

/// A form that has come.
pub(crate) struct Received {
    pub(crate) upload: Upload,
    pub(crate) name: String,
    pub(crate) options: ImportOptions,
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, ApiError> {
        // What limits a file is `[imports] max_file_bytes`.
        DefaultBodyLimit::disable().apply(&mut request);
        let ahead = Arc::default();
        let request = request.map(|body| Body::new(Bounded { body, ahead: Arc::clone(&ahead) }));
        let form = Multipart::from_request(request, state).await;
        form.map(|fields| Form { fields, ahead }).map_err(|_| ApiError::NoForm)
    }
}

impl Form {
    /// Takes the form to its end.
    pub(crate) async fn receive(mut self, app: &App) -> Result<Received, ApiError> {
        let (mut file, mut options) = (None, None);
        let ahead = &*self.ahead;
        while let Some(field) = in_time(ahead, self.fields.next_field()).await? {
            match field.name() {
                Some("file") if file.is_none() => {
                    let name = field.file_name().unwrap_or("upload.csv");
                    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
                    let name = name.chars().filter(|letter| !letter.is_control()).take(NAME_LIMIT).collect();
                    file = Some((to_disk(app, ahead, field).await?, name));
                }
                Some("options") if options.is_none() => options = Some(parse(&small(ahead, field).await?)?),
                other => return Err(unexpected(other)),
            }
        }
        let Some((upload, name)) = file else {
            return Err(wrong("/file", "the form has no field `file`".to_owned()));
        };
        Ok(Received { upload, name, options: options.unwrap_or_default() })
    }
}

async fn to_disk(app: &App, ahead: &AtomicUsize, mut field: Field<'_>) -> Result<Upload, ApiError> {
    let mut upload = Upload::begin(app).await?;
    while let Some(piece) = in_time(ahead, field.chunk()).await? {
        upload.write(&piece).await?;
    }
    Ok(upload)
}

async fn small(ahead: &AtomicUsize, mut field: Field<'_>) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(piece) = in_time(ahead, field.chunk()).await? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > OPTIONS_LIMIT {
            return Err(ApiError::TooLarge { limit: OPTIONS_LIMIT });
        }
    }
    Ok(bytes)
}

/// What comes next of a form, within its time; with it, what was read ahead is taken.
async fn in_time<T>(
    ahead: &AtomicUsize,
    next: impl Future<Output = Result<T, MultipartError>>,
) -> Result<T, ApiError> {
    let next = tokio::time::timeout(NEXT_WITHIN, next).await;
    let next = next.map_err(|_| ApiError::TooSlow { seconds: NEXT_WITHIN.as_secs() })?;
    ahead.store(0, Ordering::Relaxed);
    next.map_err(|error| {
        if with_causes(&error).contains(&EndlessHead.to_string()) {
            ApiError::BadForm(EndlessHead.to_string())
        } else if error.status() == StatusCode::BAD_REQUEST {
            ApiError::BadForm(error.body_text())
        } else {
            ApiError::BrokenOff
        }
    })
}

fn unexpected(name: Option<&str>) -> ApiError {
    let name = name.unwrap_or_default();
    let detail = "the form has one field `file`, and may have one field `options`".to_owned();
    wrong(&format!("/{name}"), detail)
}

fn wrong(pointer: &str, detail: String) -> ApiError {
    ApiError::Invalid(vec![Violation { pointer: pointer.to_owned(), detail }])
}
