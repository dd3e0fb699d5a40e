//! Forms that are done once, however often a browser sends them.

use app::access::sessions::Session;
use app::idempotency::Keyed;
use domain::IdempotencyKey;

/// A key that no form had before.
pub(super) fn fresh_key() -> String {
    format!("form-{:032x}", rand::random::<u128>())
}

/// What names the form that was sent to `address` with these fields.
pub(super) fn keyed(session: &Session, key: IdempotencyKey, address: &str, fields: &[&str]) -> Keyed {
    // No field holds what parts it from the next: they are texts on one line.
    Keyed::new(&session.caller.actor, key, &format!("POST {address}"), fields.join("\n").as_bytes())
}
