//! Answers of any size: written to disk first, so that a fault is told before anything is sent, then sent in pieces.

use std::fs::File;

use axum::body::Body;
use tokio_util::io::ReaderStream;

use crate::ApiError;

/// What `write` writes, as a body. The file has no name, and is gone with the answer.
pub(crate) async fn spill(write: impl AsyncFnOnce(File) -> app::Result<()>) -> Result<Body, ApiError> {
    use std::io::Seek as _;
    let failed = |source| app::Error::File { action: "write", path: "a temporary file".to_owned(), source };
    let mut file = tempfile::tempfile().map_err(failed)?;
    write(file.try_clone().map_err(failed)?).await?;
    file.rewind().map_err(failed)?;
    Ok(Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(file))))
}
