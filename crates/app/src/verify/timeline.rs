use std::collections::HashMap;

use domain::{Channel, EventKind, NotificationKind};
use store::audit::{AuditedEvent, Slice};
use store::events::state_code;

use super::findings::{Findings, Rule, Thing};
use super::parts::Parts;

/// The hours in which notifications were recorded, with a bit for each channel.
///
/// Which channels are on is a setting, and a shop may change it. So an event without its notification is a breach only
/// where the ledger itself shows, by another order of the same range, that the channel was on in that hour.
#[derive(Debug, Clone, Default)]
pub(super) struct Hours(HashMap<i64, u8>);

impl Hours {
    /// The hours of a slice.
    pub(super) fn of(slice: &Slice) -> Self {
        let mut hours = Hours::default();
        for notification in &slice.notifications {
            let key = (notification.order, notification.cause);
            let event = slice.events.binary_search_by_key(&key, |event| (event.order, event.version));
            if let Ok(index) = event {
                *hours.0.entry(hour(&slice.events[index])).or_default() |= bit(notification.channel);
            }
        }
        hours
    }

    fn was_on(&self, channel: Channel, event: &AuditedEvent) -> bool {
        self.0.get(&hour(event)).is_some_and(|channels| channels & bit(channel) != 0)
    }
}

fn hour(event: &AuditedEvent) -> i64 {
    event.at.as_second().div_euclid(3600)
}

const fn bit(channel: Channel) -> u8 {
    match channel {
        Channel::Log => 1,
        Channel::Smtp => 2,
        Channel::Webhook => 4,
    }
}

/// Rule 5: one event for each version, each beginning where the last one ended, and one notification for each cause,
/// recipient and channel.
pub(super) fn check(order: &Parts<'_>, hours: &Hours, found: &mut Findings) {
    found.checked(Rule::Timeline, 1);
    check_events(order, found);
    check_notifications(order, found);
    if order.head.notify {
        check_told(order, hours, found);
    }
}

fn check_events(order: &Parts<'_>, found: &mut Findings) {
    let (head, thing) = (order.head, Thing::Order(order.head.id));
    found.same(Rule::Timeline, thing, "events", head.version, order.events.len() as i64);
    let mut state = None;
    for (event, version) in order.events.iter().zip(1..) {
        let thing = Thing::Event(event.order, event.version);
        if event.version != version {
            found.breach(Rule::Timeline, thing, "version", version, event.version);
            return;
        }
        if event.before != state {
            found.breach(Rule::Timeline, thing, "state before", Code(state), Code(event.before));
        }
        state = Some(event.after);
    }
    let stands = Some(state_code(&head.state));
    if state != stands {
        found.breach(Rule::Timeline, thing, "state after the last event", Code(stands), Code(state));
    }
}

fn check_notifications(order: &Parts<'_>, found: &mut Findings) {
    let thing = Thing::Order(order.head.id);
    for notification in order.notifications {
        let kind = notification.kind;
        if notification.repeated {
            let cause = notification.cause;
            let twice = format_args!("{kind} of event {cause} twice");
            found.breach(Rule::Timeline, thing, "notifications", "one a cause, recipient and channel", twice);
        }
        // A resend is a cause of its own, below zero.
        if notification.cause < 0 {
            continue;
        }
        let event = order.events.iter().find(|event| event.version == notification.cause);
        let told = event.and_then(|event| told_by(event.kind));
        if told != Some(kind) || !order.head.notify {
            let cause = notification.cause;
            let tells = format_args!("{kind} of event {cause}, which asks for none");
            found.breach(Rule::Timeline, thing, "a notification", "of an event that asks for it", tells);
        }
    }
}

/// Every event that asks for a notification has it.
fn check_told(order: &Parts<'_>, hours: &Hours, found: &mut Findings) {
    for event in order.events {
        let Some(kind) = told_by(event.kind) else { continue };
        for channel in Channel::ALL.iter().copied().filter(|channel| hours.was_on(*channel, event)) {
            let told = order
                .notifications
                .iter()
                .any(|told| (told.kind, told.cause, told.channel) == (kind, event.version, channel));
            if !told {
                let thing = Thing::Event(event.order, event.version);
                let expected = format_args!("{kind} by {channel}");
                found.breach(Rule::Timeline, thing, "its notification", expected, "none");
            }
        }
    }
}

/// The notification that an event comes with.
const fn told_by(event: EventKind) -> Option<NotificationKind> {
    match event {
        EventKind::OrderConfirmed => Some(NotificationKind::Confirmation),
        EventKind::OutOfStock => Some(NotificationKind::OutOfStock),
        EventKind::PaymentDeclined => Some(NotificationKind::PaymentFailed),
        EventKind::ReservationExpired => Some(NotificationKind::Expired),
        EventKind::OrderCancelled => Some(NotificationKind::Cancelled),
        EventKind::OrderPartiallyShipped | EventKind::OrderShipped => Some(NotificationKind::Shipped),
        EventKind::OrderDelivered => Some(NotificationKind::Delivered),
        EventKind::RefundSucceeded => Some(NotificationKind::Refunded),
        EventKind::OrderPlaced
        | EventKind::OrderReserved
        | EventKind::PaymentPending
        | EventKind::PaymentAttemptDeclined
        | EventKind::RefundRequested
        | EventKind::RefundFailed
        | EventKind::LateCaptureRefunded
        | EventKind::CaptureMismatch => None,
    }
}

/// A [`state_code`] in words.
struct Code(Option<i64>);

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(code) = self.0 else { return f.write_str("none") };
        let status = domain::OrderStatus::from_code(code / 100);
        let payment = domain::PaymentStatus::from_code(code / 10 % 10);
        let fulfilment = domain::FulfilmentStatus::from_code(code % 10);
        match (status, payment, fulfilment) {
            (Some(status), Some(payment), Some(fulfilment)) => write!(f, "{status}, {payment}, {fulfilment}"),
            _ => write!(f, "{code}"),
        }
    }
}
