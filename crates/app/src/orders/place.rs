use std::collections::HashMap;

use domain::order::{LineTotals, OrderTotals};
use domain::{
    Currency, Email, EventKind, ExternalId, Money, OrderId, OrderState, ProductId, Quantity, Sku, SourceName,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sql::Tx;
use store::customers::CustomerRef;
use store::events::{NewEvent, state_code};
use store::orders::{NewLine, OrderRow};
use telemetry::Trace;

use crate::error::totals_of;
use crate::idempotency::{self, Answer, Keyed};
use crate::jobs::{Payload as _, ReserveStock};
use crate::{Actor, App, Error, Result};

/// An order that somebody places.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Half of its identity.
    pub source: SourceName,
    /// The other half.
    pub external_id: ExternalId,
    /// Whose it is.
    pub customer: NewCustomer,
    /// The currency of every amount.
    pub currency: Currency,
    /// When it was placed; now, where it is not told.
    pub placed_at: Option<Timestamp>,
    /// What is bought.
    pub lines: Vec<NewOrderLine>,
    /// Minor units for shipping.
    pub shipping: i64,
    /// Minor units off the whole.
    pub discount: i64,
    /// Whether the customer is told of what happens.
    pub notify: bool,
}

/// Who places an order.
#[derive(Debug, Clone, Default)]
pub struct NewCustomer {
    /// Their id in the source.
    pub external_id: Option<ExternalId>,
    /// Their e-mail.
    pub email: Option<Email>,
    /// Their name.
    pub name: Option<String>,
}

/// A line of a [`NewOrder`].
#[derive(Debug, Clone)]
pub struct NewOrderLine {
    /// What is bought; it must be in the catalogue.
    pub sku: Sku,
    /// Units.
    pub quantity: Quantity,
    /// Minor units for one; the catalogue's price, where it is not told.
    pub unit_price: Option<i64>,
}

/// Places an order. One that is there already under the same source and id is returned as it stands, and `false`.
pub async fn place(app: &App, who: &Actor, order: NewOrder) -> Result<(OrderRow, bool)> {
    check(&order)?;
    let (inner, who) = (app.clone(), who.clone());
    let (id, is_new) = app.transaction("place_order", move |tx| place_in(&inner, tx, &who, &order)).await?;
    Ok((super::current(app, id).await?, is_new))
}

/// An order that was placed, as it stood then.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Placed {
    /// The order with its lines, as JSON.
    pub order: Value,
    /// Whether it was not there before, under its source and id.
    pub is_new: bool,
}

/// Places an order once, however often the request comes.
pub async fn place_once(
    app: &App,
    who: &Actor,
    order: NewOrder,
    keyed: Option<Keyed>,
) -> Result<Answer<Placed>> {
    check(&order)?;
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("place_order", move |tx| {
        idempotency::once(&inner, tx, keyed.as_ref(), |tx| {
            let (id, is_new) = place_in(&inner, tx, &who, &order)?;
            let view = store::orders::get_view(tx, id)?;
            let order = serde_json::to_value(&view).map_err(|error| Error::Internal(error.to_string()))?;
            Ok(Placed { order, is_new })
        })
    })
    .await
}

fn check(order: &NewOrder) -> Result<()> {
    if order.lines.is_empty() {
        return Err(Error::Invalid("an order needs at least one line".to_owned()));
    }
    if order.customer.external_id.is_none() && order.customer.email.is_none() {
        return Err(Error::Invalid("an order needs a customer: an e-mail or an id".to_owned()));
    }
    Ok(())
}

