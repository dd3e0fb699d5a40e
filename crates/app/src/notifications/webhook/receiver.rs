//! Whether the receiver is called at all: one that has taken nothing for long is switched off until somebody switches it on.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sql::Tx;
use store::webhook_receivers::Receiver;

use crate::access::record_in;
use crate::config::WebhookSettings;
use crate::hex::hex;
use crate::notifications::Delivery;
use crate::{Actor, App, Error, Result};

/// How the shop's receiver does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReceiverView {
    /// Where it is, without what may be secret of its address.
    pub address: String,
    /// `working`, `failing`, or `disabled`: nothing is sent to it until it is enabled again.
    pub status: &'static str,
    /// Since when nothing has arrived.
    pub failing_since: Option<Timestamp>,
    /// Calls that have failed since then.
    pub failures: i64,
    /// What the last of them met.
    pub error: Option<String>,
    /// When it was switched off.
    pub disabled_at: Option<Timestamp>,
}

/// How the calls of a run went.
#[derive(Debug, Default, Clone)]
pub(in crate::notifications) struct Fared {
    arrived: bool,
    failures: i64,
    error: Option<String>,
    is_gone: bool,
}

impl Fared {
    pub(in crate::notifications) fn of(deliveries: &[Delivery]) -> Self {
        let mut fared = Fared::default();
        for delivery in deliveries {
            match delivery {
                Delivery::Sent => fared.arrived = true,
                Delivery::Gone(reason) => {
                    fared.is_gone = true;
                    fared.fail(reason);
                }
                Delivery::Refused(reason) | Delivery::Passing(reason) | Delivery::NoAnswer(reason) => {
                    fared.fail(reason);
                }
            }
        }
        fared
    }

    fn fail(&mut self, reason: &str) {
        self.failures += 1;
        self.error = Some(reason.to_owned());
    }
}

/// A receiver is known by its whole address: another one begins anew.
fn key(settings: &WebhookSettings) -> String {
    hex(&Sha256::digest(settings.url.as_bytes()))
}

/// Where the receiver is, as people may read it: the rest of its address may be a secret.
pub(in crate::notifications) fn address(settings: &WebhookSettings) -> String {
    reqwest::Url::parse(&settings.url).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// How the receiver does; none where the channel is off.
pub async fn receiver(app: &App) -> Result<Option<ReceiverView>> {
    if !app.channels().contains(&domain::Channel::Webhook) {
        return Ok(None);
    }
    let key = key(&app.config().notifications.webhook);
    let found =
        app.read("webhook_receiver", move |tx| -> Result<_> { Ok(store::webhook_receivers::get(tx, &key)?) });
    Ok(Some(view(app, found.await?)))
}

fn view(app: &App, receiver: Receiver) -> ReceiverView {
    let Receiver { failing_since, failures, error, disabled_at } = receiver;
    let status = match (disabled_at, failing_since) {
        (Some(_), _) => "disabled",
        (None, Some(_)) => "failing",
        (None, None) => "working",
    };
    let address = address(&app.config().notifications.webhook);
    ReceiverView { address, status, failing_since, failures, error, disabled_at }
}

/// Since when the receiver is switched off.
pub(in crate::notifications) async fn standing(app: &App) -> Result<Option<Timestamp>> {
    Ok(receiver(app).await?.and_then(|receiver| receiver.disabled_at))
}

/// Switches the receiver on again. What was not sent meanwhile stays skipped, and can be sent once more.
pub async fn enable(app: &App, who: &Actor) -> Result<ReceiverView> {
    if receiver(app).await?.is_none() {
        return Err(Error::WrongState(
            "there is no receiver of webhooks: `webhook` is not one of [notifications] channels".to_owned(),
        ));
    }
    let (inner, who) = (app.clone(), who.clone());
    let enabled = app.transaction("enable_webhook", move |tx| -> Result<Receiver> {
        let settings = &inner.config().notifications.webhook;
        let key = key(settings);
        let was = store::webhook_receivers::get(tx, &key)?;
        if let Some(since) = was.disabled_at {
            store::webhook_receivers::put(tx, &key, &Receiver::default())?;
            let before = json!({ "disabled_at": since });
            let subject = subject(settings);
            record_in(&inner, tx, &who, "webhook_enabled", &subject, (Some(before), None))?;
            return Ok(Receiver::default());
        }
        Ok(was)
    });
    Ok(view(app, enabled.await?))
}

fn subject(settings: &WebhookSettings) -> String {
    format!("webhook {}", address(settings))
}

/// Records how calls went, in the transaction that records each of them.
pub(in crate::notifications) fn note(app: &App, tx: &mut Tx<'_>, fared: &Fared) -> Result<()> {
    if !fared.arrived && fared.failures == 0 {
        return Ok(());
    }
    let settings = &app.config().notifications.webhook;
    let (key, now) = (key(settings), app.now());
    let was = store::webhook_receivers::get(tx, &key)?;
    // Somebody may have switched it on, or another worker off, while these calls were under way.
    if was.disabled_at.is_some() {
        return Ok(());
    }
    if fared.arrived && !fared.is_gone {
        return match was.failing_since {
            Some(_) => Ok(store::webhook_receivers::put(tx, &key, &Receiver::default())?),
            // Nothing to write, as nearly always.
            None => Ok(()),
        };
    }
    let since = was.failing_since.unwrap_or(now);
    let lasted = now.duration_since(since)
        >= jiff::SignedDuration::try_from(settings.disabled_after).unwrap_or(jiff::SignedDuration::MAX);
    let disabled_at = (lasted || fared.is_gone).then_some(now);
    let receiver = Receiver {
        failing_since: Some(since),
        failures: was.failures + fared.failures,
        error: fared.error.clone(),
        disabled_at,
    };
    store::webhook_receivers::put(tx, &key, &receiver)?;
    if disabled_at.is_some() {
        let error = receiver.error.as_deref().unwrap_or_default();
        let about = json!({ "failing_since": since, "failures": receiver.failures, "error": error });
        record_in(app, tx, &Actor::SYSTEM, "webhook_disabled", &subject(settings), (None, Some(about)))?;
        tracing::error!(
            receiver = address(settings),
            %since,
            failures = receiver.failures,
            error,
            "the receiver of webhooks is switched off; `ordermill notifications webhook --enable` switches it on again"
        );
    }
    Ok(())
}
