//! Products and their stock.

use std::borrow::Cow;

use app::idempotency::Answer;
use app::products::{self as catalogue, Change, Wanted};
use app::stock::{self as cases, Receipt};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{Label, Money, ProductName, Sku};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use sql::Tx;
use store::products::Product;

use crate::ApiError;
use crate::access::By;
use crate::address::Path;
use crate::body::{ExactJson, JsonBody, parse};
use crate::idempotent::{Key, marked};
use crate::openapi::Operation;
use crate::problem::kinds;
use crate::query::{Page, Paging, Query};
use crate::server::Web;

/// The most that a body may have.
const LIMIT: usize = 64 * 1024;

/// `GET /api/products`: by SKU.
pub(crate) async fn list(
    State(web): State<Web>,
    Query(Paging { limit, cursor }): Query<Paging>,
) -> Result<Json<Page<Product>>, ApiError> {
    let after = cursor.map(|cursor| cursor.0).unwrap_or_default();
    let read = move |tx: &mut Tx<'_>| -> app::Result<_> {
        Ok(store::products::list_from(tx, &after, limit.and_one())?)
    };
    let found = web.app.read("list_products", read).await?;
    Ok(Json(Page::of(found, limit, |product| product.sku.clone())))
}

/// `GET /api/products/{sku}`
pub(crate) async fn show(State(web): State<Web>, Path(sku): Path<Sku>) -> Result<Response, ApiError> {
    let read =
        move |tx: &mut Tx<'_>| -> app::Result<_> { Ok(store::products::get_by_sku(tx, sku.as_str())?) };
    Ok(tagged(StatusCode::OK, &web.app.read("get_product", read).await?))
}

/// A product with what tells whether the catalogue says something else of it by now. Its stock is not part of that.
fn tagged(status: StatusCode, product: &Product) -> Response {
    let tag =
        HeaderValue::try_from(format!("\"{}\"", catalogue::tag(product))).expect("hex is a sound header");
    (status, [(header::ETAG, tag)], Json(product)).into_response()
}

/// A product to be made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProductBody {
    /// The shop's name of it.
    sku: Sku,
    /// The SKU, where it is not told.
    name: Option<ProductName>,
    /// What one costs, where it is known.
    price: Option<Money>,
}

/// `POST /api/products`: without stock.
pub(crate) async fn create(
    State(web): State<Web>,
    By(caller): By,
    key: Key,
    ExactJson { value: ProductBody { sku, name, price }, bytes }: ExactJson<ProductBody, LIMIT>,
) -> Result<Response, ApiError> {
    let keyed = key.of(&caller.actor, "POST /api/products", &bytes);
    let wanted = Wanted { sku, name, price };
    let Answer { result, replayed } = catalogue::create_once(&web.app, &caller.actor, wanted, keyed).await?;
    Ok(marked(replayed, tagged(StatusCode::CREATED, &result)))
}

/// What the catalogue is to say of a product; what is left out stays as it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeBody {
    /// Its name.
    name: Option<ProductName>,
    /// `null` takes the price away.
    #[serde(default, deserialize_with = "told")]
    #[schemars(with = "Option<Money>")]
    #[expect(clippy::option_option, reason = "`null` is not what is left out")]
    price: Option<Option<Money>>,
}

/// Tells `null` from what is left out.
#[expect(clippy::option_option, reason = "`null` is not what is left out")]
fn told<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Money>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// `PATCH /api/products/{sku}`: with `If-Match` only where the catalogue says what the caller saw; else the last one wins.
pub(crate) async fn change(
    State(web): State<Web>,
    By(caller): By,
    Path(sku): Path<Sku>,
    headers: HeaderMap,
    JsonBody(ChangeBody { name, price }): JsonBody<ChangeBody, LIMIT>,
) -> Result<Response, ApiError> {
    let seen = headers.get(header::IF_MATCH).map(tag_of).transpose()?.flatten();
    let change = Change { name, price };
    let product = catalogue::change(&web.app, &caller.actor, sku, change, seen).await?;
    Ok(tagged(StatusCode::OK, &product))
}

/// Says what looking at a product answers.
pub(crate) fn shown(operation: &mut Operation<'_>) {
    operation.answers::<Product>(StatusCode::OK, "The product.").carries("etag", true, TAG);
}

