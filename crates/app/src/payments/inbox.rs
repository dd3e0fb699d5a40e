use std::collections::HashSet;

use domain::{OrderId, Verdict};
use sql::Tx;
use store::payments::PaymentRef;
use store::webhooks::{Delivery, NewEvent};

use super::Settlement;
use super::settlement::Judgement;
use crate::gateways::signature::Headers;
use crate::gateways::simulator::{Callback, EventType};
use crate::workflow::PaymentKey;
use crate::{App, Result};

/// A delivery as it came in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The signed headers.
    pub headers: Headers,
    /// The raw bytes.
    pub body: Vec<u8>,
}

/// A delivery whose signature and form were judged.
#[derive(Debug, Clone)]
pub struct Checked {
    incoming: Incoming,
    news: std::result::Result<News, NotAccepted>,
}

/// A genuine event.
#[derive(Debug, Clone)]
struct News {
    callback: Callback,
    payment: Option<PaymentRef>,
}

/// Why a delivery went no further.
#[derive(Debug, Clone)]
struct NotAccepted {
    reason: String,
    genuine: bool,
}

/// What a delivery is, before anybody asks what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No live secret of ours signed these bytes in time.
    NotGenuine,
    /// It is genuine, but no event can be read from it.
    Unreadable,
    /// It is a genuine event.
    Event,
}

/// What was done about a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What it is.
    pub standing: Standing,
    /// What was done.
    pub verdict: Verdict,
    /// Why.
    pub reason: Option<String>,
}

impl Checked {
    /// The order that it tells of, where it is genuine and tells of one of ours.
    pub(crate) fn order(&self) -> Option<OrderId> {
        self.news.as_ref().ok()?.payment.map(|payment| payment.order)
    }

    /// What the delivery is.
    pub fn standing(&self) -> Standing {
        match &self.news {
            Ok(_) => Standing::Event,
            Err(NotAccepted { genuine: true, .. }) => Standing::Unreadable,
            Err(NotAccepted { genuine: false, .. }) => Standing::NotGenuine,
        }
    }
}

/// Bytes kept of a body that is not genuine.
const KEPT_OF_FORGERY: usize = 1024;
const LONGEST_ID: usize = 128;

/// Judges a delivery's signature, over its raw bytes, before its form.
pub fn check(app: &App, incoming: Incoming) -> Checked {
    let news = judge(app, &incoming);
    Checked { incoming, news }
}

fn judge(app: &App, Incoming { headers, body }: &Incoming) -> std::result::Result<News, NotAccepted> {
    let not_genuine = |reason: String| NotAccepted { reason, genuine: false };
    if headers.id.is_empty() || headers.id.len() > LONGEST_ID {
        return Err(not_genuine(format!("`webhook-id` must have 1 to {LONGEST_ID} bytes")));
    }
    app.secrets().check(headers, body, app.now()).map_err(|error| not_genuine(error.to_string()))?;
    let callback: Callback = serde_json::from_slice(body).map_err(|error| NotAccepted {
        reason: format!("the body is not a charge event: {error}"),
        genuine: true,
    })?;
    let payment = PaymentKey::parse(app.instance(), &callback.data.key);
    Ok(News { callback, payment })
}

/// Receives one delivery in a transaction of its own.
pub async fn receive(app: &App, incoming: Incoming) -> Result<Receipt> {
    receive_checked(app, check(app, incoming)).await
}

/// Receives one delivery that was checked before, in a transaction of its own.
pub async fn receive_checked(app: &App, checked: Checked) -> Result<Receipt> {
    let inner = app.clone();
    let receipts = app.transaction("receive_webhook", move |tx| record(&inner, tx, &[&checked])).await?;
    Ok(receipts.into_iter().next().expect("one receipt for one delivery"))
}

/// Puts deliveries into the inbox and does what the new ones among them say. One receipt each, in their order.
pub(crate) fn record(app: &App, tx: &mut Tx<'_>, checked: &[&Checked]) -> Result<Vec<Receipt>> {
    let ids: Vec<&str> = checked.iter().map(|one| one.incoming.headers.id.as_str()).collect();
    let mut known = store::webhooks::find_known(tx, &ids)?;
    let payments: Vec<PaymentRef> =
        checked.iter().filter_map(|one| one.news.as_ref().ok()?.payment).collect();
    let mut settlement = Settlement::begin(app, tx, &payments)?;
    let mut events = Vec::with_capacity(checked.len());
    let mut receipts = Vec::with_capacity(checked.len());
    let mut deliveries = Vec::with_capacity(checked.len());
    for one in checked {
        let (verdict, reason) = receive_one(&mut settlement, one, &mut known, &mut events)?;
        let receipt = Receipt { standing: one.standing(), verdict, reason };
        deliveries.push(delivery(one, order_of(&settlement, one), &receipt));
        receipts.push(receipt);
    }
    let at = app.now();
    store::webhooks::insert_events(tx, &events, at)?;
    store::webhooks::insert_deliveries(tx, &deliveries, at)?;
    settlement.finish(tx)?;
    Ok(receipts)
}

fn receive_one<'c>(
    settlement: &mut Settlement<'_>,
    one: &'c Checked,
    known: &mut HashSet<String>,
    events: &mut Vec<NewEvent<'c>>,
) -> Result<Judgement> {
    let id = one.incoming.headers.id.as_str();
    let news = match &one.news {
        Ok(news) => news,
        Err(not_accepted) => return Ok((Verdict::Rejected, Some(not_accepted.reason.clone()))),
    };
    if !known.insert(id.to_owned()) {
        return Ok((Verdict::Duplicate, Some("this event was received before".to_owned())));
    }
    let data = &news.callback.data;
    let judgement = match (news.callback.kind, news.payment) {
        (EventType::Captured, Some(payment)) => settlement.capture(payment, data.amount, &data.reference)?,
        (EventType::Declined, Some(payment)) => {
            settlement.decline(payment, data.reason.as_deref().unwrap_or("declined"))?
        }
        (EventType::Captured | EventType::Declined, None) => {
            (Verdict::Ignored, Some("no payment of ours has this key".to_owned()))
        }
        (EventType::Pending, Some(payment)) if settlement.knows(payment) && !settlement.is_open(payment) => {
            (Verdict::Stale, Some("the charge is decided already".to_owned()))
        }
        (EventType::Pending, _) => (Verdict::Ignored, Some("nothing follows from it".to_owned())),
        (EventType::Unknown, _) => {
            (Verdict::Ignored, Some("this version knows no event of this type".to_owned()))
        }
    };
    let order = order_of(settlement, one);
    events.push(NewEvent { id, kind: news.callback.kind.as_str(), order, body: &one.incoming.body });
    Ok(judgement)
}

/// The order of ours that a delivery is about.
fn order_of(settlement: &Settlement<'_>, one: &Checked) -> Option<OrderId> {
    let payment = one.news.as_ref().ok()?.payment?;
    settlement.knows(payment).then_some(payment.order)
}

fn delivery<'c>(one: &'c Checked, order: Option<OrderId>, receipt: &Receipt) -> Delivery<'c> {
    let Incoming { headers, body } = &one.incoming;
    let kept = &body[..body.len().min(KEPT_OF_FORGERY)];
    Delivery {
        order,
        event: (receipt.standing != Standing::NotGenuine).then_some(headers.id.as_str()),
        verdict: receipt.verdict,
        reason: receipt.reason.clone(),
        body: one.news.is_err().then_some(kept),
    }
}
