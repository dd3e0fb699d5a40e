//! The types of problems. A type's word never changes.

use axum::http::StatusCode;

/// A type of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    pub(crate) status: StatusCode,
    pub(crate) word: &'static str,
    pub(crate) title: &'static str,
    /// What a `detail` of it may say.
    pub(crate) example: &'static str,
}

impl Kind {
    /// What `type` says of it.
    pub(crate) fn urn(self) -> String {
        format!("urn:ordermill:problem:{}", self.word)
    }

    /// Whether an answer of this kind says when to ask again.
    pub(crate) fn asks_again(self) -> bool {
        matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)
    }
}

macro_rules! kinds {
    ($($name:ident = $status:ident, $word:literal, $title:literal, $example:literal;)+) => {
        $(pub(crate) const $name: Kind =
            Kind { status: StatusCode::$status, word: $word, title: $title, example: $example };)+

        /// All of them.
        pub(crate) const ALL: &[Kind] = &[$($name),+];
    };
}

kinds! {
    BAD_FORM = BAD_REQUEST, "bad-form", "Bad form",
        "the form cannot be read: Error parsing `multipart/form-data` request";
    BAD_IDEMPOTENCY_KEY = BAD_REQUEST, "bad-idempotency-key", "Bad Idempotency-Key",
        "the header `Idempotency-Key` is missing; take a fresh one for each request that is not a repetition";
    BAD_VERSION = BAD_REQUEST, "bad-version", "Bad If-Match",
        "the header `If-Match` names no version; take the `ETag` of the order, such as \"7\"";
    BODY_BROKEN_OFF = BAD_REQUEST, "body-broken-off", "Body broken off",
        "the body broke off; send the request again";
    BODY_TOO_LARGE = PAYLOAD_TOO_LARGE, "body-too-large", "Body too large",
        "the body is larger than 262144 bytes, the most this address takes";
    BODY_TOO_SLOW = REQUEST_TIMEOUT, "body-too-slow", "Body too slow",
        "the body did not arrive within 20 s; send the request again";
    CROSS_ORIGIN = FORBIDDEN, "cross-origin", "From another site",
        "another site made the browser send this";
    CSRF_TOKEN = FORBIDDEN, "csrf-token", "No CSRF token of the session",
        "what is done with a session brings the token of that session: the header `x-csrf-token`";
    DISK_FULL = INSUFFICIENT_STORAGE, "disk-full", "Disk full",
        "there is no room for it here; the operators are told by the log";
    EXISTS = CONFLICT, "exists", "There already",
        "there is a user ann@example.org already";
    FORBIDDEN = FORBIDDEN, "forbidden", "Forbidden",
        "this needs the role operator; your token has the role viewer";
    INTERNAL = INTERNAL_SERVER_ERROR, "internal", "Internal error",
        "something failed on our side; the log tells more under this answer's `x-request-id`";
    INVALID_REQUEST = UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request",
        "the request contradicts itself or the rules; see `errors`";
    KEY_REUSED = UNPROCESSABLE_ENTITY, "key-reused", "Key of another request",
        "the key `cart-77` was used for another request; take a fresh one";
    MALFORMED_JSON = BAD_REQUEST, "malformed-json", "Malformed JSON",
        "the body is not JSON: expected value at line 1 column 1";
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed",
        "PUT is not a method of this address; its `Allow` header lists those that are";
    MOVED_ON = PRECONDITION_FAILED, "moved-on", "Moved on",
        "order 4711 is at version 8, not at 7; look at it again";
    NOT_FOUND = NOT_FOUND, "not-found", "Not found",
        "there is no order 4711";
    REFUND_REFUSED = CONFLICT, "refund-refused", "The refund is not possible",
        "no more than 1999 EUR is left to refund";
    REFUSED = CONFLICT, "refused", "The state does not allow it",
        "the order cannot be shipped: it is completed";
    TOO_BROAD = UNPROCESSABLE_ENTITY, "too-broad", "Too much to look at",
        "this would look at too many orders; name a customer, an import or days";
    TOO_MANY_LISTENERS = SERVICE_UNAVAILABLE, "too-many-listeners", "Too many listeners",
        "1000 clients listen already, the most that `[web] events_clients` allows; come back later";
    TOO_MANY_REQUESTS = TOO_MANY_REQUESTS, "too-many-requests", "Too many requests",
        "too many deliveries failed their signature within this second; this one was not looked into";
    UNAUTHENTICATED = UNAUTHORIZED, "unauthenticated", "Unauthenticated",
        "the request is not answered: it brings no token; make a token by `ordermill token create`";
    UNAVAILABLE = SERVICE_UNAVAILABLE, "unavailable", "Unavailable",
        "the ledger cannot take this now; send the same request again";
    UNFIT_BODY = UNPROCESSABLE_ENTITY, "unfit-body", "Body of another form",
        "the body has not the form that is expected; see `errors`";
    UNSUPPORTED_MEDIA_TYPE = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type",
        "the body must be JSON and say so: `content-type: application/json`";
    WEBHOOK_NOT_GENUINE = UNAUTHORIZED, "webhook-not-genuine", "Not genuine",
        "the delivery is not taken for genuine: its signature is of no live secret";
    WEBHOOK_UNREADABLE = BAD_REQUEST, "webhook-unreadable", "Unreadable event",
        "the delivery is genuine, but its type is unknown";
}
