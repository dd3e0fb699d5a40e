use std::net::SocketAddr;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::load::Answer;

/// A server that answers whatever it is asked by the same bytes, once it has read the request; it ends when this is dropped.
pub struct SameAnswer {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl SameAnswer {
    pub async fn serve(answer: Answer) -> anyhow::Result<Self> {
        let status = StatusCode::from_u16(answer.status)?;
        let content_type = answer.content_type;
        let body = Bytes::from(answer.body);
        let handler = async move |_: Bytes| (status, [(header::CONTENT_TYPE, content_type)], body);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let listener = listener.tap_io(|stream| {
            // As our own does.
            let _ = stream.set_nodelay(true);
        });
        let task = tokio::spawn(async move {
            // It ends with the task alone.
            let _ = axum::serve(listener, Router::new().fallback(handler)).await;
        });
        Ok(SameAnswer { address, task })
    }
}

impl Drop for SameAnswer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
