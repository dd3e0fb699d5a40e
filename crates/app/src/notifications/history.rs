use domain::{Channel, NotificationId, NotificationStatus, OrderId};
use schemars::JsonSchema;
use serde::Serialize;
use sql::Tx;
use store::notifications::{FailureRow, Notification};

use super::packing;
use crate::{App, Error, Result};

/// A page of the history, newest first.
#[derive(Debug, Clone, Copy)]
pub struct History {
    /// Which notifications.
    pub which: Which,
    /// Only those recorded before this one: the next page.
    pub before: Option<NotificationId>,
    /// At most so many.
    pub limit: u32,
}

/// Which notifications a page of the history shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Which {
    /// All of them.
    #[default]
    All,
    /// Those of which some attempt did not succeed.
    Troubled,
}

/// Notifications, newest first.
pub async fn history(app: &App, page: History) -> Result<Vec<Notification>> {
    let before = page.before.map_or(i64::MAX, NotificationId::get);
    app.read("notification_history", move |tx| -> Result<_> {
        Ok(match page.which {
            Which::All => store::notifications::list_newest(tx, before, page.limit)?,
            Which::Troubled => store::notifications::list_newest_troubled(tx, before, page.limit)?,
        })
    })
    .await
}

/// The notifications of an order, oldest first.
pub async fn of_order(app: &App, order: OrderId) -> Result<Vec<Notification>> {
    app.read("order_notifications", move |tx| Ok(store::notifications::list_of_order(tx, order)?)).await
}

/// One notification with its words and its failed attempts.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NotificationView {
    /// The notification.
    #[serde(flatten)]
    pub notification: Notification,
    /// Its words as plain text, once rendered.
    pub text: Option<String>,
    /// Its words as HTML, once rendered.
    pub html: Option<String>,
    /// The attempts that did not succeed, oldest first.
    pub failures: Vec<FailureRow>,
}

/// One notification with all that is known of it.
pub async fn view(app: &App, id: NotificationId) -> Result<NotificationView> {
    let read = move |tx: &mut Tx<'_>| -> Result<_> {
        let notification = store::notifications::get(tx, id)?;
        let failures = store::notifications::list_failures(tx, id)?;
        Ok((notification, store::notifications::find_body(tx, id)?, failures))
    };
    let (notification, body, failures) = app.read("view_notification", read).await?;
    let unreadable =
        |source| Error::File { action: "read", path: format!("the words of notification {id}"), source };
    let (text, html) = body.map(|body| packing::unpack(&body)).transpose().map_err(unreadable)?.unzip();
    Ok(NotificationView { notification, text, html, failures })
}

/// How well a channel does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SuccessRate {
    /// The channel.
    pub channel: Channel,
    /// Handed over.
    pub sent: i64,
    /// Given up.
    pub failed: i64,
    /// Nobody knows.
    pub unknown: i64,
    /// The share that was handed over, of those that have ended; none where none has.
    pub rate: Option<f64>,
}

/// How many of the newest notifications count in a success rate: enough to be steady, few enough to be counted fast
/// however many there are.
pub const RATED: u32 = 2_000;

/// How well each channel did with the newest notifications, by channel. What was skipped does not count.
pub async fn success_rate(app: &App) -> Result<Vec<SuccessRate>> {
    let count = |tx: &mut Tx<'_>| -> Result<_> { Ok(store::notifications::count_newest(tx, RATED)?) };
    let mut rates: Vec<SuccessRate> = Vec::new();
    for (channel, status, count) in app.read("notification_success", count).await? {
        if rates.last().is_none_or(|rate| rate.channel != channel) {
            rates.push(SuccessRate { channel, sent: 0, failed: 0, unknown: 0, rate: None });
        }
        let Some(rate) = rates.last_mut() else { continue };
        match status {
            NotificationStatus::Sent => rate.sent += count,
            NotificationStatus::Failed => rate.failed += count,
            NotificationStatus::Unknown => rate.unknown += count,
            NotificationStatus::Queued | NotificationStatus::Sending | NotificationStatus::Skipped => {}
        }
    }
    for rate in &mut rates {
        let ended = rate.sent + rate.failed + rate.unknown;
        rate.rate = (ended > 0).then(|| rate.sent as f64 / ended as f64);
    }
    Ok(rates)
}
