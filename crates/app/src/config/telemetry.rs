use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Serialize};

/// Traces by OpenTelemetry: kept once there is a collector to send them to. `[telemetry]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// The collector's address, which takes OTLP over HTTP at `/v1/traces` below it, such as `http://127.0.0.1:4318`. Empty:
    /// no traces. `OTEL_EXPORTER_OTLP_ENDPOINT` is read too.
    pub otlp_endpoint: String,
    /// What this program is called in traces. `OTEL_SERVICE_NAME` is read too.
    pub service_name: String,
    /// The share of the traces beginning here that is kept, from 0 to 1. Whoever sends a request with a `traceparent` has
    /// decided for it.
    pub sample_ratio: f64,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        TelemetrySettings {
            otlp_endpoint: String::new(),
            service_name: "ordermill".to_owned(),
            sample_ratio: 1.0,
        }
    }
}

impl TelemetrySettings {
    /// How traces are kept, if they are.
    pub fn start_settings(&self) -> Option<telemetry::Settings> {
        (!self.otlp_endpoint.is_empty()).then(|| telemetry::Settings {
            endpoint: self.otlp_endpoint.clone(),
            service_name: self.service_name.clone(),
            version: env!("CARGO_PKG_VERSION"),
            sample_ratio: self.sample_ratio,
        })
    }
}
