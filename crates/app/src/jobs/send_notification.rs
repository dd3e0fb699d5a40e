use domain::NotificationId;
use serde::{Deserialize, Serialize};

use super::Payload;

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
