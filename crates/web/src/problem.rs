//! What the servers answer besides results: problem details after RFC 9457.

use std::time::Duration;

use app::gateways::GatewayError;
use axum::Json;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Role;
use serde::Serialize;

/// Why a request got no result. Each variant has one status and one stable problem type.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// No such address.
    #[error("there is nothing at {0}")]
    NoSuchAddress(String),
    /// No such thing at a good address.
    #[error("there is no {what} {name}")]
    Missing {
        /// The kind of thing.
        what: &'static str,
        /// How it was named.
        name: String,
    },
    /// The address takes other methods.
    #[error("{0} is not a method of this address; its `Allow` header lists those that are")]
    MethodNotAllowed(Method),
    /// The body is not declared as JSON.
    #[error("the body must be JSON and say so: `content-type: application/json`")]
    UnsupportedMediaType,
    /// The body is larger than the address takes.
    #[error("the body is larger than {limit} bytes, the most this address takes")]
    TooLarge {
        /// Bytes.
        limit: usize,
    },
    /// The body came too slowly.
    #[error("the body did not arrive within {seconds} s; send the request again")]
    TooSlow {
        /// How long it may take.
        seconds: u64,
    },
    /// The body comes, but hardly.
    #[error("the body came with less than {least} bytes a minute; send it again over a faster connection")]
    Dripping {
        /// The fewest bytes a minute.
        least: usize,
    },
    /// The connection failed within the body.
    #[error("the body broke off; send the request again")]
    BrokenOff,
    /// The body is no JSON.
    #[error("the body is not JSON: {0}")]
    Malformed(serde_json::Error),
    /// The body neither is a file nor names one.
    #[error(
        "the body must be a form with a file, or JSON that names one, and say so: `content-type: multipart/form-data` or \
         `application/json`"
    )]
    NoForm,
    /// The body is no form without files.
    #[error("the body must be a form and say so: `content-type: application/x-www-form-urlencoded`")]
    NoPlainForm,
    /// The body is a form that cannot be read.
    #[error("the form cannot be read: {0}")]
    BadForm(String),
    /// The body is JSON of another form.
    #[error("the body has not the form that is expected; see `errors`")]
    Unfit(Violation),
    /// The body has the form, but not the content.
    #[error("the request contradicts itself or the rules; see `errors`")]
    Invalid(Vec<Violation>),
    /// Nobody knows who speaks.
    #[error("the request is not answered: {0}; sign in, or make a token by `ordermill token create`")]
    Unauthenticated(&'static str),
    /// Who speaks may not.
    #[error("this needs the role {needed}; you have the role {role}")]
    Forbidden {
        /// What is needed at least.
        needed: Role,
        /// What the caller is.
        role: Role,
    },
    /// A page of somebody else's made a browser send it.
    #[error(
        "another site made the browser send this. If it was this one, behind a proxy, tell its address: \
         `[web] public_url`"
    )]
    CrossOrigin,
    /// A session's request does not show that it comes from a page of ours.
    #[error(
        "what is done with a session brings the token of that session: the header `x-csrf-token` with `csrf_token` of \
         `GET /api/session`, or the field `csrf_token` of a form"
    )]
    NoPageOfOurs,
    /// More requests than a caller may send.
    #[error("you have sent too many requests; send this one again in {} s", seconds(*after))]
    TooManyRequests {
        /// How long to wait.
        after: Duration,
    },
    /// The key that makes a repeated request the same request.
    #[error("the header `Idempotency-Key` {0}")]
    BadKey(String),
    /// The version that the order must be at.
    #[error("the header `If-Match` names no version; take the `ETag` as it was answered, such as \"7\"")]
    BadVersion,
    /// A webhook that no live secret signed in time.
    #[error("the delivery is not taken for genuine: {0}")]
    NotGenuine(String),
    /// A webhook that is genuine, but cannot be read.
    #[error("the delivery is genuine, but {0}")]
    UnreadableEvent(String),
    /// More forged webhooks than are worth a row each.
    #[error("too many deliveries failed their signature within this second; this one was not looked into")]
    TooManyForgeries,
    /// As many listen as may.
    #[error("{most} clients listen already, the most that `[web] events_clients` allows; come back later")]
    TooManyListeners {
        /// Clients.
        most: usize,
    },
    /// A use case failed.
    #[error(transparent)]
    App(#[from] app::Error),
    /// The simulated gateway failed.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// A defect of ours.
    #[error("a handler panicked: {0}")]
    Panicked(String),
}

/// One thing that is wrong with a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Where, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What, in a sentence that a person can act on.
    pub detail: String,
}

