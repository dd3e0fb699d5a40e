use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, RetryPolicy, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tokio::runtime::Handle;

use crate::exporter::{Client, Patient};
use crate::{sampling, span};

/// How traces are kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The collector's address, which `/v1/traces` is added to.
    pub endpoint: String,
    /// What this program is called there.
    pub service_name: String,
    /// Its version.
    pub version: &'static str,
    /// The share of the traces beginning here that is kept, from 0 to 1.
    pub sample_ratio: f64,
}

/// Spans that wait for the collector at most; what comes then is lost. They are a few megabytes.
const WAITING_AT_MOST: usize = 8192;
/// How long the collector may take for what it is sent at once.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
/// How long the process' end waits for what is still to be sent.
const ENDS_WITHIN: Duration = Duration::from_secs(3);
/// A run has no more jobs than this as a rule, and a link to each.
const LINKS_AT_MOST: u32 = 512;

/// Why traces cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No client can be made.
    #[error("no HTTP client can be made: {0}")]
    Client(#[source] reqwest::Error),
    /// No exporter can be made.
    #[error("nothing can be sent to {endpoint}: {source}")]
    Exporter {
        /// Where to.
        endpoint: String,
        /// Why.
        source: opentelemetry_otlp::ExporterBuildError,
    },
    /// There is one collector for a process.
    #[error("traces are kept already")]
    Twice,
}

/// Keeps traces from now on, in the whole process. To be called within a runtime, which must outlive what is returned.
pub fn start(settings: Settings) -> Result<Running, Error> {
    let Settings { endpoint, service_name, version, sample_ratio } = settings;
    let endpoint = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let client = reqwest::Client::builder().timeout(ANSWERED_WITHIN).build().map_err(Error::Client)?;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(Client { client, runtime: Handle::current() })
        .with_endpoint(&endpoint)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(ANSWERED_WITHIN)
        .with_retry_policy(RetryPolicy::recommended().with_max_retries(1))
        .build()
        .map_err(|source| Error::Exporter { endpoint: endpoint.clone(), source })?;
    let waiting = BatchConfigBuilder::default().with_max_queue_size(WAITING_AT_MOST).build();
    let processor =
        BatchSpanProcessor::builder(Patient::new(exporter, endpoint)).with_batch_config(waiting).build();
    let about = [
        KeyValue::new("service.version", version),
        KeyValue::new("process.pid", i64::from(std::process::id())),
    ];
    let resource = Resource::builder().with_service_name(service_name).with_attributes(about).build();
    let provider = SdkTracerProvider::builder()
        .with_sampler(sampling::sampler(sample_ratio))
        .with_max_links_per_span(LINKS_AT_MOST)
        .with_resource(resource)
        .with_span_processor(processor)
        .build();
    if !span::turn_on(provider.tracer("ordermill")) {
        return Err(Error::Twice);
    }
    Ok(Running(provider))
}

/// Traces are being kept.
#[derive(Debug)]
pub struct Running(SdkTracerProvider);

impl Running {
    /// Sends what waits, for as long as the process' end may wait for it.
    pub async fn stop(self) {
        let stopped = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(ENDS_WITHIN)).await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::debug!("the last spans did not reach the collector");
        }
    }
}
