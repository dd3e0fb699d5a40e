//! What templates are given: every name is always there, and is none where there is nothing to tell.

use std::borrow::Cow;
use std::collections::HashMap;

use domain::{Calendar, EventKind, Money, NotificationKind, OrderId, RefundId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sql::Tx;
use store::notifications::{Matter, MatterLine};
use store::refunds::RefundLine;

use crate::Result;

/// What a template is given. Amounts are texts, such as `19.99 EUR`.
#[derive(Debug, Clone, Serialize)]
pub struct Input<'a> {
    /// The shop.
    pub shop: ShopInput<'a>,
    /// The customer.
    pub customer: CustomerInput<'a>,
    /// The order.
    pub order: OrderInput<'a>,
    /// The lines: of the order, of the parcel (`shipped`), or those that were refunded (`refunded`).
    pub lines: Vec<LineInput<'a>>,
    /// Units of lines that are left out, because a mail shows a hundred lines at most.
    pub more_units: i64,
    /// Whether `lines` add up to the order's total.
    pub show_totals: bool,
    /// What was not in stock (`out_of_stock`).
    pub short: Vec<ShortInput<'a>>,
    /// Why the payment failed, or what was noted when the order was cancelled.
    pub reason: Option<Cow<'a, str>>,
    /// What left (`shipped`).
    pub parcel: ParcelInput<'a>,
    /// What went back (`refunded`).
    pub refund: RefundInput,
}

/// The shop, as [`Input`] shows it.
#[derive(Debug, Clone, Serialize)]
pub struct ShopInput<'a> {
    /// Its name.
    pub name: &'a str,
}

/// The customer, as [`Input`] shows them.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerInput<'a> {
    /// Their name.
    pub name: Option<Cow<'a, str>>,
}

/// The order, as [`Input`] shows it. What is zero is none.
#[derive(Debug, Clone, Serialize)]
pub struct OrderInput<'a> {
    /// Its number, as the customer knows it.
    pub number: Cow<'a, str>,
    /// The day it was placed on, in the shop's time zone: `2030-01-31`.
    pub placed_on: String,
    /// What the lines cost.
    pub subtotal: String,
    /// What was taken off.
    pub discount: Option<String>,
    /// What shipping costs.
    pub shipping: Option<String>,
    /// All taxes.
    pub tax: Option<String>,
    /// Whether the prices contain the tax.
    pub tax_included: bool,
    /// What makes up for rounding.
    pub adjustment: Option<String>,
    /// What the customer owes.
    pub total: String,
    /// Whether any money was taken.
    pub is_paid: bool,
}

/// A line, as [`Input`] shows it.
#[derive(Debug, Clone, Serialize)]
pub struct LineInput<'a> {
    /// The product's SKU.
    pub sku: Cow<'a, str>,
    /// The product's name.
    pub name: Cow<'a, str>,
    /// Units.
    pub quantity: i64,
    /// What one costs.
    pub unit_price: String,
    /// What all of it costs, or what went back; none in a parcel.
    pub amount: Option<String>,
}

/// What was not in stock, as [`Input`] shows it.
#[derive(Debug, Clone, Serialize)]
pub struct ShortInput<'a> {
    /// The product's SKU.
    pub sku: Cow<'a, str>,
    /// The product's name, where the order's first lines tell it.
    pub name: Option<Cow<'a, str>>,
    /// Units ordered.
    pub wanted: i64,
    /// Units there were.
    pub available: i64,
}

/// What left, as [`Input`] shows it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ParcelInput<'a> {
    /// Who carries it.
    pub carrier: Option<Cow<'a, str>>,
    /// The carrier's number.
    pub tracking: Option<Cow<'a, str>>,
    /// Whether nothing is left to ship.
    pub is_last: bool,
}

/// What went back, as [`Input`] shows it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RefundInput {
    /// How much.
    pub amount: Option<String>,
}

/// Lines that a mail shows: more would be cut off by mail readers.
const SHOWN_LINES: u32 = 100;

/// What a set of notifications tells of.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The notifications, in the order of ids.
    pub(super) matters: Vec<Matter>,
    lines: HashMap<OrderId, Vec<MatterLine>>,
    parcels: HashMap<(OrderId, Timestamp), HashMap<i64, i64>>,
    refunds: HashMap<RefundId, Vec<RefundLine>>,
}

/// What an event kept, as far as customers and the shop's receiver are told: not what is ours alone, such as keys.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct EventData {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    short: Vec<Short>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<RefundId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Short {
    sku: Option<String>,
    wanted: i64,
    available: i64,
}

impl Gathered {
    /// Reads what these notifications tell of, each kind of thing in one set.
    pub(super) fn read(tx: &mut Tx<'_>, ids: &[domain::NotificationId]) -> Result<Self> {
        let matters = store::notifications::list_matters(tx, ids)?;
        let mut gathered = Gathered { matters, ..Gathered::default() };
        let mut orders: Vec<OrderId> = gathered.matters.iter().map(|matter| matter.order).collect();
        orders.sort_unstable();
        orders.dedup();
        for line in store::notifications::list_lines(tx, &orders, SHOWN_LINES)? {
            gathered.lines.entry(line.order).or_default().push(line);
        }
        let of_kind = |kind| gathered.matters.iter().filter(move |matter: &&Matter| matter.kind == kind);
        let shipped: Vec<OrderId> = of_kind(NotificationKind::Shipped).map(|matter| matter.order).collect();
        let refunds: Vec<RefundId> =
            of_kind(NotificationKind::Refunded).filter_map(|matter| event_data(matter).refund).collect();
        if !shipped.is_empty() {
            for (order, left_at, line_no, units) in store::notifications::list_parcel_lines(tx, &shipped)? {
                *gathered.parcels.entry((order, left_at)).or_default().entry(line_no).or_default() += units;
            }
        }
        if !refunds.is_empty() {
            for (refund, line) in store::refunds::list_lines(tx, &refunds)? {
                gathered.refunds.entry(refund).or_default().push(line);
            }
        }
        Ok(gathered)
    }

