use std::time::Duration;

use async_trait::async_trait;
use domain::{Channel, NotificationId, NotificationStatus};
use queue::{Backoff, Batch, BoxError, Handler, Limits, NewJob, Outcome};
use serde::{Deserialize, Serialize};
use sql::Tx;

use super::outlook::{self, About, Foresight, Outlook, Prospect};
use super::{Payload, payloads};
use crate::{App, Result, notifications};

/// Tells a customer what a notification records.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SendNotification {
    /// The notification.
    pub notification: NotificationId,
}

/// Calls the shop's receiver about what a notification records: in a queue of its own, so that one that answers slowly
/// keeps no mail waiting.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SendWebhook {
    /// The notification.
    pub notification: NotificationId,
}

impl Payload for SendWebhook {
    const KIND: &'static str = "send_webhook";
    const QUEUE: &'static str = "webhooks";
}

/// The job that sends a notification over a channel.
pub(crate) fn sending(channel: Channel, notification: NotificationId) -> NewJob {
    match channel {
        Channel::Webhook => SendWebhook { notification }.job(),
        Channel::Log | Channel::Smtp => SendNotification { notification }.job(),
    }
}

impl Payload for SendNotification {
    const KIND: &'static str = "send_notification";
    const QUEUE: &'static str = "notifications";
}

pub(super) struct Run(pub(super) App);

#[async_trait]
impl Handler for Run {
    fn kind(&self) -> &'static str {
        SendNotification::KIND
    }

    fn limits(&self) -> Limits {
        limits(notifications::longest_run(self.0.config()))
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        let payloads: Vec<SendNotification> = payloads(batch.jobs())?;
        let ids: Vec<NotificationId> = payloads.iter().map(|payload| payload.notification).collect();
        Ok(notifications::send(&self.0, batch, &ids).await?)
    }
}

pub(super) struct Call(pub(super) App);

#[async_trait]
impl Handler for Call {
    fn kind(&self) -> &'static str {
        SendWebhook::KIND
    }

    fn limits(&self) -> Limits {
        limits(notifications::longest_calls(self.0.config()))
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        let payloads: Vec<SendWebhook> = payloads(batch.jobs())?;
        let ids: Vec<NotificationId> = payloads.iter().map(|payload| payload.notification).collect();
        Ok(notifications::send(&self.0, batch, &ids).await?)
    }
}

fn limits(timeout: Duration) -> Limits {
    let backoff = Backoff { longest: Duration::from_hours(1), ..Backoff::default() };
    Limits { attempts: notifications::ATTEMPTS, timeout, backoff, ..Limits::default() }
}

impl Foresight for Run {
    fn foresee(&self, tx: &mut Tx<'_>, args: &str) -> Result<Outlook> {
        let SendNotification { notification } = outlook::read(args)?;
        foresee(tx, notification)
    }
}

impl Foresight for Call {
    fn foresee(&self, tx: &mut Tx<'_>, args: &str) -> Result<Outlook> {
        let SendWebhook { notification } = outlook::read(args)?;
        foresee(tx, notification)
    }
}

fn foresee(tx: &mut Tx<'_>, id: NotificationId) -> Result<Outlook> {
    let found = store::notifications::get(tx, id)?;
    let why = match found.channel {
        Channel::Webhook => {
            "A call has the same id however often it is repeated, and the receiver knows it by that. Once it is \
             recorded as sent, or given up, it is not repeated."
        }
        Channel::Smtp | Channel::Log => {
            "A notification is recorded once for each cause, and once it was handed over, or given up, it is not sent \
             again. To send it again on purpose, resend it."
        }
    };
    let about = vec![About::Notification(id), About::Order(found.order)];
    let stands = format!("Notification {id} to {} is {}", found.recipient, found.status.as_str());
    let (prospect, follows) = match found.status {
        NotificationStatus::Queued => (Prospect::Open, "it would be sent"),
        NotificationStatus::Sending if found.possible_duplicate => {
            (Prospect::Settled, "it was interrupted twice, and would be given up without a third attempt")
        }
        NotificationStatus::Sending if found.channel == Channel::Webhook => {
            (Prospect::Open, "the receiver would be called again, with the same id")
        }
        NotificationStatus::Sending => (
            Prospect::InDoubt,
            "its worker was lost, so it may have arrived: it would be sent once more, and marked so",
        ),
        _ => (Prospect::Settled, "it would be left as it is"),
    };
    Ok(Outlook { about, prospect, told: format!("{stands}: {follows}."), why })
}