fn place_in(app: &App, tx: &mut Tx<'_>, who: &Actor, order: &NewOrder) -> Result<(OrderId, bool)> {
    let (source, external_id) = (order.source.as_str(), order.external_id.as_str());
    if let Some(known) = store::orders::find_ids(tx, source, &[external_id])?.first() {
        return Ok((*known, false));
    }
    let at = app.now();
    let customer = CustomerRef {
        external_id: order.customer.external_id.as_ref(),
        email: order.customer.email.as_ref(),
        name: order.customer.name.as_deref(),
    };
    let customer = store::customers::find_or_insert(tx, source, &[customer], at)?[0];
    let catalogue = catalogue(tx, order)?;
    let lines = order
        .lines
        .iter()
        .map(|line| priced(line, &catalogue, order.currency))
        .collect::<Result<Vec<_>>>()?;
    let totals = totals_of(OrderTotals::new(
        lines.iter().map(|line| line.total),
        order.discount,
        order.shipping,
        0,
        false,
    ))?;
    let total = Money { amount: totals.total, currency: order.currency };
    let id = OrderId::from_ledger(tx.next_ids("orders", 1)?.start);
    let row = store::orders::NewOrder {
        id,
        source,
        external_id,
        customer,
        state: OrderState::placed(total, lines.iter().map(|line| line.quantity).sum()),
        totals,
        placed_at: order.placed_at.unwrap_or(at),
        import: None,
        stock_untracked: false,
        notify: order.notify,
        content_hash: None,
        details: None,
        lines,
    };
    insert_placed(app, tx, who, &[row], at, |_| Trace::current())?;
    Ok((id, true))
}

/// Inserts orders that are pending, each with the event that begins its timeline and the job that goes on with it, in the
/// trace that `trace` tells.
pub(crate) fn insert_placed(
    app: &App,
    tx: &mut Tx<'_>,
    who: &Actor,
    orders: &[store::orders::NewOrder<'_>],
    at: Timestamp,
    trace: impl Fn(&store::orders::NewOrder<'_>) -> Option<Trace>,
) -> Result<()> {
    store::orders::insert(tx, orders, at)?;
    let events: Vec<NewEvent<'_>> = orders
        .iter()
        .map(|order| NewEvent {
            order: order.id,
            version: 1,
            kind: EventKind::OrderPlaced,
            before: None,
            after: state_code(&order.state),
            data: None,
        })
        .collect();
    store::events::insert(tx, &events, who.as_str(), at)?;
    let jobs: Vec<_> = orders
        .iter()
        .filter(|order| !order.state.is_at_rest())
        .map(|order| ReserveStock { order: order.id }.job().traced(trace(order).as_ref()))
        .collect();
    app.queue().push_in(tx, &jobs)?;
    Ok(())
}

/// What the catalogue says of a SKU.
struct Listed {
    id: ProductId,
    name: String,
    price: Option<(i64, Currency)>,
}

fn catalogue(tx: &mut Tx<'_>, order: &NewOrder) -> Result<HashMap<String, Listed>> {
    let ids = store::products::find_ids(tx, order.lines.iter().map(|line| line.sku.as_str()))?;
    let ids: Vec<ProductId> = ids.into_values().collect();
    let listed = store::products::list(tx, &ids)?.into_iter().map(|product| {
        let price = product.price.zip(product.currency);
        (product.sku, Listed { id: product.id, name: product.name, price })
    });
    Ok(listed.collect())
}

fn priced<'a>(
    line: &'a NewOrderLine,
    catalogue: &'a HashMap<String, Listed>,
    currency: Currency,
) -> Result<NewLine<'a>> {
    let sku = line.sku.as_str();
    let listed = catalogue.get(sku).ok_or_else(|| {
        Error::Invalid(format!(
            "there is no product with the SKU `{sku}`; add it with `ordermill stock receive`"
        ))
    })?;
    let unit_price = match (line.unit_price, listed.price) {
        (Some(price), _) => price,
        (None, Some((price, listed_in))) if listed_in == currency => price,
        (None, Some((_, listed_in))) => {
            return Err(Error::Invalid(format!(
                "`{sku}` has a price in {listed_in}, not in {currency}; name one"
            )));
        }
        (None, None) => {
            return Err(Error::Invalid(format!("`{sku}` has no price in the catalogue; name one")));
        }
    };
    let quantity = i64::from(line.quantity.get());
    let total = LineTotals::new(line.quantity, unit_price, 0)
        .map_err(|error| Error::Invalid(format!("{quantity} × `{sku}`: {error}")))?
        .total;
    Ok(NewLine {
        product: listed.id,
        sku,
        name: &listed.name,
        quantity,
        unit_price,
        discount: 0,
        tax: 0,
        total,
        shipped: 0,
        refunded: 0,
    })
}
