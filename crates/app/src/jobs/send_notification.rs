use std::time::Duration;

use async_trait::async_trait;
use domain::NotificationId;
use queue::{Backoff, Batch, BoxError, Handler, Limits, Outcome};
use serde::{Deserialize, Serialize};

use super::{Payload, payloads};
use crate::{App, notifications};

/// Tells a customer what a notification records.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SendNotification {
    /// The notification.
    pub notification: NotificationId,
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
        let longest = Duration::from_hours(1);
        Limits {
            attempts: notifications::ATTEMPTS,
            timeout: notifications::longest_run(self.0.config()),
            backoff: Backoff { longest, ..Backoff::default() },
            ..Limits::default()
        }
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        let payloads: Vec<SendNotification> = payloads(batch.jobs())?;
        let ids: Vec<NotificationId> = payloads.iter().map(|payload| payload.notification).collect();
        Ok(notifications::send(&self.0, batch, &ids).await?)
    }
}
