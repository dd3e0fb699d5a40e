//! A product: what the catalogue says of it, its stock, and what moved it.

use app::access::sessions::Session;
use app::products as catalogue;
use app::stock::{self, Entry, Ledger, Which};
use app::{App, Result as AppResult};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{CauseKind, Sku};
use serde::Deserialize;
use store::products::Product;

use super::{Level, price};
use crate::ApiError;
use crate::access::SignedIn;
use crate::address::Path;
use crate::pages::asked::{Asked, Filled};
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, Choice, Pager, When};
use crate::pages::words::{change, number};
use crate::pages::{ORDERS, PRODUCTS, links, page};
use crate::query::{Cursor, Limit};
use crate::server::Web;

/// Which of its movements are shown.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Shown {
    /// Only those for this kind of cause.
    cause: Option<CauseKind>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

impl Shown {
    fn which(self) -> Result<Which, ApiError> {
        let after = self.cursor.map(|cursor| cursor.parse()).transpose()?;
        Ok(Which { cause: self.cause, after, limit: self.limit.0 })
    }
}

#[derive(Template)]
#[template(path = "products/show.html")]
struct ProductPage<'p> {
    frame: Frame<'p>,
    address: String,
    /// Where the orders with it are.
    orders: String,
    sku: String,
    name: String,
    level: Level,
    warning: Option<Badge>,
    is_counted: bool,
    form: &'p Described,
    refusal: &'p str,
    causes: Vec<Choice>,
    is_whole: bool,
    entries: Vec<Movement>,
    pager: Pager,
    filled: Filled,
}

/// What the catalogue is to say of it, as somebody types it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Described {
    /// What the catalogue said when they began.
    pub(super) tag: String,
    pub(super) name: String,
    pub(super) price: String,
    pub(super) currency: String,
}

impl Described {
    fn of(app: &App, product: &Product) -> Self {
        let currency = product.currency.unwrap_or_else(|| app.currency());
        Described {
            tag: catalogue::tag(product),
            name: product.name.clone(),
            price: price(product).map(|price| price.decimal()).unwrap_or_default(),
            currency: currency.code().to_owned(),
        }
    }
}

struct Movement {
    at: When,
    kind: &'static str,
    on_hand: String,
    reserved: String,
    after: Option<(String, String)>,
    cause: String,
    address: Option<String>,
    order: Option<(i64, String)>,
    note: String,
}

/// `GET /products/{sku}`
pub(in crate::pages) async fn show(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path(sku): Path<Sku>,
    asked: Asked<Shown>,
) -> Result<Response, ApiError> {
    let (shown, filled) = asked.parts();
    let ledger = stock::ledger(&web.app, sku, shown.which()?).await?;
    product(&web, &session, StatusCode::OK, ledger, filled, None)
}

/// The same page with a form that was refused.
pub(super) async fn refused(
    web: &Web,
    session: &Session,
    sku: Sku,
    (form, refusal): (Described, &str),
) -> Result<Response, ApiError> {
    let ledger: AppResult<Ledger> = stock::ledger(&web.app, sku, Shown::default().which()?).await;
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    product(web, session, status, ledger?, Filled::default(), Some((form, refusal)))
}

fn product(
    web: &Web,
    session: &Session,
    status: StatusCode,
    Ledger { product, entries, is_whole, next }: Ledger,
    filled: Filled,
    refused: Option<(Described, &str)>,
) -> Result<Response, ApiError> {
    let address = links::product(&product.sku);
    let (form, refusal) = refused.unwrap_or_else(|| (Described::of(&web.app, &product), ""));
    let level = Level::of(&product);
    page(
        status,
        &ProductPage {
            frame: Frame::new(&web.app, session, PRODUCTS),
            warning: level.warning.map(Badge::new),
            level,
            is_counted: product.tracked,
            form: &form,
            refusal,
            causes: Choice::among(&filled, "cause", CauseKind::ALL.iter().map(|one| one.as_str())),
            is_whole,
            entries: entries.into_iter().map(|entry| Movement::new(&web.app, entry)).collect(),
            pager: Pager::new(
                &address,
                &filled,
                next.map(|place| Cursor::encode(&place.to_string())).as_deref(),
            ),
            filled,
            address,
            orders: links::asking(ORDERS, "sku", &product.sku),
            sku: product.sku,
            name: product.name,
        },
    )
}

impl Movement {
    fn new(app: &App, Entry { recorded, change: (on_hand, reserved), after, order }: Entry) -> Self {
        let movement = recorded.movement;
        let id = movement.cause_id;
        let (cause, address) = match movement.cause {
            CauseKind::OrderLine => (format!("line {} of", movement.line_no), None),
            CauseKind::RefundLine => (format!("refund {id}"), Some(format!("/refunds/{id}"))),
            CauseKind::ShipmentLine => (format!("shipment {id} of"), None),
            CauseKind::Receipt => (format!("receipt {id}"), None),
            CauseKind::Adjustment => (format!("adjustment {id}"), None),
        };
        let changed = |by: i64| if by == 0 { String::new() } else { change(by) };
        Movement {
            at: When::new(app, recorded.at),
            kind: movement.kind.as_str(),
            on_hand: changed(on_hand),
            reserved: changed(reserved),
            after: after.map(|(on_hand, reserved)| (number(on_hand), number(reserved))),
            cause,
            address,
            order: order.map(|(id, name)| (id.get(), name)),
            note: recorded.note.unwrap_or_default(),
        }
    }
}