/// The body of an error.
#[derive(Serialize)]
struct Problem {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Violation>,
    #[serde(flatten)]
    standing: Option<CurrentState>,
}

#[derive(Serialize)]
struct CurrentState {
    current: Standing,
}

/// Seconds after which a request that met a passing fault may be sent again.
const RETRY_AFTER: u64 = 1;

impl ApiError {
    /// The status, and the words of the problem type. A type's word never changes.
    fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            ApiError::NoSuchAddress(_) | ApiError::Missing { .. } => {
                (StatusCode::NOT_FOUND, "not-found", "Not found")
            }
            ApiError::MethodNotAllowed(_) => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
            }
            ApiError::BadForm(_) => (StatusCode::BAD_REQUEST, "bad-form", "Bad form"),
            ApiError::NoForm | ApiError::NoPlainForm | ApiError::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type")
            }
            ApiError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "Body too large"),
            ApiError::TooSlow { .. } | ApiError::Dripping { .. } => {
                (StatusCode::REQUEST_TIMEOUT, "body-too-slow", "Body too slow")
            }
            ApiError::BrokenOff => (StatusCode::BAD_REQUEST, "body-broken-off", "Body broken off"),
            ApiError::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed-json", "Malformed JSON"),
            ApiError::Unfit(_) => (StatusCode::UNPROCESSABLE_ENTITY, "unfit-body", "Body of another form"),
            ApiError::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request"),
            ApiError::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "unauthenticated", "Unauthenticated"),
            ApiError::Forbidden { .. } => (StatusCode::FORBIDDEN, "forbidden", "Forbidden"),
            ApiError::CrossOrigin => (StatusCode::FORBIDDEN, "cross-origin", "From another site"),
            ApiError::NoPageOfOurs => (StatusCode::FORBIDDEN, "csrf-token", "No CSRF token of the session"),
            ApiError::BadVersion => (StatusCode::BAD_REQUEST, "bad-version", "Bad If-Match"),
            ApiError::BadKey(_) => (StatusCode::BAD_REQUEST, "bad-idempotency-key", "Bad Idempotency-Key"),
            ApiError::NotGenuine(_) => (StatusCode::UNAUTHORIZED, "webhook-not-genuine", "Not genuine"),
            ApiError::UnreadableEvent(_) => {
                (StatusCode::BAD_REQUEST, "webhook-unreadable", "Unreadable event")
            }
            ApiError::TooManyForgeries | ApiError::TooManyRequests { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests")
            }
            ApiError::TooManyListeners { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "too-many-listeners", "Too many listeners")
            }
            ApiError::App(_) | ApiError::Gateway(_) if self.may_pass() => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Unavailable")
            }
            ApiError::App(error) if error.is_disk_full() => {
                (StatusCode::INSUFFICIENT_STORAGE, "disk-full", "Disk full")
            }
            ApiError::App(error) if error.is_internal() => INTERNAL,
            ApiError::App(error) => of_use_case(error),
            ApiError::Gateway(_) | ApiError::Panicked(_) => INTERNAL,
        }
    }

    /// Whether the same request may succeed later, without anybody changing it.
    fn may_pass(&self) -> bool {
        use sql::Error as Sql;
        match self {
            ApiError::App(app::Error::Ledger(store::Error::Database(
                Sql::Full | Sql::Storage { .. } | Sql::Damaged { .. } | Sql::Unavailable { .. } | Sql::Closed,
            ))) => true,
            ApiError::App(error) => error.is_passing(),
            ApiError::Gateway(error) => error.is_passing(),
            _ => false,
        }
    }

    /// What a stranger may read: of a fault of ours, not its inside.
    fn detail(&self, status: StatusCode) -> String {
        match status {
            // It names no more than a setting.
            StatusCode::SERVICE_UNAVAILABLE if matches!(self, ApiError::App(app::Error::Fetch { .. })) => {
                self.to_string()
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                "the ledger cannot take this now; send the same request again".to_owned()
            }
            StatusCode::INSUFFICIENT_STORAGE => {
                "there is no room for it here; the operators are told by the log".to_owned()
            }
            StatusCode::INTERNAL_SERVER_ERROR => {
                "something failed on our side; the log tells more under this answer's `x-request-id`"
                    .to_owned()
            }
            _ => self.to_string(),
        }
    }

    /// How to show who speaks.
    fn challenge(&self) -> &'static str {
        match self {
            ApiError::NotGenuine(_) => "WebhookSignature",
            _ => "Bearer",
        }
    }

    /// Seconds after which the same request may be sent again.
    fn retry_after(&self) -> u64 {
        match self {
            ApiError::TooManyRequests { after } => seconds(*after),
            _ => RETRY_AFTER,
        }
    }

    fn headers(&self, status: StatusCode) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let problem = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, problem);
        match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, self.retry_after().into());
            }
            // RFC 9110 wants a challenge with every 401.
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(self.challenge()));
            }
            _ => {}
        }
        headers
    }
}

