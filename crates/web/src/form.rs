//! Files that are sent as a form: taken to disk as they come, whatever their size.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use app::App;
use app::imports::{ImportOptions, Upload};
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::StatusCode;
use hyper::body::Frame;

use crate::ApiError;
use crate::body::parse;
use crate::openapi::{Argument, Operation};

/// How long the next piece of a file may take.
const NEXT_WITHIN: Duration = Duration::from_secs(30);
/// Within this time of waiting, so many bytes must come, or else the end: about what the slowest modems did.
const PACE: (Duration, usize) = (Duration::from_mins(1), 64 * 1024);
/// The most that the options may have.
const OPTIONS_LIMIT: usize = 256 * 1024;
/// The most that a field may have that says whose form it is.
const FIRST_LIMIT: usize = 1024;
/// The longest name that a file is remembered by, in characters.
const NAME_LIMIT: usize = 255;

/// The most that is read ahead of what is taken: room for a piece of a file and for the head of a field, which has no end
/// where a sender does not want one.
const AHEAD: usize = 1024 * 1024;

/// A form that is still to come.
pub(crate) struct Form {
    fields: Multipart,
    pace: Pace,
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
        form.map(|fields| Form { fields, pace: Pace::new(ahead) }).map_err(|_| ApiError::NoForm)
    }
}

impl Argument for Form {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes_form::<ImportOptions>();
    }
}

impl Form {
    /// What the first field holds, where that is its name. Nothing of what follows has been taken then.
    pub(crate) async fn first(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let Some(field) = self.pace.next(self.fields.next_field()).await? else { return Ok(None) };
        if field.name() != Some(name) {
            return Ok(None);
        }
        let bytes = small(&mut self.pace, field, FIRST_LIMIT).await?;
        Ok(String::from_utf8(bytes).ok())
    }

    /// Takes the form to its end.
    pub(crate) async fn receive(mut self, app: &App) -> Result<Received, ApiError> {
        let (mut file, mut options) = (None, None);
        let pace = &mut self.pace;
        while let Some(field) = pace.next(self.fields.next_field()).await? {
            match field.name() {
                Some("file") if file.is_none() => {
                    let name = field.file_name().unwrap_or("upload.csv");
                    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
                    let name = name.chars().filter(|letter| !letter.is_control()).take(NAME_LIMIT).collect();
                    file = Some((to_disk(app, pace, field).await?, name));
                }
                Some("options") if options.is_none() => {
                    options = Some(parse(&small(pace, field, OPTIONS_LIMIT).await?)?);
                }
                other => return Err(unexpected(other)),
            }
        }
        let Some((upload, name)) = file else {
            return Err(ApiError::wrong("/file", "the form has no field `file`".to_owned()));
        };
        Ok(Received { upload, name, options: options.unwrap_or_default() })
    }
}

async fn to_disk(app: &App, pace: &mut Pace, mut field: Field<'_>) -> Result<Upload, ApiError> {
    let mut upload = Upload::begin(app).await?;
    while let Some(piece) = pace.next(field.chunk()).await? {
        upload.write(&piece).await?;
    }
    Ok(upload)
}

async fn small(pace: &mut Pace, mut field: Field<'_>, limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(piece) = pace.next(field.chunk()).await? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > limit {
            return Err(ApiError::TooLarge { limit });
        }
    }
    Ok(bytes)
}

/// Keeps senders from holding a request for ever. What counts is the time in which nothing is done but wait for them.
struct Pace {
    ahead: Arc<AtomicUsize>,
    waited: Duration,
    came: usize,
}

impl Pace {
    fn new(ahead: Arc<AtomicUsize>) -> Self {
        Pace { ahead, waited: Duration::ZERO, came: 0 }
    }

    /// What comes next of a form, within its time; with it, what was read ahead is taken.
    async fn next<T>(
        &mut self,
        next: impl Future<Output = Result<T, MultipartError>>,
    ) -> Result<T, ApiError> {
        let (window, least) = PACE;
        let left = window.saturating_sub(self.waited);
        if left.is_zero() {
            return Err(ApiError::Dripping { least });
        }
        let began = Instant::now();
        let next = tokio::time::timeout(NEXT_WITHIN.min(left), next).await;
        let next = next.map_err(|_| {
            if left < NEXT_WITHIN {
                ApiError::Dripping { least }
            } else {
                ApiError::TooSlow { seconds: NEXT_WITHIN.as_secs() }
            }
        })?;
        self.take(began.elapsed());
        next.map_err(broken)
    }

    /// Takes what came within this time.
    fn take(&mut self, waited: Duration) {
        self.waited += waited;
        self.came += self.ahead.swap(0, Ordering::Relaxed);
        if self.came >= PACE.1 {
            (self.waited, self.came) = (Duration::ZERO, 0);
        }
    }
}

fn broken(error: MultipartError) -> ApiError {
    if queue::with_causes(&error).contains(&EndlessHead.to_string()) {
        ApiError::BadForm(EndlessHead.to_string())
    } else if error.status() == StatusCode::BAD_REQUEST {
        ApiError::BadForm(error.body_text())
    } else {
        ApiError::BrokenOff
    }
}

fn unexpected(name: Option<&str>) -> ApiError {
    let name = name.unwrap_or_default();
    let detail = "the form has one field `file`, and may have one field `options`".to_owned();
    ApiError::wrong(format!("/{name}"), detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A sender of whom a piece of `bytes` comes every so many seconds: how many come until it is refused, of a hundred.
    async fn pieces(seconds: u32, bytes: usize) -> (usize, Option<ApiError>) {
        let ahead = Arc::<AtomicUsize>::default();
        let mut pace = Pace::new(Arc::clone(&ahead));
        for taken in 0..100 {
            ahead.fetch_add(bytes, Ordering::Relaxed);
            // A piece that is there at once, after a wait that is only told.
            pace.waited += SECOND * seconds;
            if let Err(refused) = pace.next(async { Ok(()) }).await {
                return (taken, Some(refused));
            }
        }
        (100, None)
    }

    #[tokio::test]
    async fn a_sender_who_only_drips_is_refused_and_a_slow_one_is_not() {
        let (taken, refused) = pieces(29, 1).await;
        assert!(matches!(refused, Some(ApiError::Dripping { .. })), "{refused:?}");
        assert_eq!(taken, 2, "after a minute of waiting");
        assert_eq!(pieces(29, 64 * 1024).await.0, 100);
        assert_eq!(pieces(1, 4 * 1024).await.0, 100);
        assert!(pieces(1, 1024).await.1.is_some());
    }
}
