//! Calls to the shop's own receiver, signed after the Standard Webhooks scheme. A call is repeated with the same id until it
//! is taken, so the receiver can tell repetitions.

mod addresses;
mod event;
mod receiver;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::Channel;
use queue::Clock;
use reqwest::{Client, Response, StatusCode, Url, header, redirect};
use telemetry::{Kind, Span};
use tokio::task::JoinSet;

use super::{Delivery, Letter, Mailer};
use crate::config::WebhookSettings;
use crate::gateways::signature::Secrets;
use crate::{Error, Result};

pub(super) use event::written;
pub(super) use receiver::{Fared, address, note, standing};
pub use receiver::{ReceiverView, enable, receiver};

pub(crate) use addresses::refused_in as refused_address;

/// Bytes of an answer that are read: what it says is only of interest where it refuses.
const ANSWER: usize = 4 * 1024;
/// Characters of a refusal that are kept.
const KEPT_OF_REFUSAL: usize = 200;

/// Calls the shop's receiver.
pub struct WebhookCaller {
    client: Client,
    url: Url,
    secrets: Secrets,
    settings: WebhookSettings,
    clock: Arc<dyn Clock>,
}

impl WebhookCaller {
    /// Connects to nothing.
    pub fn new(settings: &WebhookSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        let wrong = |what: String| Error::Config(format!("[notifications.webhook] {what}"));
        let url = Url::parse(&settings.url).map_err(|error| wrong(format!("url: {error}")))?;
        let mut client = Client::builder()
            .timeout(settings.timeout)
            .user_agent(concat!("ordermill/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            // A proxy would look the address up by itself.
            .no_proxy();
        if !settings.allow_private {
            client = client.dns_resolver(Arc::new(addresses::PublicOnly));
        }
        let client = client.build().map_err(|error| wrong(format!("no HTTP client can be made: {error}")))?;
        let secrets = Secrets::new(&settings.secrets);
        Ok(WebhookCaller { client, url, secrets, settings: settings.clone(), clock })
    }

    /// How long a call can take.
    pub(crate) fn longest_call(settings: &WebhookSettings) -> Duration {
        settings.timeout
    }

    async fn call(self: Arc<Self>, letter: Letter) -> Delivery {
        if let Some(refused) = refused_address(&self.url).filter(|_| !self.settings.allow_private) {
            return Delivery::Passing(refused);
        }
        let body = letter.text.into_bytes();
        let Some(headers) = self.secrets.sign_by_all(&letter.message_id, self.clock.now(), &body) else {
            return Delivery::Passing("there is no secret to sign with".to_owned());
        };
        let request = self.client.post(self.url.clone()).header(header::CONTENT_TYPE, "application/json");
        let call = Span::after(letter.trace.as_ref(), "POST", Kind::Call);
        let sent = call.told_by(headers.sign(request)).body(body).send().await;
        let delivery = match sent {
            Ok(response) => judge(response).await,
            // Without the address, which may hold a secret of the receiver's.
            Err(error) => Delivery::Passing(queue::with_causes(&error.without_url())),
        };
        delivery.show_in(&call);
        delivery
    }
}

/// What an answer means. A redirection is not followed: the settings say where calls go.
async fn judge(response: Response) -> Delivery {
    let status = response.status();
    if status.is_success() {
        return Delivery::Sent;
    }
    let said = beginning(response).await;
    let reason = format!("the receiver answers {status}: {}", said.trim());
    if status == StatusCode::GONE { Delivery::Gone(reason) } else { Delivery::Passing(reason) }
}

/// The first words of an answer, however long it is.
async fn beginning(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER
        && let Ok(Some(piece)) = response.chunk().await
    {
        bytes.extend_from_slice(&piece[..piece.len().min(ANSWER)]);
    }
    let text = String::from_utf8_lossy(&bytes);
    text.chars().filter(|letter| !letter.is_control()).take(KEPT_OF_REFUSAL).collect()
}

/// Several calls at a time.
pub(super) struct WebhookMailer(pub(super) Arc<WebhookCaller>);

#[async_trait]
impl Mailer for WebhookMailer {
    fn channel(&self) -> Channel {
        Channel::Webhook
    }

    /// The receiver tells repetitions by their id.
    fn is_repeatable(&self) -> bool {
        true
    }

    fn at_once(&self) -> usize {
        self.0.settings.connections as usize
    }

    async fn send(&self, letters: &[Letter]) -> Vec<Delivery> {
        let mut calls = JoinSet::new();
        for (position, letter) in letters.iter().cloned().enumerate() {
            let caller = Arc::clone(&self.0);
            calls.spawn(async move { (position, caller.call(letter).await) });
        }
        let unknown = || Delivery::Passing("the call was broken off".to_owned());
        let mut deliveries: Vec<Delivery> = letters.iter().map(|_| unknown()).collect();
        while let Some(called) = calls.join_next().await {
            if let Ok((position, delivery)) = called {
                deliveries[position] = delivery;
            }
        }
        deliveries
    }
}
