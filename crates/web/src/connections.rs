//! Connections: taken on until the shutdown, then finished within a bounded time.

use std::future::Future;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::visitor::Peer;

/// How long a client may take to send a request's head, or leave a connection idle.
const HEAD_WITHIN: Duration = Duration::from_secs(75);
/// How long to wait when the system can give no further connection.
const AFTER_AN_ERROR: Duration = Duration::from_millis(200);

/// Ends the connection that a request came by, whatever is still to be sent through it. Each request has one among its
/// extensions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cut(CancellationToken);

impl Cut {
    pub(crate) fn cut(&self) {
        self.0.cancel();
    }
}

/// Serves `router` until `shutdown` resolves. Requests that are under way then may finish within `grace`.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) {
    let stopping = CancellationToken::new();
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(converse(stream, Peer(peer), router.clone(), stopping.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken on");
                    tokio::time::sleep(AFTER_AN_ERROR).await;
                }
            },
        }
    }
    drop(listener);
    stopping.cancel();
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, finished).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "requests that did not finish in time are broken off"
        );
        connections.shutdown().await;
    }
}

async fn converse(stream: TcpStream, peer: Peer, router: Router, stopping: CancellationToken) {
    // Answers are small and whole: nothing is gained by holding them back.
    let _ = stream.set_nodelay(true);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    let cut = Cut::default();
    let (inner, given) = (TowerToHyperService::new(router), cut.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(given.clone());
        request.extensions_mut().insert(peer);
        inner.call(request)
    });
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = cut.0.cancelled() => return,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = cut.0.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::post;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;

    use super::*;

    async fn read_until(stream: &mut TcpStream, end: &str) -> String {
        let mut text = Vec::new();
        while !text.ends_with(end.as_bytes()) {
            let mut byte = [0];
            stream.read_exact(&mut byte).await.expect("the server answers");
            text.extend(byte);
        }
        String::from_utf8(text).unwrap()
    }

    /// A server that echoes bodies, and a request to it whose handler waits for its body of four bytes.
    async fn begun(grace: Duration) -> (tokio::task::JoinHandle<()>, oneshot::Sender<()>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().route("/", post(async |body: String| body));
        let shutdown = async move { _ = stopped.await };
        let server = tokio::spawn(serve(listener, router, shutdown, grace));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        assert!(read_until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 100"));
        (server, stop, stream)
    }

    #[tokio::test]
    async fn a_request_that_is_under_way_finishes_after_the_shutdown() {
        let (server, stop, mut stream) = begun(Duration::from_mins(1)).await;
        stop.send(()).unwrap();
        let address = stream.peer_addr().unwrap();
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        stream.write_all(b"done").await.unwrap();
        assert!(read_until(&mut stream, "done").await.starts_with("HTTP/1.1 200"));
        server.await.unwrap();
    }

    #[tokio::test]
    async fn a_request_that_never_finishes_does_not_hold_the_shutdown_up() {
        let (server, stop, mut stream) = begun(Duration::from_millis(20)).await;
        stop.send(()).unwrap();
        server.await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap_or_default();
        assert!(rest.is_empty(), "broken off without an answer");
    }

    #[tokio::test]
    async fn a_connection_that_is_cut_ends_though_its_client_takes_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (begun, mut cuts) = tokio::sync::mpsc::channel(1);
        let endless = async move |axum::Extension(cut): axum::Extension<Cut>| {
            begun.send(cut).await.unwrap();
            let piece = axum::body::Bytes::from(vec![b'x'; 1 << 20]);
            let pieces = futures_util::stream::repeat(Ok::<_, std::convert::Infallible>(piece));
            axum::body::Body::from_stream(pieces)
        };
        let router = Router::new().route("/", axum::routing::get(endless));
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { _ = stopped.await };
        let server = tokio::spawn(serve(listener, router, shutdown, Duration::MAX));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let cut = cuts.recv().await.unwrap();
        stop.send(()).unwrap();
        cut.cut();
        server.await.unwrap();
    }
}
