use async_trait::async_trait;
use queue::with_causes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use telemetry::{Kind, Span};

use crate::config::GatewaySettings;
use crate::gateways::{
    ChargeAnswer, ChargeRequest, ChargeState, GatewayError, PaymentGateway, RefundAnswer, RefundRequest,
};
use crate::{Error, Result};

/// A gateway behind HTTP, as `ordermill gateway` serves it: `POST /charges`, `/voids` and `/refunds`, each a JSON list
/// of wishes answered by a list of the same length.
pub struct HttpGateway {
    client: reqwest::Client,
    url: String,
}

impl HttpGateway {
    /// A client for the gateway at `settings.url`.
    pub fn new(settings: &GatewaySettings) -> Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(settings.timeout)
            .build()
            .map_err(|error| Error::Config(format!("[gateway]: no HTTP client can be made: {error}")))?;
        Ok(HttpGateway { client, url: settings.url.trim_end_matches('/').to_owned() })
    }

    async fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        wishes: Vec<Q>,
    ) -> Vec<Result<A, GatewayError>> {
        if wishes.is_empty() {
            return Vec::new();
        }
        let call = Span::here("POST", Kind::Call);
        call.rename(|| format!("POST {path}"));
        match self.post(&call, path, &wishes).await {
            Ok(answers) if answers.len() == wishes.len() => answers.into_iter().map(Ok).collect(),
            Ok(answers) => {
                let (got, wanted) = (answers.len(), wishes.len());
                let error = GatewayError::lasting(format!("{path} answered {got} of {wanted} wishes"));
                wishes.iter().map(|_| Err(error.clone())).collect()
            }
            Err(error) => {
                call.fail(|| error.to_string());
                wishes.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }

    async fn post<A: DeserializeOwned>(
        &self,
        call: &Span,
        path: &str,
        wishes: &impl Serialize,
    ) -> Result<Vec<A>, GatewayError> {
        let url = format!("{}{path}", self.url);
        let sent = call.told_by(self.client.post(&url).json(wishes)).send().await;
        let response = sent.map_err(|error| GatewayError::passing(with_causes(&error)))?;
        let status = response.status();
        if !status.is_success() {
            let said: String = response.text().await.unwrap_or_default().chars().take(200).collect();
            let reason = format!("{url} answered {status}: {said}");
            let passes = status.is_server_error() || status.as_u16() == 429;
            return Err(if passes { GatewayError::passing(reason) } else { GatewayError::lasting(reason) });
        }
        response.json().await.map_err(|error| GatewayError::passing(with_causes(&error)))
    }
}

#[async_trait]
impl PaymentGateway for HttpGateway {
    async fn charge(&self, requests: Vec<ChargeRequest>) -> Vec<Result<ChargeAnswer, GatewayError>> {
        self.ask("/charges", requests).await
    }

    async fn void(&self, keys: Vec<String>) -> Vec<Result<ChargeState, GatewayError>> {
        self.ask("/voids", keys).await
    }

    async fn refund(&self, requests: Vec<RefundRequest>) -> Vec<Result<RefundAnswer, GatewayError>> {
        self.ask("/refunds", requests).await
    }
}
