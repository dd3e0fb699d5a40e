//! Orders: placed, seen, and moved on.

use std::str::FromStr;

use app::access::Caller;
use app::idempotency::Answer;
use app::orders::{self as cases, Deed, NewCustomer, NewOrder, NewOrderLine, Shipping};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{
    Calendar, Currency, CustomerId, Email, ExternalId, ImportId, Label, OrderId, OrderStatus, Quantity, Sku,
    SourceName,
};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sql::Tx;
use store::orders::{OrderRow, Search, Sort};

use crate::ApiError;
use crate::access::By;
use crate::address::Path;
use crate::body::{OptionalJson, RawJson};
use crate::idempotent::{keyed, marked};
use crate::query::{Cursor, Limit, Page, Query, Several};
use crate::server::Web;

/// The most that a body may have.
const LIMIT: usize = 1024 * 1024;

/// Which orders a list shows, and what comes first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// One of several.
    #[serde(default)]
    status: Several<OrderStatus>,
    customer: Option<CustomerId>,
    /// Of some line, as it was sold.
    sku: Option<Sku>,
    /// Placed on this business day or later.
    from: Option<Date>,
    /// Placed on this business day or earlier.
    to: Option<Date>,
    import: Option<ImportId>,
    source: Option<SourceName>,
    text: Option<Label>,
    sort: Option<Sort>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

impl Listed {
    fn search(self, calendar: &Calendar) -> Result<Search, ApiError> {
        let start = |day: Date| calendar.day_start(day);
        Ok(Search {
            statuses: self.status.0,
            customer: self.customer,
            sku: self.sku.map(String::from),
            from: self.from.and_then(start),
            // Where time ends before the day does, nothing was placed later.
            to: self.to.and_then(|day| start(day.tomorrow().ok()?)),
            import: self.import,
            source: self.source.map(String::from),
            text: self.text.map(String::from),
            sort: self.sort,
            after: self.cursor.map(|cursor| cursor.parse()).transpose()?,
            limit: self.limit.0,
        })
    }
}

/// `GET /api/orders`
pub(crate) async fn list(
    State(web): State<Web>,
    Query(listed): Query<Listed>,
) -> Result<Json<Page<OrderRow>>, ApiError> {
    let search = listed.search(web.app.calendar())?;
    let read = move |tx: &mut Tx<'_>| -> app::Result<_> { Ok(store::orders::search(tx, &search)?) };
    Ok(Json(Page::of_part(web.app.read("list_orders", read).await?)))
}

/// What is shown of an order besides itself and its customer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shown {
    include: Option<Several<Part>>,
}

/// What belongs to an order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Lines,
    Payments,
    Refunds,
    Shipments,
    Notifications,
    Timeline,
    Jobs,
}

impl Part {
    const ALL: [(&'static str, Part); 7] = [
        ("lines", Part::Lines),
        ("payments", Part::Payments),
        ("refunds", Part::Refunds),
        ("shipments", Part::Shipments),
        ("notifications", Part::Notifications),
        ("timeline", Part::Timeline),
        ("jobs", Part::Jobs),
    ];
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Part::ALL.iter().find(|(word, _)| *word == text).map(|(_, part)| *part);
        known.ok_or_else(|| {
            let words: Vec<&str> = Part::ALL.iter().map(|(word, _)| *word).collect();
            format!("`{text}` is no part of an order; there are {}", words.join(", "))
        })
    }
}

/// `GET /api/orders/{order}`: an id, or `SOURCE:EXTERNAL_ID`. With the parts that are named; where none is, with all but
/// its jobs.
pub(crate) async fn show(
    State(web): State<Web>,
    Path(name): Path<String>,
    Query(Shown { include }): Query<Shown>,
) -> Result<Response, ApiError> {
    let story = cases::story(&web.app, resolve(&web, name).await?).await?;
    let version = story.order.row.version;
    let mut shown = serde_json::to_value(&story).map_err(|error| app::Error::Internal(error.to_string()))?;
    let Some(Several(parts)) = include else { return Ok(tagged(version, StatusCode::OK, &shown)) };
    for (word, part) in Part::ALL {
        if !parts.contains(&part)
            && let Some(fields) = shown.as_object_mut()
        {
            fields.remove(word);
        }
    }
    if parts.contains(&Part::Jobs) {
        shown["jobs"] = json!(cases::jobs_of(&web.app, &story).await?);
    }
    Ok(tagged(version, StatusCode::OK, &shown))
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
