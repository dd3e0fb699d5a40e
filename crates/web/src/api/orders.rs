//! Orders: placed, seen, and moved on.

use app::access::Caller;
use app::idempotency::Answer;
use app::orders::{self as cases, Deed, NewCustomer, NewOrder, NewOrderLine, Shipping};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{Currency, Email, ExternalId, ImportId, Label, OrderId, OrderStatus, Quantity, Sku, SourceName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sql::Tx;
use store::orders::{Filter, OrderRow};

use crate::ApiError;
use crate::access::By;
use crate::address::Path;
use crate::body::{OptionalJson, RawJson};
use crate::idempotent::{keyed, marked};
use crate::query::{Cursor, Limit, Page, Query};
use crate::server::Web;

/// The most that a body may have.
const LIMIT: usize = 1024 * 1024;

/// Which orders a list shows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    status: Option<OrderStatus>,
    import: Option<ImportId>,
    source: Option<SourceName>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// `GET /api/orders`: newest first.
pub(crate) async fn list(
    State(web): State<Web>,
    Query(listed): Query<Listed>,
) -> Result<Json<Page<OrderRow>>, ApiError> {
    let Listed { status, import, source, limit, cursor } = listed;
    let filter = Filter {
        status,
        import_id: import.map(ImportId::get),
        source: source.map(String::from),
        before: cursor.map(|cursor| cursor.parse()).transpose()?,
        limit: limit.and_one(),
    };
    let read = move |tx: &mut Tx<'_>| -> app::Result<_> { Ok(store::orders::list(tx, &filter)?) };
    let rows = web.app.read("list_orders", read).await?;
    Ok(Json(Page::of(rows, limit, |row| row.id.to_string())))
}

/// `GET /api/orders/{order}`: an id, or `SOURCE:EXTERNAL_ID`. With all that belongs to it.
pub(crate) async fn show(State(web): State<Web>, Path(name): Path<String>) -> Result<Response, ApiError> {
    let story = cases::story(&web.app, resolve(&web, name).await?).await?;
    Ok(tagged(story.order.row.version, StatusCode::OK, &story))
}

/// The order of this name. A slash would end the part of the address, so a colon stands for it.
async fn resolve(web: &Web, name: String) -> Result<OrderId, ApiError> {
    let name = name.replacen(':', "/", 1);
    Ok(web
        .app
        .read("resolve_order", move |tx| Ok::<_, app::Error>(store::orders::resolve(tx, &name)?))
        .await?)
}

/// An order to be placed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceBody {
    /// Half of its identity.
    source: SourceName,
    /// The other half: the same id twice is one order.
    external_id: ExternalId,
    customer: CustomerBody,
    /// The currency of every amount.
    currency: Option<Currency>,
    placed_at: Option<Timestamp>,
    lines: Vec<LineBody>,
    /// Minor units.
    #[serde(default)]
    shipping: i64,
    /// Minor units off the whole.
    #[serde(default)]
    discount: i64,
    /// Whether the customer is told of what happens.
    #[serde(default = "crate::body::yes")]
    notify: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomerBody {
    external_id: Option<ExternalId>,
    email: Option<Email>,
    name: Option<Label>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineBody {
    sku: Sku,
    quantity: Quantity,
    /// Minor units for one; the catalogue's price, where it is not told.
    unit_price: Option<i64>,
}

/// `POST /api/orders`
pub(crate) async fn place(
    State(web): State<Web>,
    By(caller): By,
    headers: HeaderMap,
    RawJson(bytes): RawJson<LIMIT>,
) -> Result<Response, ApiError> {
    let body: PlaceBody = crate::body::parse(&bytes)?;
    let keyed = keyed(&headers, &caller.actor, "POST /api/orders", &bytes)?;
    let lines = body.lines.into_iter().map(|line| NewOrderLine {
        sku: line.sku,
        quantity: line.quantity,
        unit_price: line.unit_price,
    });
    let order = NewOrder {
        source: body.source,
        external_id: body.external_id,
        customer: NewCustomer {
            external_id: body.customer.external_id,
            email: body.customer.email,
            name: body.customer.name.map(String::from),
        },
        currency: body.currency.unwrap_or_else(|| web.app.currency()),
        placed_at: body.placed_at,
        lines: lines.collect(),
        shipping: body.shipping,
        discount: body.discount,
        notify: body.notify,
    };
    let Answer { result, replayed } = cases::place_once(&web.app, &caller.actor, order, keyed).await?;
    let status = if result.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let version = result.order["version"].as_i64().unwrap_or_default();
    Ok(marked(replayed, tagged(version, status, &result.order)))
}

/// An order as it stands, with its version as its tag.
fn tagged(version: i64, status: StatusCode, body: &impl Serialize) -> Response {
    let tag = HeaderValue::try_from(format!("\"{version}\"")).expect("a number is a sound header");
    (status, [(header::ETAG, tag)], Json(body)).into_response()
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CancelBody {
    reason: Option<Label>,
}

/// Whether it is done, or only told what would come of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Terms {
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
    headers: HeaderMap,
    address: String,
}

impl FromRequestParts<Web> for Moving {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, ApiError> {
        let By(caller) = By::from_request_parts(parts, web).await?;
        let Path(name) = Path::from_request_parts(parts, web).await?;
        let Query(Terms { dry_run }) = Query::from_request_parts(parts, web).await?;
        let version = parts.headers.get(header::IF_MATCH).map(version_of).transpose()?.flatten();
        let (headers, address) = (parts.headers.clone(), parts.uri.path().to_owned());
        Ok(Moving { web: web.clone(), caller, name, dry_run, version, headers, address })
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
        let Moving { web, caller, name, dry_run, version, headers, address } = self;
        let id = resolve(&web, name).await?;
        if dry_run {
            let preview = cases::preview(&web.app, &caller.actor, id, deed, version).await?;
            return Ok(Json(preview).into_response());
        }
        let keyed = keyed(&headers, &caller.actor, &format!("POST {address}"), body)?;
        let Answer { result, replayed } =
            cases::move_once(&web.app, &caller.actor, id, deed, version, keyed).await?;
        let version = result["version"].as_i64().unwrap_or_default();
        Ok(marked(replayed, tagged(version, StatusCode::OK, &result)))
    }
}

/// `POST /api/orders/{order}/cancel`
pub(crate) async fn cancel(
    moving: Moving,
    body: OptionalJson<CancelBody, LIMIT>,
) -> Result<Response, ApiError> {
    moving.on(Deed::Cancel { reason: body.value.reason.map(String::from) }, &body.bytes).await
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ShipBody {
    /// All that can be shipped, where none is named.
    lines: Vec<UnitsBody>,
    carrier: Option<Label>,
    tracking: Option<Label>,
}

/// Units of a line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnitsBody {
    pub(crate) line_no: i64,
    pub(crate) quantity: i64,
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
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}
