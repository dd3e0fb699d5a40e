use domain::{NotificationId, NotificationStatus};
use serde_json::{Value, json};
use sql::Tx;
use store::notifications::{NewNotification, Notification};

use crate::access::record_in;
use crate::idempotency::{self, Answer, Keyed};
use crate::jobs::sending;
use crate::{Actor, App, Error, Result};

/// Tells the same once more: a notification of its own, with a cause of its own, to the same recipient over the same
/// channel. The first one stays as it is.
pub async fn resend(app: &App, who: &Actor, id: NotificationId) -> Result<Notification> {
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("resend_notification", move |tx| resend_in(&inner, tx, &who, id)).await
}

/// Tells the same once more, once, however often the request comes; the answer is the notification as JSON.
pub async fn resend_once(
    app: &App,
    who: &Actor,
    id: NotificationId,
    keyed: Option<Keyed>,
) -> Result<Answer<Value>> {
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("resend_notification", move |tx| {
        idempotency::once(&inner, tx, keyed.as_ref(), |tx| {
            let repeated = resend_in(&inner, tx, &who, id)?;
            serde_json::to_value(&repeated).map_err(|error| Error::Internal(error.to_string()))
        })
    })
    .await
}

fn resend_in(app: &App, tx: &mut Tx<'_>, who: &Actor, id: NotificationId) -> Result<Notification> {
    let first = store::notifications::get(tx, id)?;
    check(app, &first)?;
    let repeated = NotificationId::from_ledger(tx.next_ids("notifications", 1)?.start);
    let new = NewNotification {
        id: repeated,
        order: first.order,
        kind: first.kind,
        // Versions of orders are above zero, so nothing else can have this cause.
        cause: -repeated.get(),
        channel: first.channel,
        recipient: &first.recipient,
        status: NotificationStatus::Queued,
        error: None,
        resend_of: Some(first.resend_of.unwrap_or(first.id)),
    };
    store::notifications::insert(tx, &[new], app.now())?;
    app.push_in(tx, vec![sending(first.channel, repeated)])?;
    let (subject, after) = (format!("notification {id}"), json!({ "resend": repeated }));
    record_in(app, tx, who, "notification_resent", &subject, (None, Some(after)))?;
    Ok(store::notifications::get(tx, repeated)?)
}

fn check(app: &App, first: &Notification) -> Result<()> {
    let Notification { id, channel, .. } = first;
    if first.recipient.is_empty() {
        return Err(Error::Invalid(format!(
            "notification {id} has no recipient: no e-mail address of the customer was known"
        )));
    }
    if !first.status.is_final() {
        return Err(Error::Invalid(format!(
            "notification {id} is still on its way; it can be sent once more when it has ended"
        )));
    }
    if app.notifier().mailer(*channel).is_none() {
        return Err(Error::Invalid(format!(
            "notification {id} went over `{channel}`, which is switched off; add it to [notifications] channels first"
        )));
    }
    Ok(())
}
