use std::time::Duration;

use async_trait::async_trait;
use domain::{Channel, NotificationId};
use queue::{Backoff, Batch, BoxError, Handler, Limits, NewJob, Outcome};
use serde::{Deserialize, Serialize};

use super::{Payload, payloads};
use crate::{App, notifications};

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
