//! What an answer that is a problem says, to programs and to people.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::{ApiError, Kind, kinds};

/// One thing that is wrong with a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Violation {
    /// Where, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What, in a sentence that a person can act on.
    pub detail: String,
}

/// Why a request got no result (RFC 9457).
#[derive(Serialize, JsonSchema)]
pub(crate) struct Problem {
    /// The kind of problem; it never changes.
    r#type: String,
    /// The kind in words.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What is wrong this time, in a sentence that a person can act on.
    detail: String,
    /// Each thing that is wrong with a body or a parameter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Violation>,
    /// Where the order stands whose state does not allow what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<Standing>,
}

/// Where an order stands that something was refused for, and what can be done to it instead.
#[derive(Serialize, JsonSchema)]
struct Standing {
    /// The order as a whole.
    status: domain::OrderStatus,
    /// Its money.
    payment: domain::PaymentStatus,
    /// Its goods.
    fulfilment: domain::FulfilmentStatus,
    /// What can be done to it.
    allowed: Vec<&'static str>,
}

impl Problem {
    /// What a problem of this kind looks like.
    pub(crate) fn example(kind: Kind) -> Self {
        let violation = |pointer: &str, detail: &str| Violation {
            pointer: pointer.to_owned(),
            detail: detail.to_owned(),
        };
        let errors = match kind {
            kinds::UNFIT_BODY => vec![violation("/lines/0/quantity", "a quantity is from 1 to 1000000")],
            kinds::INVALID_REQUEST => vec![violation("?limit", "a page has 1 to 200 entries, not 500")],
            _ => Vec::new(),
        };
        let current = (kind == kinds::REFUSED).then(|| Standing {
            status: domain::OrderStatus::Completed,
            payment: domain::PaymentStatus::Paid,
            fulfilment: domain::FulfilmentStatus::Delivered,
            allowed: Vec::new(),
        });
        let Kind { status, title, example, .. } = kind;
        let detail = example.to_owned();
        Problem { r#type: kind.urn(), title, status: status.as_u16(), detail, errors, current }
    }
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

impl ApiError {
    /// What whoever filled in a form reads of it, and the status of the page that says so.
    pub(crate) fn told(self) -> (StatusCode, String) {
        let (kind, Problem { detail, errors, .. }) = self.problem();
        let told = |Violation { pointer, detail }: Violation| match pointer.trim_start_matches('/') {
            "" => detail,
            field => format!("{}: {detail}", field.replace('_', " ")),
        };
        let errors: Vec<String> = errors.into_iter().map(told).collect();
        (kind.status, if errors.is_empty() { detail } else { errors.join("; ") })
    }

    /// What whoever filled in a form can mend there, in words; everything else stays an error.
    pub(crate) fn mendable(self) -> Result<String, Self> {
        let status = self.kind().status;
        let is_mendable = status.is_client_error() && status != StatusCode::NOT_FOUND;
        if is_mendable { Ok(self.told().1) } else { Err(self) }
    }

    fn problem(self) -> (Kind, Problem) {
        let kind = self.kind();
        let status = kind.status;
        if status.is_server_error() {
            tracing::error!(error = queue::with_causes(&self), kind = kind.word, "a request failed");
        }
        let detail = self.detail(status);
        let current = Standing::of(&self);
        let errors = match self {
            ApiError::Invalid(errors) => errors,
            ApiError::Unfit(error) => vec![error],
            _ => Vec::new(),
        };
        let (r#type, title) = (kind.urn(), kind.title);
        (kind, Problem { r#type, title, status: status.as_u16(), detail, errors, current })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let headers = self.headers(self.kind());
        let (kind, problem) = self.problem();
        (kind.status, headers, Json(problem)).into_response()
    }
}
