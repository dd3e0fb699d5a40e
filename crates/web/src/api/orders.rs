//! Orders: placed, seen, and moved on.

use std::str::FromStr;

use app::access::Caller;
use app::idempotency::Answer;
use app::orders::{
    self as cases, Deed, NewCustomer, NewOrder, NewOrderLine, OrderJobs, PaymentView, Preview, Shipping,
};
use app::refunds::RefundView;
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{
    Calendar, Currency, CustomerId, Email, ExternalId, ImportId, Label, OrderId, OrderStatus, Quantity, Sku,
    SourceName,
};
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sql::Tx;
use store::customers::Customer;
use store::events::Event;
use store::notifications::Notification;
use store::orders::{LineView, OrderRow, OrderView, Search, Sort};
use store::shipments::Shipment;

use crate::ApiError;
use crate::access::By;
use crate::address::Path;
use crate::body::{ExactJson, OptionalJson};
use crate::idempotent::{Key, marked};
use crate::openapi::{Argument, Operation};
use crate::problem::kinds;
use crate::query::{Cursor, Limit, Page, Query, Several};
use crate::server::Web;

/// The most that a body may have.
const LIMIT: usize = 1024 * 1024;

/// Which orders a list shows, and what comes first.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// Only those that stand so, or so.
    #[serde(default)]
    #[schemars(with = "Option<Several<OrderStatus>>")]
    status: Several<OrderStatus>,
    /// Only those of this customer.
    customer: Option<CustomerId>,
    /// Only those with a line of it, as it was sold.
    sku: Option<Sku>,
    /// Placed on this business day or later.
    from: Option<Date>,
    /// Placed on this business day or earlier.
    to: Option<Date>,
    /// Only those of this import.
    import: Option<ImportId>,
    /// Only those of this source.
    source: Option<SourceName>,
    /// Only those that a person means by it: an id, or the beginning of an id in the source or of the customer's e-mail.
    text: Option<Label>,
    /// What comes first; where it is not told the newest, or with `from` or `to` what was placed last.
    sort: Option<Sort>,
    #[serde(default)]
    #[schemars(with = "Option<Limit>")]
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
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shown {
    /// These parts alone; all but its jobs, where none is named.
    include: Option<Several<Part>>,
}

/// What belongs to an order.
#[derive(Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
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

/// Says what looking at an order answers.
pub(crate) fn shown(operation: &mut Operation<'_>) {
    operation.answers::<StoryShown>(StatusCode::OK, "The order.").carries("etag", true, TAG);
}

/// Says what a list of orders can meet.
pub(crate) fn listed(operation: &mut Operation<'_>) {
    operation.refuses(&[kinds::TOO_BROAD]);
}

/// An order with the parts that were asked for.
#[derive(JsonSchema)]
#[schemars(rename = "OrderStory")]
#[expect(dead_code, reason = "it is its schema")]
struct StoryShown {
    #[serde(flatten)]
    order: OrderRow,
    /// Notes, payment method, addresses.
    details: Option<serde_json::Value>,
    /// Whose it is.
    customer: Customer,
    /// Its lines.
    #[schemars(skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<LineView>>,
    /// The attempts to charge it, oldest first.
    #[schemars(skip_serializing_if = "Option::is_none")]
    payments: Option<Vec<PaymentView>>,
    /// What went back, oldest first.
    #[schemars(skip_serializing_if = "Option::is_none")]
    refunds: Option<Vec<RefundView>>,
    /// What left, oldest first.
    #[schemars(skip_serializing_if = "Option::is_none")]
    shipments: Option<Vec<Shipment>>,
    /// What the customer was told, oldest first.
    #[schemars(skip_serializing_if = "Option::is_none")]
    notifications: Option<Vec<Notification>>,
    /// What happened, oldest first.
    #[schemars(skip_serializing_if = "Option::is_none")]
    timeline: Option<Vec<Event>>,
    /// The jobs about it.
    #[schemars(skip_serializing_if = "Option::is_none")]
    jobs: Option<OrderJobs>,
}

const TAG: &str = "The version of the order, for `If-Match`.";

/// The order of this name. A slash would end the part of the address, so a colon stands for it.
async fn resolve(web: &Web, name: String) -> Result<OrderId, ApiError> {
    let name = name.replacen(':', "/", 1);
    Ok(web
        .app
        .read("resolve_order", move |tx| Ok::<_, app::Error>(store::orders::resolve(tx, &name)?))
        .await?)
}

/// An order to be placed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceBody {
    /// Half of its identity.
    source: SourceName,
    /// The other half: the same id twice is one order.
    external_id: ExternalId,
    /// Whose it is: an e-mail or an id of the source, or both.
    customer: CustomerBody,
    /// The currency of every amount.
    currency: Option<Currency>,
    /// When the customer placed it; now, where it is not told.
    placed_at: Option<Timestamp>,
    /// What was ordered: at least one line.
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

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CustomerBody {
    /// Their id in the source.
    external_id: Option<ExternalId>,
    /// Their e-mail.
    email: Option<Email>,
    /// Their name.
    name: Option<Label>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LineBody {
    /// The product.
    sku: Sku,
    /// Units.
    quantity: Quantity,
    /// Minor units for one; the catalogue's price, where it is not told.
    unit_price: Option<i64>,
}

/// `POST /api/orders`
pub(crate) async fn place(
    State(web): State<Web>,
    By(caller): By,
    key: Key,
    ExactJson { value: body, bytes }: ExactJson<PlaceBody, LIMIT>,
) -> Result<Response, ApiError> {
    let keyed = key.of(&caller.actor, "POST /api/orders", &bytes);
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

/// Says what placing an order answers.
pub(crate) fn placed(operation: &mut Operation<'_>) {
    operation
        .says("The same order sent twice, by its source and id, is one order. Workers then reserve its stock and take its payment.")
        .answers::<OrderView>(StatusCode::CREATED, "The order as it was placed.")
        .answers::<OrderView>(StatusCode::OK, "The order was there already, or the request came before.")
        .carries("etag", true, TAG)
        .refuses(&[kinds::EXISTS, kinds::DISK_FULL]);
}

/// An order as it stands, with its version as its tag.
fn tagged(version: i64, status: StatusCode, body: &impl Serialize) -> Response {
    let tag = HeaderValue::try_from(format!("\"{version}\"")).expect("a number is a sound header");
    (status, [(header::ETAG, tag)], Json(body)).into_response()
}

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
pub(crate) struct UnitsBody {
    /// The line's number, from 1.
    pub(crate) line_no: i64,
    /// How many.
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
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}
