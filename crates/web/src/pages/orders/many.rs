//! Moving many orders on at once: each on its own, so that one that cannot holds back no other.

use app::access::sessions::Session;
use app::orders as cases;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::{IdempotencyKey, OrderId};

use super::act::{Move, whole};
use crate::ApiError;
use crate::access::{SignedForm, SignedIn};
use crate::pages::asked::Asked;
use crate::pages::frame::Frame;
use crate::pages::once::{fresh_key, keyed};
use crate::pages::words::{number, priced};
use crate::pages::{ORDERS, page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "orders/many.html")]
struct ManyPage<'p> {
    frame: Frame<'p>,
    deed: Move,
    stage: Stage,
    fit: Vec<Row>,
    unfit: Vec<Row>,
    money: Vec<String>,
    told: String,
    key: String,
}

/// Whether it is asked about, or done.
#[derive(PartialEq, Eq)]
enum Stage {
    Asked,
    Done,
}

/// An order that is meant.
struct Row {
    id: OrderId,
    version: i64,
    name: String,
    /// Why it is left out; nothing where it is not.
    why_not: String,
}

/// What is done to which orders, each as it stood when it was looked at.
struct Meant {
    deed: Move,
    orders: Vec<(OrderId, Option<i64>)>,
    key: String,
}

impl Meant {
    /// Each order is its id, and `@` with its version once it was looked at.
    fn read(fields: Vec<(String, String)>) -> Result<Self, ApiError> {
        let (mut deed, mut orders, mut key) = (None, Vec::new(), String::new());
        for (name, value) in fields {
            match name.as_str() {
                "deed" => deed = Move::parse(&value),
                "key" => key = value,
                "order" => {
                    let (id, version) =
                        value.split_once('@').map_or((&*value, None), |(id, at)| (id, Some(at)));
                    let version = version.map(str::parse).transpose();
                    let (Ok(id), Ok(version)) = (id.parse(), version) else {
                        return Err(ApiError::wrong("/order", "this is no order"));
                    };
                    orders.push((id, version));
                }
                _ => return Err(ApiError::wrong(format!("/{name}"), "the form has no such field")),
            }
        }
        let deed = deed.ok_or_else(|| ApiError::wrong("/deed", "it is `ship`, `deliver` or `cancel`"))?;
        Ok(Meant { deed, orders, key })
    }
}

/// `GET /orders/many`: what would come of it.
pub(in crate::pages) async fn ask(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    asked: Asked<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let Meant { deed, orders, .. } = Meant::read(asked.fields)?;
    if orders.is_empty() {
        return Ok(Redirect::to(ORDERS).into_response());
    }
    let (mut fit, mut unfit) = (Vec::new(), Vec::new());
    let (mut money, mut told) = (Vec::new(), 0);
    for (id, _) in orders {
        let mut row = named(&web, id).await?;
        match cases::preview(&web.app, &session.caller.actor, id, whole(deed), Some(row.version)).await {
            Ok(preview) => {
                money.extend(preview.refunds.iter().map(|refund| refund.amount));
                told += preview.notifications.len();
                fit.push(row);
            }
            Err(error) => {
                row.why_not = ApiError::from(error).mendable()?;
                unfit.push(row);
            }
        }
    }
    let money = money.into_iter().map(priced).collect();
    let told = number(told as i64);
    let told = ManyPage { stage: Stage::Asked, money, told, ..many(&web, &session, deed, fit, unfit) };
    page(StatusCode::OK, &told)
}

/// `POST /orders/many`: each once, as it was looked at.
pub(in crate::pages) async fn act(
    State(web): State<Web>,
    SignedForm { session, fields }: SignedForm<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let Meant { deed, orders, key } = Meant::read(fields)?;
    if orders.iter().any(|(_, version)| version.is_none()) {
        return Err(ApiError::wrong("/order", "an order comes without the version that was looked at"));
    }
    let (mut fit, mut unfit) = (Vec::new(), Vec::new());
    for (id, version) in orders {
        let mut row = named(&web, id).await?;
        let address = format!("{ORDERS}/{id}/{}", deed.as_str());
        // A key stands for one request: each order has one of its own.
        let key = IdempotencyKey::parse(&format!("{key}-{id}"));
        let key = key.map_err(|error| ApiError::BadKey(error.to_string()))?;
        let keyed = keyed(&session, key, &address, &[]);
        let done =
            cases::move_once(&web.app, &session.caller.actor, id, whole(deed), version, Some(keyed)).await;
        match done {
            Ok(_) => fit.push(row),
            // What came before it is done and stays so; this one and the others can be sent again.
            Err(error) => {
                row.why_not = ApiError::from(error).told().1;
                unfit.push(row);
            }
        }
    }
    page(StatusCode::OK, &many(&web, &session, deed, fit, unfit))
}

fn many<'p>(web: &'p Web, session: &'p Session, deed: Move, fit: Vec<Row>, unfit: Vec<Row>) -> ManyPage<'p> {
    let frame = Frame::new(&web.app, session, ORDERS);
    ManyPage {
        frame,
        deed,
        stage: Stage::Done,
        fit,
        unfit,
        money: Vec::new(),
        told: String::new(),
        key: fresh_key(),
    }
}

async fn named(web: &Web, id: OrderId) -> Result<Row, ApiError> {
    let row = web
        .app
        .look_up("get_order", move |tx| store::orders::get_view(tx, id))
        .await
        .map_err(app::Error::from)?
        .row;
    let name = format!("{}/{}", row.source, row.external_id);
    Ok(Row { id, version: row.version, name, why_not: String::new() })
}
