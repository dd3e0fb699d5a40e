use std::time::Duration;

use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Serialize};

use queue::duration_text;

/// Payments: where the gateway is, and how the simulated one behaves. `[gateway]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct GatewaySettings {
    /// `in_process`: simulated inside this program. `http`: the server at `url`.
    pub mode: GatewayMode,
    /// Where the gateway's server is, such as `http://127.0.0.1:8100`.
    pub url: String,
    /// Where the gateway calls us back, such as `http://127.0.0.1:8000/api/webhooks/payments`. Used by
    /// `ordermill gateway`.
    pub callback_url: String,
    /// Secrets that sign callbacks, each `whsec_` and base64, or plain text. The first signs; all are accepted, so
    /// that they can be exchanged one after the other.
    pub webhook_secrets: Vec<String>,
    /// How often an order is charged before it fails.
    pub payment_attempts: u32,
    /// For how long stock is held while a payment is undecided.
    #[serde(with = "duration_text")]
    pub reservation_deadline: Duration,
    /// How long a call to the gateway may take.
    #[serde(with = "duration_text")]
    pub timeout: Duration,
    /// The share of charges that the simulated gateway declines, 0 to 1.
    pub decline_rate: f64,
    /// How long the simulated gateway takes to decide a charge.
    #[serde(with = "duration_text")]
    pub latency: Duration,
    /// The share of callbacks that it sends twice.
    pub duplicate_rate: f64,
    /// The share of callbacks that it sends out of order.
    pub reorder_rate: f64,
    /// The share of charges that it never calls back about.
    pub silence_rate: f64,
    /// What its decisions are drawn from: the same seed and key, the same fate.
    pub seed: u64,
}

/// Which gateway takes payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayMode {
    /// Simulated inside this program.
    #[default]
    InProcess,
    /// A server, spoken to over HTTP.
    Http,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        GatewaySettings {
            mode: GatewayMode::InProcess,
            url: "http://127.0.0.1:8100".to_owned(),
            callback_url: "http://127.0.0.1:8000/api/webhooks/payments".to_owned(),
            webhook_secrets: vec!["ordermill-development".to_owned()],
            payment_attempts: 1,
            reservation_deadline: Duration::from_mins(15),
            timeout: Duration::from_secs(10),
            decline_rate: 0.03,
            latency: Duration::ZERO,
            duplicate_rate: 0.0,
            reorder_rate: 0.0,
            silence_rate: 0.0,
            seed: 1,
        }
    }
}