const INTERNAL: (StatusCode, &str, &str) = (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error");

/// What a use case answers besides its result is the caller's to mend, or else ours.
fn of_use_case(error: &app::Error) -> (StatusCode, &'static str, &'static str) {
    use app::Error as App;
    match error {
        App::Ledger(store::Error::Missing { .. }) => (StatusCode::NOT_FOUND, "not-found", "Not found"),
        App::Refused(_) | App::WrongState(_) => {
            (StatusCode::CONFLICT, "refused", "The state does not allow it")
        }
        App::RefundRefused(_) => (StatusCode::CONFLICT, "refund-refused", "The refund is not possible"),
        App::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "Body too large"),
        App::Ledger(store::Error::TooBroad(_)) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "too-broad", "Too much to look at")
        }
        App::ProductChanged { .. } => (StatusCode::PRECONDITION_FAILED, "moved-on", "Moved on"),
        App::Moved { .. } => (StatusCode::PRECONDITION_FAILED, "moved-on", "Moved on"),
        App::Exists { .. } => (StatusCode::CONFLICT, "exists", "There already"),
        App::KeyReused { .. } | App::KeyTaken { .. } => {
            (StatusCode::UNPROCESSABLE_ENTITY, "key-reused", "Key of another request")
        }
        App::Invalid(_)
        | App::Import(_)
        | App::Fetch { .. }
        | App::Analytics(analytics::Error::Span { .. }) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request")
        }
        _ => INTERNAL,
    }
}

/// Where an order stands that something was refused for, and what can be done to it instead.
#[derive(Serialize)]
struct Standing {
    status: domain::OrderStatus,
    payment: domain::PaymentStatus,
    fulfilment: domain::FulfilmentStatus,
    allowed: Vec<&'static str>,
}

impl Standing {
    fn of(error: &ApiError) -> Option<Self> {
        let ApiError::App(app::Error::Refused(refused)) = error else { return None };
        let manual = refused.allowed.iter().filter(|kind| kind.is_manual());
        Some(Standing {
            status: refused.status,
            payment: refused.payment,
            fulfilment: refused.fulfilment,
            allowed: manual.map(|kind| kind.words()).collect(),
        })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, kind, title) = self.kind();
        if status.is_server_error() {
            tracing::error!(error = with_causes(&self), kind, "a request failed");
        }
        let detail = self.detail(status);
        let standing = Standing::of(&self).map(|current| CurrentState { current });
        let headers = self.headers(status);
        let errors = match self {
            ApiError::Invalid(errors) => errors,
            ApiError::Unfit(error) => vec![error],
            _ => Vec::new(),
        };
        let r#type = format!("urn:ordermill:problem:{kind}");
        let problem = Problem { r#type, title, status: status.as_u16(), detail, errors, standing };
        (status, headers, Json(problem)).into_response()
    }
}

/// Whole seconds, none of them too few.
pub(crate) fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// An error's text, then those of its causes.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(error: impl Into<ApiError>) -> StatusCode {
        error.into().into_response().status()
    }

    #[test]
    fn a_fault_that_may_pass_asks_to_be_tried_again() {
        let busy = app::Error::from(sql::Error::Busy { waited_secs: 30 });
        let response = ApiError::from(busy).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert_eq!(status(app::Error::from(sql::Error::Full)), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(GatewayError::passing("down")), StatusCode::SERVICE_UNAVAILABLE);
        let source = std::io::ErrorKind::StorageFull.into();
        let full = app::Error::File { action: "write", path: "/secret/path".to_owned(), source };
        let response = ApiError::from(full).into_response();
        assert_eq!(response.status(), StatusCode::INSUFFICIENT_STORAGE);
    }

    #[test]
    fn a_fault_that_stays_is_ours_and_keeps_its_inside_to_itself() {
        let kept = ApiError::from(app::Error::Internal("/secret/path".to_owned()));
        assert_eq!(kept.kind().0, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!kept.detail(kept.kind().0).contains("secret"));
        let lasting = ApiError::from(GatewayError::lasting("/secret/path"));
        assert_eq!(lasting.kind().0, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!lasting.detail(lasting.kind().0).contains("secret"));
        assert_eq!(status(app::Error::from(sql::Error::Missing)), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
