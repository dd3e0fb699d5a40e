//! The way to the collector. It is never waited for but by its own thread; what it does not take is lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::Handle;

/// Bytes of an answer that are read: it says how many spans were refused, and why.
const ANSWER: usize = 64 * 1024;

/// The client of the other outgoing calls, for a thread that has no runtime.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) client: reqwest::Client,
    pub(crate) runtime: Handle,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        self.runtime.spawn(async move { send(&client, request).await }).await?
    }
}

async fn send(client: &reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let request = reqwest::Request::try_from(request)?;
    let mut answer = client.execute(request).await?;
    let mut body = Vec::new();
    while body.len() < ANSWER
        && let Some(piece) = answer.chunk().await?
    {
        body.extend_from_slice(&piece);
    }
    Ok(Response::builder().status(answer.status()).body(body.into())?)
}

/// Says once that the collector takes nothing, and once that it does again.
#[derive(Debug)]
pub(crate) struct Patient {
    pub(crate) inner: Otlp,
    pub(crate) endpoint: String,
    is_away: AtomicBool,
}

impl Patient {
    pub(crate) fn new(inner: Otlp, endpoint: String) -> Self {
        Patient { inner, endpoint, is_away: AtomicBool::new(false) }
    }
}

impl SpanExporter for Patient {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        let result = self.inner.export(spans).await;
        let was_away = self.is_away.swap(result.is_err(), Ordering::Relaxed);
        match &result {
            Err(error) if !was_away => tracing::warn!(
                endpoint = self.endpoint,
                %error,
                "the collector of traces takes none; they are lost until it does, and nothing else is"
            ),
            Ok(()) if was_away => {
                tracing::info!(endpoint = self.endpoint, "the collector of traces takes them again");
            }
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
