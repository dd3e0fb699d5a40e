use std::collections::BTreeSet;
use std::fmt;

use domain::refund::RefundPlan;
use domain::{
    Action, Currency, IdempotencyKey, Money, OrderId, RefundCause, RefundId, RefundRequest, refund,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sql::Tx;
use store::orders::UnitChange;
use store::refunds::{NewRefund, Refund, RefundLine};

use super::refundable;
use crate::access::record_in;
use crate::jobs::{Payload as _, RefundPayment};
use crate::workflow::Step;
use crate::{Actor, App, Error, Result, orders};

/// A wish for a refund.
#[derive(Debug, Clone)]
pub struct Request {
    /// The order.
    pub order: OrderId,
    /// Unique for the account, for ever: the same key is the same refund.
    pub key: IdempotencyKey,
    /// How much, or which lines.
    pub what: RefundRequest,
    /// Of which lines goods that were shipped come back into stock.
    pub restock: Restock,
    /// In a person's words.
    pub reason: Option<String>,
}

/// Of which lines of a refund goods that were shipped come back into stock. What was not shipped goes back on sale in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restock {
    /// Of all.
    All,
    /// Of none: they are broken, or stay with the customer.
    None,
    /// Of those with these numbers.
    Lines(BTreeSet<i64>),
}

impl Restock {
    fn of(&self, line_no: i64) -> bool {
        match self {
            Restock::All => true,
            Restock::None => false,
            Restock::Lines(lines) => lines.contains(&line_no),
        }
    }
}

impl From<bool> for Restock {
    fn from(all: bool) -> Self {
        if all { Restock::All } else { Restock::None }
    }
}

/// Part of what a request is told apart by for ever, so it never changes.
impl fmt::Display for Restock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Restock::All => f.write_str("true"),
            Restock::None => f.write_str("false"),
            Restock::Lines(lines) => write!(f, "{lines:?}"),
        }
    }
}

/// A refund that was asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The refund as it stands.
    pub refund: Refund,
    /// Whether the key was used before for the same request, so that nothing was done.
    pub replayed: bool,
}

/// Asks for a refund. Its money and units count as pending at once; a job pays it back.
pub async fn request(app: &App, who: &Actor, request: Request) -> Result<Asked> {
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("request_refund", move |tx| request_in(&inner, tx, &who, &request)).await
}

/// What would go back; nothing is done.
pub async fn preview(app: &App, order: OrderId, what: RefundRequest) -> Result<RefundPlan> {
    app.read("preview_refund", move |tx: &mut Tx<'_>| {
        let head = store::orders::get_head(tx, order)?;
        Ok(refund::allocate(&refundable::load(tx, &head)?, &what)?)
    })
    .await
}

fn request_in(app: &App, tx: &mut Tx<'_>, who: &Actor, request: &Request) -> Result<Asked> {
    let (account, key) = (who.account(), request.key.as_str());
    let hash = request_hash(request);
    let at = app.now();
    // The order's lock comes before the look at the key, so that two requests with one key take turns.
    let mut step = Step::begin(app, tx, who, at, &[request.order])?;
    if let Some(refund) = store::refunds::find_by_key(tx, account, key)? {
        if refund.request_hash != hash {
            let (order, amount) = (refund.order, refund.amount);
            return Err(Error::KeyReused { key: key.to_owned(), order, amount });
        }
        return Ok(Asked { refund, replayed: true });
    }
    let head = *step.head(request.order).ok_or_else(|| store::Error::missing("order", request.order))?;
    let plan = refund::allocate(&refundable::load(tx, &head)?, &request.what)?;
    let id = RefundId::from_ledger(tx.next_ids("refunds", 1)?.start);
    let data = json!({"refund": id, "amount": plan.amount, "reason": request.reason});
    let action = Action::RequestRefund { amount: plan.amount, units: plan.units() };
    step.apply(request.order, action, Some(data.to_string()))??;
    let refund = insert(tx, head.state.currency, who, request, (&plan, id), (&hash, at))?;
    step.add_job(request.order, RefundPayment { refund: id }.job());
    step.finish(tx)?;
    record_in(app, tx, who, "refund_requested", &orders::subject(request.order), (None, Some(data)))?;
    Ok(Asked { refund, replayed: false })
}

fn insert(
    tx: &mut Tx<'_>,
    currency: Currency,
    who: &Actor,
    request: &Request,
    (plan, id): (&RefundPlan, RefundId),
    (hash, at): (&[u8], jiff::Timestamp),
) -> Result<Refund> {
    let lines: Vec<RefundLine> = plan
        .lines
        .iter()
        .map(|line| RefundLine {
            line_no: line.line_no,
            product: line.product,
            quantity: line.units.total,
            amount: line.amount,
            restock: request.restock.of(line.line_no),
        })
        .collect();
    let pending: Vec<UnitChange> = lines
        .iter()
        .filter(|line| line.quantity > 0)
        .map(|line| UnitChange {
            refund_pending: line.quantity,
            ..UnitChange::none(request.order, line.line_no)
        })
        .collect();
    store::orders::change_units(tx, &pending)?;
    let new = NewRefund {
        id,
        account: who.account(),
        key: request.key.as_str(),
        request_hash: hash,
        order: request.order,
        payment_attempt: None,
        amount: Money { amount: plan.amount, currency },
        shipping: plan.shipping,
        cause: RefundCause::Request,
        restock: request.restock != Restock::None,
        reason: request.reason.as_deref(),
        actor: who.as_str(),
        lines,
    };
    let refund = new.requested(at);
    store::refunds::insert(tx, &[new], at)?;
    Ok(refund)
}

/// Tells two requests with one key apart.
fn request_hash(request: &Request) -> Vec<u8> {
    let text = format!("{}|{:?}|{}|{:?}", request.order, request.what, request.restock, request.reason);
    Sha256::digest(text.as_bytes()).to_vec()
}
