use domain::{Currency, KpiFigures, Money, Period, UnknownName};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::currency::CurrencyChoice;

/// How long the periods of a report are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// Business days.
    Day,
    /// Weeks from Monday.
    Week,
    /// Calendar months.
    Month,
}

/// Which key figures to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KpiQuery {
    /// The first business day.
    pub from: Date,
    /// The last business day, included.
    pub to: Date,
    /// How long each period is. A week or month that the span cuts is counted inside the span only.
    pub granularity: Granularity,
    /// In which currency.
    pub currency: CurrencyChoice,
}

/// The key figures of a span of days.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct KpiReport {
    /// The first business day.
    pub from: Date,
    /// The last business day.
    pub to: Date,
    /// How long each period is.
    pub granularity: Granularity,
    /// The zone of the business days.
    pub time_zone: String,
    /// The currency of all money in the report.
    pub currency: Currency,
    /// The periods that have any figure, the oldest first.
    pub periods: Vec<KpiPeriod>,
    /// The figures of the whole span.
    pub total: Kpis,
    /// Other currencies that have figures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_currencies: Vec<Currency>,
}

/// The key figures of one period.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct KpiPeriod {
    /// Its first day: of a week its Monday, even where the span begins later.
    pub start: Date,
    /// The figures.
    #[serde(flatten)]
    pub kpis: Kpis,
}

/// Key figures as shown. [`KpiFigures`] defines each.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Kpis {
    /// Orders once confirmed.
    pub orders: i64,
    /// Units in them.
    pub units: i64,
    /// Money in them.
    pub gross: Money,
    /// Money given back.
    pub refunds: Money,
    /// Gross less refunds.
    pub net: Money,
    /// Gross per order; none without orders.
    pub average_order_value: Option<Money>,
    /// Refunds over gross; none where gross is 0.
    pub refund_rate: Option<f64>,
    /// Orders that failed.
    pub failed: i64,
    /// Orders that were cancelled.
    pub cancelled: i64,
    /// Paid over paid, declined and expired; none where there are none of them.
    pub payment_success_rate: Option<f64>,
    /// Customers whose first order this is.
    pub new_customers: i64,
    /// Customers who had ordered before.
    pub returning_customers: i64,
}

impl Kpis {
    /// Shows figures in their currency.
    pub fn new(figures: &KpiFigures, currency: Currency) -> Self {
        let money = |amount| Money::new(amount, currency);
        Kpis {
            orders: figures.orders,
            units: figures.units,
            gross: money(figures.gross),
            refunds: money(figures.refunds),
            net: money(figures.net()),
            average_order_value: figures.average_order_value().map(money),
            refund_rate: figures.refund_rate(),
            failed: figures.failed,
            cancelled: figures.cancelled,
            payment_success_rate: figures.payment_success_rate(),
            new_customers: figures.new_customers,
            returning_customers: figures.returning_customers(),
        }
    }
}

impl std::str::FromStr for Granularity {
    type Err = UnknownName;

    fn from_str(word: &str) -> Result<Self, UnknownName> {
        let known = [Granularity::Day, Granularity::Week, Granularity::Month];
        known.into_iter().find(|one| one.period().as_str() == word).ok_or_else(|| UnknownName {
            what: "granularity",
            given: word.chars().take(64).collect(),
            known: known.map(|one| one.period().as_str()).join(", "),
        })
    }
}

impl Granularity {
    /// The period.
    pub const fn period(self) -> Period {
        match self {
            Granularity::Day => Period::Day,
            Granularity::Week => Period::Week,
            Granularity::Month => Period::Month,
        }
    }
}
