//! Moving an order on: cancelled, shipped, delivered.

use app::access::Caller;
use app::idempotency::Answer;
use app::orders::{self as cases, Deed, Preview, Shipping};
use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::Label;
use schemars::JsonSchema;
use serde::Deserialize;
use store::orders::OrderRow;

use super::{LIMIT, TAG, resolve, tagged};
use crate::ApiError;
use crate::access::By;
use crate::address::Path;
use crate::body::OptionalJson;
use crate::idempotent::{Key, marked};
use crate::openapi::{Argument, Operation};
use crate::problem::kinds;
use crate::query::Query;
use crate::server::Web;

#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CancelBody {
    /// Why, for the timeline.
    reason: Option<Label>,
}

/// Whether it is done, or only told what would come of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Terms {
    /// Nothing is done; only what would come of it is told.
    #[serde(default)]
    dry_run: bool,
}

/// An order that is moved on, by whom, and under which terms.
pub(crate) struct Moving {
    web: Web,
    caller: Caller,
    name: String,
    dry_run: bool,
    version: Option<i64>,
    key: Key,
    address: String,
}

impl Argument for Moving {
    const TAKES_PARAMETERS: bool = true;

    fn describe(operation: &mut Operation<'_>) {
        Path::<String>::describe(operation);
        Query::<Terms>::describe(operation);
        Key::describe(operation);
        let description =
            "The order moves only while its version is this one: its `ETag`, such as `\"7\"`, or `*`.";
        operation
            .takes_header::<IfMatch>("If-Match", false, description)
            .refuses(&[kinds::BAD_VERSION, kinds::MOVED_ON]);
    }
}

/// What an `If-Match` may be.
#[derive(JsonSchema)]
struct IfMatch(
    #[expect(dead_code, reason = "it is its schema")]
    #[schemars(regex(pattern = r#"^(\*|"-?[0-9]{1,18}")$"#))]
    String,
);

impl FromRequestParts<Web> for Moving {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, ApiError> {
        let By(caller) = By::from_request_parts(parts, web).await?;
        let Path(name) = Path::from_request_parts(parts, web).await?;
        let Query(Terms { dry_run }) = Query::from_request_parts(parts, web).await?;
        let version = parts.headers.get(header::IF_MATCH).map(version_of).transpose()?.flatten();
        let key = Key::from_request_parts(parts, web).await?;
        let address = parts.uri.path().to_owned();
        Ok(Moving { web: web.clone(), caller, name, dry_run, version, key, address })
    }
}

/// The version that an `If-Match` names; none where any will do.
fn version_of(value: &HeaderValue) -> Result<Option<i64>, ApiError> {
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.and_then(|version| version.parse().ok()).map(Some).ok_or(ApiError::BadVersion)
}

impl Moving {
    /// Does it. `body` is what tells two requests with one key apart.
    async fn on(self, deed: Deed, body: &[u8]) -> Result<Response, ApiError> {
        let Moving { web, caller, name, dry_run, version, key, address } = self;
        let id = resolve(&web, name).await?;
        if dry_run {
            let preview = cases::preview(&web.app, &caller.actor, id, deed, version).await?;
            return Ok(Json(preview).into_response());
        }
        let keyed = key.of(&caller.actor, &format!("POST {address}"), body);
        let Answer { result, replayed } =
            cases::move_once(&web.app, &caller.actor, id, deed, version, keyed).await?;
        let version = result["version"].as_i64().unwrap_or_default();
        Ok(marked(replayed, tagged(version, StatusCode::OK, &result)))
    }
}

/// Says what moving an order on answers.
pub(crate) fn moved(operation: &mut Operation<'_>) {
    operation
        .answers::<OrderRow>(
            StatusCode::OK,
            "The order as it stands then; with `dry_run`, what would come of it.",
        )
        .answers::<Preview>(StatusCode::OK, "")
        .carries("etag", false, TAG)
        .refuses(&[kinds::REFUSED, kinds::DISK_FULL]);
}

/// `POST /api/orders/{order}/cancel`
pub(crate) async fn cancel(
    moving: Moving,
    body: OptionalJson<CancelBody, LIMIT>,
) -> Result<Response, ApiError> {
    moving.on(Deed::Cancel { reason: body.value.reason.map(String::from) }, &body.bytes).await
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ShipBody {
    /// All that can be shipped, where none is named.
    lines: Vec<UnitsBody>,
    /// Who carries it.
    carrier: Option<Label>,
    /// The carrier's number.
    tracking: Option<Label>,
}

/// Units of a line.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UnitsBody {
    /// The line's number, from 1.
    line_no: i64,
    /// How many.
    quantity: i64,
}

/// `POST /api/orders/{order}/ship`
pub(crate) async fn ship(
    moving: Moving,
    OptionalJson { value: body, bytes }: OptionalJson<ShipBody, LIMIT>,
) -> Result<Response, ApiError> {
    let shipping = Shipping {
        lines: body.lines.into_iter().map(|line| (line.line_no, line.quantity)).collect(),
        carrier: body.carrier.map(String::from),
        tracking: body.tracking.map(String::from),
    };
    moving.on(Deed::Ship(shipping), &bytes).await
}

/// `POST /api/orders/{order}/deliver`
pub(crate) async fn deliver(
    moving: Moving,
    body: OptionalJson<Nothing, LIMIT>,
) -> Result<Response, ApiError> {
    moving.on(Deed::Deliver, &body.bytes).await
}

/// A body without anything in it.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}
