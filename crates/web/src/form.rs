//! Files that are sent as a form: taken to disk as they come, whatever their size.

use std::time::Duration;

use app::App;
use app::imports::{ImportOptions, Upload};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::StatusCode;

use crate::body::parse;
use crate::{ApiError, Violation};

/// How long the next piece of a file may take.
const NEXT_WITHIN: Duration = Duration::from_secs(30);
/// The most that the options may have.
const OPTIONS_LIMIT: usize = 256 * 1024;
/// The longest name that a file is remembered by, in characters.
const NAME_LIMIT: usize = 255;

/// A form that is still to come.
pub(crate) struct Form(Multipart);

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
        let form = Multipart::from_request(request, state).await;
        form.map(Form).map_err(|_| ApiError::NoForm)
    }
}

impl Form {
    /// Takes the form to its end.
    pub(crate) async fn receive(mut self, app: &App) -> Result<Received, ApiError> {
        let (mut file, mut options) = (None, None);
        while let Some(field) = in_time(self.0.next_field()).await? {
            match field.name() {
                Some("file") if file.is_none() => {
                    let name = field.file_name().unwrap_or("upload.csv");
                    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
                    let name = name.chars().filter(|letter| !letter.is_control()).take(NAME_LIMIT).collect();
                    file = Some((to_disk(app, field).await?, name));
                }
                Some("options") if options.is_none() => options = Some(parse(&small(field).await?)?),
                other => return Err(unexpected(other)),
            }
        }
        let Some((upload, name)) = file else {
            return Err(wrong("/file", "the form has no field `file`".to_owned()));
        };
        Ok(Received { upload, name, options: options.unwrap_or_default() })
    }
}

async fn to_disk(app: &App, mut field: Field<'_>) -> Result<Upload, ApiError> {
    let mut upload = Upload::begin(app).await?;
    while let Some(piece) = in_time(field.chunk()).await? {
        upload.write(&piece).await?;
    }
    Ok(upload)
}

async fn small(mut field: Field<'_>) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(piece) = in_time(field.chunk()).await? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > OPTIONS_LIMIT {
            return Err(ApiError::TooLarge { limit: OPTIONS_LIMIT });
        }
    }
    Ok(bytes)
}

async fn in_time<T>(next: impl Future<Output = Result<T, MultipartError>>) -> Result<T, ApiError> {
    let next = tokio::time::timeout(NEXT_WITHIN, next).await;
    next.map_err(|_| ApiError::TooSlow { seconds: NEXT_WITHIN.as_secs() })?.map_err(|error| {
        if error.status() == StatusCode::BAD_REQUEST {
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
