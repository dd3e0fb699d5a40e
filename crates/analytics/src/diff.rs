use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use domain::{Currency, CustomerId, KpiFigures, OrderId, date_of};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::Score;
use crate::figures::{DayFigures, Figures, Origin};
use crate::names::{FIGURES, stored_values};

/// Scores listed one by one for each day; the rest is counted.
const LISTED: usize = 10;

/// What is stored of a day and is not what the ledger gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayDiff {
    /// The business day.
    pub date: Date,
    /// The currency.
    pub currency: Currency,
    /// Key figures that differ.
    pub figures: Vec<FigureDiff>,
    /// Customers whose score differs.
    pub customers: ScoreDiffs,
    /// Products whose score differs.
    pub products: ScoreDiffs,
    /// Customers whose first order differs and would be on this day.
    pub first_orders: Vec<FirstOrderDiff>,
}

/// A key figure that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FigureDiff {
    /// Its name.
    pub figure: &'static str,
    /// What is stored.
    pub stored: i64,
    /// What the ledger gives.
    pub ledger: i64,
}

/// Scores that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ScoreDiffs {
    /// How many.
    pub count: u64,
    /// The first of them, by id.
    pub first: Vec<ScoreDiff>,
}

/// A score that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScoreDiff {
    /// The customer or product.
    pub id: i64,
    /// What is stored.
    pub stored: Option<Score>,
    /// What the ledger gives.
    pub ledger: Option<Score>,
}

/// A customer's first order that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FirstOrderDiff {
    /// Whose.
    pub customer_id: CustomerId,
    /// What is stored.
    pub stored: Option<FirstOrder>,
    /// What the ledger gives for these days.
    pub ledger: Option<FirstOrder>,
}

/// A first order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FirstOrder {
    /// The order.
    pub order_id: OrderId,
    /// When it was placed; none if what is stored is no time.
    pub placed_at: Option<Timestamp>,
}

/// Compares the same span of days, as stored and as the ledger gives it, in the same time zone. Days that agree are
/// left out.
///
/// The ledger's days alone do not tell how many customers are new. Their first orders are compared instead, and
/// [`check_sums`](crate::check_sums) proves that the stored counts are those of the stored first orders.
pub fn diff(stored: &Figures, ledger: &Figures) -> Vec<DayDiff> {
    let keys: BTreeSet<_> = stored.days.keys().chain(ledger.days.keys()).copied().collect();
    let mut firsts = first_orders(stored, ledger);
    let all_figures = stored.origin == ledger.origin;
    let nothing = DayFigures::default();
    let mut diffs = Vec::new();
    for (day, currency) in keys {
        let left = stored.days.get(&(day, currency)).unwrap_or(&nothing);
        let right = ledger.days.get(&(day, currency)).unwrap_or(&nothing);
        let found = DayDiff {
            date: date_of(day),
            currency,
            figures: figures(&left.kpis, &right.kpis, all_figures),
            customers: scores(&left.customers, &right.customers),
            products: scores(&left.products, &right.products),
            first_orders: firsts.remove(&(day, currency)).unwrap_or_default(),
        };
        if !found.is_empty() {
            diffs.push(found);
        }
    }
    diffs
}

impl DayDiff {
    fn is_empty(&self) -> bool {
        self.figures.is_empty()
            && self.customers.count == 0
            && self.products.count == 0
            && self.first_orders.is_empty()
    }
}

fn figures(stored: &KpiFigures, ledger: &KpiFigures, all: bool) -> Vec<FigureDiff> {
    let compared = FIGURES.into_iter().filter(|figure| all || *figure != "new_customers");
    compared
        .zip(stored_values(stored).into_iter().zip(stored_values(ledger)))
        .filter(|(_, (stored, ledger))| stored != ledger)
        .map(|(figure, (stored, ledger))| FigureDiff { figure, stored, ledger })
        .collect()
}

fn scores(stored: &BTreeMap<i64, Score>, ledger: &BTreeMap<i64, Score>) -> ScoreDiffs {
    let ids: BTreeSet<i64> = stored.keys().chain(ledger.keys()).copied().collect();
    let mut diffs = ScoreDiffs::default();
    for id in ids {
        let (stored, ledger) = (stored.get(&id).copied(), ledger.get(&id).copied());
        if stored == ledger {
            continue;
        }
        diffs.count += 1;
        if diffs.first.len() < LISTED {
            diffs.first.push(ScoreDiff { id, stored, ledger });
        }
    }
    diffs
}

type FirstOrders = BTreeMap<(i32, Currency), Vec<FirstOrderDiff>>;

/// A stored first order must be the ledger's, unless it is on a day before those compared.
fn first_orders(stored: &Figures, ledger: &Figures) -> FirstOrders {
    let mut diffs = FirstOrders::new();
    for ((currency, customer), found) in &ledger.firsts {
        let kept = stored.firsts.get(&(*currency, *customer));
        let kept_day = kept.and_then(|kept| stored.day_of(kept.0));
        let earlier =
            kept.is_some_and(|kept| kept < found) && !kept_day.is_some_and(|day| ledger.covers(day));
        let both_stored = ledger.origin == Origin::Stored;
        if kept == Some(found) || (earlier && !both_stored) {
            continue;
        }
        let shown = |(placed_at, order_id): &(i64, i64)| FirstOrder {
            order_id: OrderId::from_ledger(*order_id),
            placed_at: Timestamp::from_microsecond(*placed_at).ok(),
        };
        // Named on the ledger's day where the span holds it, so that it is reported once.
        let day = ledger.day_of(found.0).filter(|day| ledger.covers(*day)).or(kept_day);
        let Some(day) = day.filter(|day| ledger.covers(*day)) else { continue };
        diffs.entry((day, *currency)).or_default().push(FirstOrderDiff {
            customer_id: CustomerId::from_ledger(*customer),
            stored: kept.map(shown),
            ledger: Some(shown(found)),
        });
    }
    diffs
}

impl fmt::Display for DayDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        for FigureDiff { figure, stored, ledger } in &self.figures {
            parts.push(format!("{figure} stored {stored}, ledger {ledger}"));
        }
        for (noun, diffs) in [("customer", &self.customers), ("product", &self.products)] {
            for ScoreDiff { id, stored, ledger } in &diffs.first {
                parts.push(format!("{noun} {id} stored {}, ledger {}", Shown(*stored), Shown(*ledger)));
            }
            let unlisted = diffs.count.saturating_sub(diffs.first.len() as u64);
            if unlisted > 0 {
                parts.push(format!("and {unlisted} more {noun}s"));
            }
        }
        for FirstOrderDiff { customer_id, stored, ledger } in &self.first_orders {
            let id = |first: &Option<FirstOrder>| {
                first.map_or_else(|| "none".to_owned(), |first| first.order_id.to_string())
            };
            let (stored, ledger) = (id(stored), id(ledger));
            parts.push(format!("first order of customer {customer_id} stored {stored}, ledger {ledger}"));
        }
        write!(f, "{} {}: {}", self.date, self.currency, parts.join("; "))
    }
}

/// A score in words.
struct Shown(Option<Score>);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Score { count, net, reached_at }) = self.0 else { return f.write_str("nothing") };
        write!(f, "{count} for {net}")?;
        match Timestamp::from_microsecond(reached_at) {
            Ok(at) if reached_at != 0 => write!(f, " at {at}"),
            _ => Ok(()),
        }
    }
}
