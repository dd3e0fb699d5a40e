//! What is left of a body when a request is answered before all of it was read.
//!
//! A connection that is closed while its client still sends is reset, and the answer that told why is lost with it: the
//! client hears of a broken pipe. So the rest is read and thrown away for a while, until the client has had its answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

/// The most that is thrown away: a client that goes on after so much does not read its answer.
const MOST: usize = 64 * 1024 * 1024;
/// For how long.
const WITHIN: Duration = Duration::from_secs(10);

/// Reads on where a handler stopped.
pub(crate) async fn read_on(request: Request, next: Next) -> Response {
    // Whoever asks first whether to send a body has sent none yet, and is not to be asked for it.
    let waits = request.headers().contains_key(header::EXPECT);
    next.run(request.map(|body| Body::new(Unread { body: Some(body), is_begun: !waits }))).await
}

/// A body that is read to its end by somebody.
struct Unread {
    /// None once it has ended.
    body: Option<Body>,
    is_begun: bool,
}

impl HttpBody for Unread {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.is_begun = true;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let left = self.body.take().filter(|body| self.is_begun && !body.is_end_stream());
        // A runtime that ends takes its connections along.
        if let (Some(body), Ok(runtime)) = (left, tokio::runtime::Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(WITHIN, throw_away(body)));
        }
    }
}

async fn throw_away(mut body: Body) {
    let mut thrown = 0;
    while thrown < MOST {
        let next = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        let Some(Ok(frame)) = next else { return };
        thrown += frame.data_ref().map_or(0, Bytes::len);
    }
}
