//! Products and their stock.

use app::idempotency::Answer;
use app::products::{self as catalogue, Change, Wanted};
use app::stock::{self as cases, Receipt};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{Label, Money, ProductName, Sku};
use serde::{Deserialize, Deserializer};
use sql::Tx;
use store::products::Product;

use crate::ApiError;
use crate::access::By;
use crate::address::Path;
use crate::body::{JsonBody, RawJson, parse};
use crate::idempotent::{keyed, marked};
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductBody {
    sku: Sku,
    /// The SKU, where it is not told.
    name: Option<ProductName>,
    price: Option<Money>,
}

/// `POST /api/products`: without stock.
pub(crate) async fn create(
    State(web): State<Web>,
    By(caller): By,
    headers: HeaderMap,
    RawJson(bytes): RawJson<LIMIT>,
) -> Result<Response, ApiError> {
    let ProductBody { sku, name, price } = parse(&bytes)?;
    let keyed = keyed(&headers, &caller.actor, "POST /api/products", &bytes)?;
    let wanted = Wanted { sku, name, price };
    let Answer { result, replayed } = catalogue::create_once(&web.app, &caller.actor, wanted, keyed).await?;
    Ok(marked(replayed, tagged(StatusCode::CREATED, &result)))
}

/// What the catalogue is to say of a product; what is left out stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeBody {
    name: Option<ProductName>,
    /// `null` takes the price away.
    #[serde(default, deserialize_with = "told")]
    price: Option<Option<Money>>,
}

/// Tells `null` from what is left out.
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

/// The tag that an `If-Match` names; none where any will do.
fn tag_of(value: &HeaderValue) -> Result<Option<String>, ApiError> {
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.map(|tag| Some(tag.to_owned())).ok_or(ApiError::BadVersion)
}

/// Goods that arrive, or a count that is put right.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub(crate) enum StockBody {
    /// Units arrive; a product that is not there is made.
    Receive { quantity: i64, name: Option<Label>, price: Option<Money>, note: Option<Label> },
    /// The count changes by so many units.
    Adjust { change: i64, note: Label },
}

/// `POST /api/products/{sku}/stock`
pub(crate) async fn stock(
    State(web): State<Web>,
    By(caller): By,
    Path(sku): Path<Sku>,
    headers: HeaderMap,
    RawJson(bytes): RawJson<LIMIT>,
) -> Result<Response, ApiError> {
    let address = format!("POST /api/products/{sku}/stock");
    let keyed = keyed(&headers, &caller.actor, &address, &bytes)?;
    let Answer { result, replayed } = match parse(&bytes)? {
        StockBody::Receive { quantity, name, price, note } => {
            let price = price.map(|price| (price.amount, price.currency));
            let receipt = Receipt { sku, name, price, quantity, note: note.map(String::from) };
            let received = cases::receive_once(&web.app, &caller.actor, vec![receipt], keyed).await?;
            Answer { result: received.result.into_iter().next(), replayed: received.replayed }
        }
        StockBody::Adjust { change, note } => {
            let adjusted =
                cases::adjust_once(&web.app, &caller.actor, sku, change, String::from(note), keyed).await?;
            Answer { result: Some(adjusted.result), replayed: adjusted.replayed }
        }
    };
    Ok(marked(replayed, Json(result).into_response()))
}