    /// What the templates are given for one of them.
    pub(super) fn input<'a>(&'a self, matter: &'a Matter, shop: &'a str, calendar: &Calendar) -> Input<'a> {
        let data = event_data(matter);
        let lines = self.lines.get(&matter.order).map_or(&[][..], Vec::as_slice);
        let (shown, units) = self.shown(matter, lines, data.refund);
        let money = |amount| Money::new(amount, matter.currency).to_string();
        let more_units = units - shown.iter().map(|line| line.quantity).sum::<i64>();
        Input {
            shop: ShopInput { name: shop },
            customer: CustomerInput { name: matter.customer.as_deref().map(plain) },
            order: order_input(matter, calendar),
            lines: shown,
            more_units,
            show_totals: !matches!(matter.kind, NotificationKind::Shipped | NotificationKind::Refunded),
            short: data.short.iter().map(|short| short_input(short, lines)).collect(),
            reason: data.reason.map(owned),
            parcel: ParcelInput {
                carrier: data.carrier.map(owned),
                tracking: data.tracking.map(owned),
                is_last: matter.event != EventKind::OrderPartiallyShipped,
            },
            refund: RefundInput { amount: data.amount.map(money) },
        }
    }

    /// The lines that a mail shows, and the units of all that it tells of.
    fn shown<'a>(
        &'a self,
        matter: &Matter,
        lines: &'a [MatterLine],
        refund: Option<RefundId>,
    ) -> (Vec<LineInput<'a>>, i64) {
        let money = |amount| Money::new(amount, matter.currency).to_string();
        let line = |line: &'a MatterLine, quantity, amount: Option<i64>| LineInput {
            sku: plain(&line.sku),
            name: plain(&line.name),
            quantity,
            unit_price: money(line.unit_price),
            amount: amount.map(money),
        };
        match matter.kind {
            NotificationKind::Shipped => {
                let Some(parcel) = self.parcels.get(&(matter.order, matter.event_at)) else {
                    return (Vec::new(), 0);
                };
                let shown = lines.iter().filter_map(|one| Some(line(one, *parcel.get(&one.line_no)?, None)));
                (shown.collect(), parcel.values().sum())
            }
            NotificationKind::Refunded => {
                let all = refund.and_then(|refund| self.refunds.get(&refund)).map_or(&[][..], Vec::as_slice);
                let refunded: Vec<&RefundLine> = all.iter().filter(|line| line.quantity > 0).collect();
                let of = |one: &MatterLine| refunded.iter().find(|refunded| refunded.line_no == one.line_no);
                let shown = lines.iter().filter_map(|one| {
                    of(one).map(|refunded| line(one, refunded.quantity, Some(refunded.amount)))
                });
                (shown.collect(), refunded.iter().map(|line| line.quantity).sum())
            }
            _ => (lines.iter().map(|one| line(one, one.quantity, Some(one.total))).collect(), matter.units),
        }
    }
}

pub(super) fn event_data(matter: &Matter) -> EventData {
    // Of these events nothing but the order itself is told.
    if matches!(matter.kind, NotificationKind::Confirmation | NotificationKind::Delivered) {
        return EventData::default();
    }
    matter.data.as_deref().and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default()
}

fn order_input<'a>(matter: &'a Matter, calendar: &Calendar) -> OrderInput<'a> {
    let totals = matter.totals;
    let money = |amount| Money::new(amount, matter.currency).to_string();
    let unless_zero = |amount: i64| (amount != 0).then(|| money(amount));
    OrderInput {
        number: plain(&matter.order_number),
        placed_on: calendar.business_day(matter.placed_at).to_string(),
        subtotal: money(totals.subtotal),
        discount: unless_zero(totals.discount),
        shipping: unless_zero(totals.shipping),
        tax: unless_zero(totals.tax),
        tax_included: totals.tax_included,
        adjustment: unless_zero(totals.adjustment),
        total: money(totals.total),
        is_paid: matter.is_paid,
    }
}

fn short_input<'a>(short: &Short, lines: &'a [MatterLine]) -> ShortInput<'a> {
    let sku = short.sku.clone().unwrap_or_default();
    let name = lines.iter().find(|line| line.sku == sku).map(|line| plain(&line.name));
    ShortInput { sku: owned(sku), name, wanted: short.wanted, available: short.available }
}

/// A text in one line: nothing in it can end a line or a header of a mail.
fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().any(breaks) { Cow::Owned(text.replace(breaks, " ")) } else { Cow::Borrowed(text) }
}

fn owned<'a>(text: String) -> Cow<'a, str> {
    if text.chars().any(breaks) { Cow::Owned(text.replace(breaks, " ")) } else { Cow::Owned(text) }
}

fn breaks(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}
