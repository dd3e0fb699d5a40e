use domain::{Money, NotificationKind};
use serde_json::json;
use store::notifications::Matter;

use crate::notifications::input::event_data;

/// The type of a call and its body. Told from what is recorded of the event, so that a repetition tells the same; whoever the
/// customer is, the receiver asks for.
pub(in crate::notifications) fn written(matter: &Matter) -> (String, String) {
    let kind = format!("order.{}", name(matter.kind));
    let total = Money::new(matter.totals.total, matter.currency);
    let body = json!({
        "type": kind,
        "timestamp": matter.event_at,
        "data": {
            "order": {
                "id": matter.order,
                "source": matter.source,
                "external_id": matter.order_number,
                "placed_at": matter.placed_at,
                "total": total,
                "units": matter.units,
            },
            "event": { "kind": matter.event.as_str(), "version": matter.version, "data": event_data(matter) },
            "notification": matter.id,
        },
    });
    (kind, body.to_string())
}

/// What happened to the order.
fn name(kind: NotificationKind) -> &'static str {
    match kind {
        NotificationKind::Confirmation => "confirmed",
        other => other.as_str(),
    }
}
