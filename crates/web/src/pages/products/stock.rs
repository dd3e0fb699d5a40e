//! Goods that arrive, and a count that is put right: asked before, done once.

use app::access::sessions::Session;
use app::idempotency::Keyed;
use app::stock::{self as cases, Receipt};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::{IdempotencyKey, Sku};
use serde::Deserialize;
use sql::Tx;
use store::products::Product;

use crate::ApiError;
use crate::access::{SignedForm, SignedIn};
use crate::address::Path;
use crate::pages::asked::Asked;
use crate::pages::frame::Frame;
use crate::pages::once::{fresh_key, keyed};
use crate::pages::words::{change as told, number};
use crate::pages::{PRODUCTS, links, page};
use crate::server::Web;

/// What is done to a count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Receive,
    Adjust,
}

impl Deed {
    const fn word(self) -> &'static str {
        match self {
            Deed::Receive => "receive",
            Deed::Adjust => "adjust",
        }
    }
}

/// What somebody types.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Typed {
    #[serde(default)]
    units: String,
    #[serde(default)]
    note: String,
}

/// What somebody has confirmed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Confirmed {
    key: IdempotencyKey,
    units: String,
    #[serde(default)]
    note: String,
}

#[derive(Template)]
#[template(path = "products/stock.html")]
struct StockPage<'p> {
    frame: Frame<'p>,
    deed: Deed,
    address: String,
    sku: &'p str,
    typed: &'p Typed,
    refusal: &'p str,
    preview: Option<Preview>,
    key: String,
}

/// What would happen.
struct Preview {
    change: String,
    on_hand: [String; 2],
    available: [String; 2],
    reserved: String,
}

impl Preview {
    fn new(product: &Product, units: i64) -> Self {
        let both = |now: i64| [number(now), number(now.saturating_add(units))];
        Preview {
            change: told(units),
            on_hand: both(product.on_hand),
            available: both(product.available()),
            reserved: number(product.reserved),
        }
    }
}

/// `GET /products/{sku}/receive`: what would happen.
pub(in crate::pages) async fn ask_receive(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path(sku): Path<Sku>,
    asked: Asked<Typed>,
) -> Result<Response, ApiError> {
    ask(&web, &session, (Deed::Receive, sku), asked.fields).await
}

/// `GET /products/{sku}/adjust`: what would happen.
pub(in crate::pages) async fn ask_adjust(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path(sku): Path<Sku>,
    asked: Asked<Typed>,
) -> Result<Response, ApiError> {
    ask(&web, &session, (Deed::Adjust, sku), asked.fields).await
}

async fn ask(
    web: &Web,
    session: &Session,
    (deed, sku): (Deed, Sku),
    typed: Typed,
) -> Result<Response, ApiError> {
    if typed.units.is_empty() && typed.note.is_empty() {
        return form(web, session, (deed, &sku), &typed, None).await;
    }
    let units = wanted(deed, &typed.units, &typed.note);
    form(web, session, (deed, &sku), &typed, Some(units)).await
}

/// The form, with what would happen or what is wrong once it is filled in.
async fn form(
    web: &Web,
    session: &Session,
    (deed, sku): (Deed, &Sku),
    typed: &Typed,
    units: Option<Result<i64, String>>,
) -> Result<Response, ApiError> {
    let named = sku.clone();
    let read =
        move |tx: &mut Tx<'_>| -> app::Result<_> { Ok(store::products::get_by_sku(tx, named.as_str())?) };
    let product = web.app.read("get_product", read).await?;
    let (preview, refusal) = match units {
        None => (None, String::new()),
        Some(Ok(units)) => (Some(Preview::new(&product, units)), String::new()),
        Some(Err(refusal)) => (None, refusal),
    };
    let status = if refusal.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page(
        status,
        &StockPage {
            frame: Frame::new(&web.app, session, PRODUCTS),
            deed,
            address: links::product(sku.as_str()),
            sku: sku.as_str(),
            typed,
            refusal: &refusal,
            preview,
            key: fresh_key(),
        },
    )
}

/// By how many units the count is to change.
fn wanted(deed: Deed, units: &str, note: &str) -> Result<i64, String> {
    let units = units.trim().replace('\u{2212}', "-");
    let number: i64 = units.parse().map_err(|_| format!("“{units}” is no whole number of units."))?;
    match deed {
        Deed::Receive if number <= 0 => {
            Err("Goods that arrive are one unit or more. To put a count right, adjust it.".to_owned())
        }
        Deed::Adjust if number == 0 => Err("A change of no units changes nothing.".to_owned()),
        Deed::Adjust if note.trim().is_empty() => {
            Err("Say why the count is put right: the ledger keeps it.".to_owned())
        }
        _ if note.chars().count() > LONGEST_NOTE => {
            Err(format!("The note is longer than {LONGEST_NOTE} characters."))
        }
        _ => Ok(number),
    }
}

const LONGEST_NOTE: usize = 255;

/// `POST /products/{sku}/receive`
pub(in crate::pages) async fn receive(
    State(web): State<Web>,
    Path(sku): Path<Sku>,
    SignedForm { session, fields }: SignedForm<Confirmed>,
) -> Result<Response, ApiError> {
    act(&web, &session, (Deed::Receive, sku), fields).await
}

/// `POST /products/{sku}/adjust`
pub(in crate::pages) async fn adjust(
    State(web): State<Web>,
    Path(sku): Path<Sku>,
    SignedForm { session, fields }: SignedForm<Confirmed>,
) -> Result<Response, ApiError> {
    act(&web, &session, (Deed::Adjust, sku), fields).await
}

async fn act(
    web: &Web,
    session: &Session,
    (deed, sku): (Deed, Sku),
    Confirmed { key, units, note }: Confirmed,
) -> Result<Response, ApiError> {
    let address = links::product(sku.as_str());
    let keyed = keyed(session, key, &format!("{address}/{}", deed.word()), &[&units, &note]);
    let done = match wanted(deed, &units, &note) {
        Ok(number) => done(web, session, (deed, &sku), (number, note.trim()), keyed).await,
        Err(refusal) => Err(app::Error::Invalid(refusal)),
    };
    match done {
        Ok(()) => Ok(Redirect::to(&format!("{address}#ledger")).into_response()),
        Err(error) => {
            let refusal = ApiError::from(error).mendable()?;
            form(web, session, (deed, &sku), &Typed { units, note }, Some(Err(refusal))).await
        }
    }
}

async fn done(
    web: &Web,
    session: &Session,
    (deed, sku): (Deed, &Sku),
    (units, note): (i64, &str),
    keyed: Keyed,
) -> app::Result<()> {
    let (who, sku) = (&session.caller.actor, sku.clone());
    match deed {
        Deed::Receive => {
            let note = Some(note.to_owned()).filter(|note| !note.is_empty());
            let receipt = Receipt { sku, name: None, price: None, quantity: units, note };
            cases::receive_once(&web.app, who, vec![receipt], Some(keyed)).await.map(drop)
        }
        Deed::Adjust => {
            cases::adjust_once(&web.app, who, sku, units, note.to_owned(), Some(keyed)).await.map(drop)
        }
    }
}