/// Says what making a product answers.
pub(crate) fn created(operation: &mut Operation<'_>) {
    operation
        .answers::<Product>(StatusCode::CREATED, "The product as it was made.")
        .carries("etag", true, TAG)
        .refuses(&[kinds::EXISTS, kinds::DISK_FULL]);
}

/// Says what changing a product takes and answers.
pub(crate) fn changed(operation: &mut Operation<'_>) {
    let description = "It is changed only while its tag is this one: its `ETag`, or `*`.";
    operation
        .takes_header::<IfMatch>("If-Match", false, description)
        .answers::<Product>(StatusCode::OK, "The product as it is then.")
        .carries("etag", true, TAG)
        .refuses(&[kinds::BAD_VERSION, kinds::MOVED_ON, kinds::DISK_FULL]);
}

const TAG: &str = "What the catalogue says of the product, for `If-Match`.";

/// What an `If-Match` may be.
#[derive(JsonSchema)]
struct IfMatch(
    #[expect(dead_code, reason = "it is its schema")]
    #[schemars(regex(pattern = r#"^(\*|"[!#-~]*")$"#))]
    String,
);

/// The tag that an `If-Match` names; none where any will do.
fn tag_of(value: &HeaderValue) -> Result<Option<String>, ApiError> {
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.map(|tag| Some(tag.to_owned())).ok_or(ApiError::BadVersion)
}

/// Goods that arrive, or a count that is put right. Its kind is read before the rest: so what is wrong with the rest is named
/// by its pointer, which serde loses within a tagged enum.
#[derive(Deserialize)]
pub(crate) struct StockBody {
    kind: StockKind,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StockKind {
    Receive,
    Adjust,
}

/// Units arrive; a product that is not there is made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Receiving {
    #[serde(rename = "kind")]
    _kind: ReceiveWord,
    /// Units.
    quantity: i64,
    /// The name of a product that is made.
    name: Option<Label>,
    /// The price of a product that is made.
    price: Option<Money>,
    /// What it is about.
    note: Option<Label>,
}

/// The count changes by so many units.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Adjusting {
    #[serde(rename = "kind")]
    _kind: AdjustWord,
    /// Units, below zero where they are gone.
    change: i64,
    /// Why.
    note: Label,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ReceiveWord {
    Receive,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum AdjustWord {
    Adjust,
}

impl JsonSchema for StockBody {
    fn schema_name() -> Cow<'static, str> {
        "StockBody".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kinds = [generator.subschema_for::<Receiving>(), generator.subschema_for::<Adjusting>()];
        json_schema!({ "oneOf": kinds })
    }
}

/// `POST /api/products/{sku}/stock`
pub(crate) async fn stock(
    State(web): State<Web>,
    By(caller): By,
    Path(sku): Path<Sku>,
    key: Key,
    ExactJson { value: StockBody { kind }, bytes }: ExactJson<StockBody, LIMIT>,
) -> Result<Response, ApiError> {
    let keyed = key.of(&caller.actor, &format!("POST /api/products/{sku}/stock"), &bytes);
    let Answer { result, replayed } = match kind {
        StockKind::Receive => {
            let Receiving { quantity, name, price, note, .. } = parse(&bytes)?;
            let price = price.map(|price| (price.amount, price.currency));
            let receipt = Receipt { sku, name, price, quantity, note: note.map(String::from) };
            let received = cases::receive_once(&web.app, &caller.actor, vec![receipt], keyed).await?;
            Answer { result: received.result.into_iter().next(), replayed: received.replayed }
        }
        StockKind::Adjust => {
            let Adjusting { change, note, .. } = parse(&bytes)?;
            let adjusted =
                cases::adjust_once(&web.app, &caller.actor, sku, change, String::from(note), keyed).await?;
            Answer { result: Some(adjusted.result), replayed: adjusted.replayed }
        }
    };
    Ok(marked(replayed, Json(result).into_response()))
}

/// Says what a change of stock answers.
pub(crate) fn stocked(operation: &mut Operation<'_>) {
    operation
        .answers::<Product>(StatusCode::OK, "The product with its stock then.")
        .refuses(&[kinds::DISK_FULL]);
}
