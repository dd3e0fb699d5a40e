use domain::OrderId;
use serde_json::{Value, json};
use sql::Tx;
use store::orders::OrderRow;

use super::cancel::cancel_in;
use super::deliver::deliver_in;
use super::preview::Preview;
use super::ship::{Shipping, ship_in};
use crate::access::record_in;
use crate::idempotency::{self, Answer, Keyed};
use crate::{Actor, App, Error, Result};

/// What a person can do to an order.
#[derive(Debug, Clone)]
pub enum Deed {
    /// It is called off: what it holds is let go, an open charge is called off, captured money goes back.
    Cancel {
        /// Why, for the timeline.
        reason: Option<String>,
    },
    /// Units of it leave.
    Ship(Shipping),
    /// It has arrived.
    Deliver,
}

/// Calls an order off: what it holds is let go, an open charge is called off, captured money goes back.
pub async fn cancel(app: &App, who: &Actor, id: OrderId, reason: Option<String>) -> Result<OrderRow> {
    move_on(app, who, id, Deed::Cancel { reason }, None).await
}

/// Ships units of a confirmed order.
pub async fn ship(app: &App, who: &Actor, id: OrderId, shipping: Shipping) -> Result<OrderRow> {
    move_on(app, who, id, Deed::Ship(shipping), None).await
}

/// Marks an order that was shipped as delivered: it is complete.
pub async fn deliver(app: &App, who: &Actor, id: OrderId) -> Result<OrderRow> {
    move_on(app, who, id, Deed::Deliver, None).await
}

/// Does `deed` to an order; only while it stands at `version`, where one is told.
pub async fn move_on(
    app: &App,
    who: &Actor,
    id: OrderId,
    deed: Deed,
    version: Option<i64>,
) -> Result<OrderRow> {
    let (inner, who) = (app.clone(), who.clone());
    app.transaction(deed.name(), move |tx| move_in(&inner, tx, &who, id, &deed, version)).await?;
    super::current(app, id).await
}

/// Does `deed` once, however often the request comes; the answer is the order as it stood then, as JSON.
pub async fn move_once(
    app: &App,
    who: &Actor,
    id: OrderId,
    deed: Deed,
    version: Option<i64>,
    keyed: Option<Keyed>,
) -> Result<Answer<Value>> {
    let (inner, who) = (app.clone(), who.clone());
    app.transaction(deed.name(), move |tx| {
        idempotency::once(&inner, tx, keyed.as_ref(), |tx| {
            move_in(&inner, tx, &who, id, &deed, version)?;
            let row = store::orders::get_view(tx, id)?.row;
            serde_json::to_value(&row).map_err(|error| Error::Internal(error.to_string()))
        })
    })
    .await
}

/// What would come of `deed`: it is done, looked at, and undone.
pub async fn preview(
    app: &App,
    who: &Actor,
    id: OrderId,
    deed: Deed,
    version: Option<i64>,
) -> Result<Preview> {
    let (inner, who) = (app.clone(), who.clone());
    let tried = app.transaction("preview_deed", move |tx| -> Result<(), Tried> {
        let before = Preview::look(tx, id)?;
        move_in(&inner, tx, &who, id, &deed, version)?;
        Err(Tried::Done(Box::new(Preview::look(tx, id)?.since(&before))))
    });
    match tried.await {
        Err(Tried::Done(preview)) => Ok(*preview),
        Err(Tried::Failed(error)) => Err(error),
        Ok(()) => Err(Error::Internal("a preview was kept".to_owned())),
    }
}

/// How a try ends: always with an error, so that its transaction is undone.
enum Tried {
    Done(Box<Preview>),
    Failed(Error),
}

impl From<Error> for Tried {
    fn from(error: Error) -> Self {
        Tried::Failed(error)
    }
}

impl From<sql::Error> for Tried {
    fn from(error: sql::Error) -> Self {
        Tried::Failed(error.into())
    }
}

fn move_in(
    app: &App,
    tx: &mut Tx<'_>,
    who: &Actor,
    id: OrderId,
    deed: &Deed,
    version: Option<i64>,
) -> Result<()> {
    if let Some(expected) = version {
        let heads = store::orders::lock_heads(tx, &[id])?;
        let head = heads.first().ok_or_else(|| store::Error::missing("order", id))?;
        if head.version != expected {
            return Err(Error::Moved { order: id, expected, version: head.version });
        }
    }
    match deed {
        Deed::Cancel { reason } => cancel_in(app, tx, who, id, reason.as_deref()),
        Deed::Ship(shipping) => ship_in(app, tx, who, id, shipping),
        Deed::Deliver => deliver_in(app, tx, who, id),
    }?;
    record_in(app, tx, who, deed.done(), &super::subject(id), (None, deed.about()))
}

impl Deed {
    fn name(&self) -> &'static str {
        match self {
            Deed::Cancel { .. } => "cancel_order",
            Deed::Ship(_) => "ship_order",
            Deed::Deliver => "deliver_order",
        }
    }

    /// Its word in the operators' log.
    fn done(&self) -> &'static str {
        match self {
            Deed::Cancel { .. } => "order_cancelled",
            Deed::Ship(_) => "order_shipped",
            Deed::Deliver => "order_delivered",
        }
    }

    /// What the operators' log tells of it besides.
    fn about(&self) -> Option<Value> {
        match self {
            Deed::Cancel { reason } => reason.as_ref().map(|reason| json!({ "reason": reason })),
            Deed::Ship(Shipping { lines, carrier, tracking }) => {
                Some(json!({ "lines": lines, "carrier": carrier, "tracking": tracking }))
            }
            Deed::Deliver => None,
        }
    }
}
