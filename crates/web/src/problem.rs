//! What the servers answer besides results: problem details after RFC 9457.

use std::time::Duration;

use app::gateways::GatewayError;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use domain::Role;

pub(crate) use details::Problem;
pub use details::Violation;
pub(crate) use kinds::Kind;

mod details;
pub(crate) mod kinds;

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

/// Seconds after which a request that met a passing fault may be sent again.
const RETRY_AFTER: u64 = 1;

impl ApiError {
    /// One thing that is wrong with what was asked, and where: a JSON pointer, or a parameter behind a `?`.
    pub(crate) fn wrong(pointer: impl Into<String>, detail: impl ToString) -> Self {
        ApiError::Invalid(vec![Violation { pointer: pointer.into(), detail: detail.to_string() }])
    }

    /// The problem type.
    fn kind(&self) -> Kind {
        match self {
            ApiError::NoSuchAddress(_) | ApiError::Missing { .. } => kinds::NOT_FOUND,
            ApiError::MethodNotAllowed(_) => kinds::METHOD_NOT_ALLOWED,
            ApiError::BadForm(_) => kinds::BAD_FORM,
            ApiError::NoForm | ApiError::NoPlainForm | ApiError::UnsupportedMediaType => {
                kinds::UNSUPPORTED_MEDIA_TYPE
            }
            ApiError::TooLarge { .. } => kinds::BODY_TOO_LARGE,
            ApiError::TooSlow { .. } | ApiError::Dripping { .. } => kinds::BODY_TOO_SLOW,
            ApiError::BrokenOff => kinds::BODY_BROKEN_OFF,
            ApiError::Malformed(_) => kinds::MALFORMED_JSON,
            ApiError::Unfit(_) => kinds::UNFIT_BODY,
            ApiError::Invalid(_) => kinds::INVALID_REQUEST,
            ApiError::Unauthenticated(_) => kinds::UNAUTHENTICATED,
            ApiError::Forbidden { .. } => kinds::FORBIDDEN,
            ApiError::CrossOrigin => kinds::CROSS_ORIGIN,
            ApiError::NoPageOfOurs => kinds::CSRF_TOKEN,
            ApiError::BadVersion => kinds::BAD_VERSION,
            ApiError::BadKey(_) => kinds::BAD_IDEMPOTENCY_KEY,
            ApiError::NotGenuine(_) => kinds::WEBHOOK_NOT_GENUINE,
            ApiError::UnreadableEvent(_) => kinds::WEBHOOK_UNREADABLE,
            ApiError::TooManyForgeries | ApiError::TooManyRequests { .. } => kinds::TOO_MANY_REQUESTS,
            ApiError::TooManyListeners { .. } => kinds::TOO_MANY_LISTENERS,
            ApiError::App(_) | ApiError::Gateway(_) if self.may_pass() => kinds::UNAVAILABLE,
            ApiError::App(error) if error.is_disk_full() => kinds::DISK_FULL,
            ApiError::App(error) if error.is_internal() => kinds::INTERNAL,
            ApiError::App(error) => of_use_case(error),
            ApiError::Gateway(_) | ApiError::Panicked(_) => kinds::INTERNAL,
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

    fn headers(&self, kind: Kind) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let problem = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, problem);
        if kind.asks_again() {
            headers.insert(header::RETRY_AFTER, self.retry_after().into());
        }
        // RFC 9110 wants a challenge with every 401.
        if kind.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(self.challenge()));
        }
        headers
    }
}

/// What a use case answers besides its result is the caller's to mend, or else ours.
fn of_use_case(error: &app::Error) -> Kind {
    use app::Error as App;
    match error {
        App::Ledger(store::Error::Missing { .. }) => kinds::NOT_FOUND,
        App::Refused(_) | App::WrongState(_) => kinds::REFUSED,
        App::RefundRefused(_) => kinds::REFUND_REFUSED,
        App::TooLarge { .. } => kinds::BODY_TOO_LARGE,
        App::Ledger(store::Error::TooBroad(_)) => kinds::TOO_BROAD,
        App::Moved { .. } | App::ProductChanged { .. } => kinds::MOVED_ON,
        App::Exists { .. } => kinds::EXISTS,
        App::KeyReused { .. } | App::KeyTaken { .. } => kinds::KEY_REUSED,
        App::Invalid(_)
        | App::Import(_)
        | App::Fetch { .. }
        | App::Analytics(analytics::Error::Span { .. }) => kinds::INVALID_REQUEST,
        _ => kinds::INTERNAL,
    }
}

/// Whole seconds, none of them too few.
pub(crate) fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

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
        assert_eq!(kept.kind().status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!kept.detail(kept.kind().status).contains("secret"));
        let lasting = ApiError::from(GatewayError::lasting("/secret/path"));
        assert_eq!(lasting.kind().status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!lasting.detail(lasting.kind().status).contains("secret"));
        assert_eq!(status(app::Error::from(sql::Error::Missing)), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
