use std::collections::BTreeMap;

use domain::{Calendar, Currency, KpiFigures, Period, day_number};
use jiff::civil::Date;
use sql::{Tx, Value};

use crate::changes::fold;
use crate::generation::{Generation, Series};
use crate::kpis::read_figures;
use crate::score::Fold;
use crate::{Fact, Result, Score, apply::FIGURES};

/// The figures of a span of business days, as the ledger gives them or as they are stored: what [`diff`](crate::diff)
/// compares. Takes memory for each customer and product of each day, so that long histories are compared span by span.
#[derive(Debug, Clone)]
pub struct Figures {
    pub(crate) origin: Origin,
    calendar: Calendar,
    from: i32,
    to: i32,
    pub(crate) days: BTreeMap<(i32, Currency), DayFigures>,
    /// The first order, by `(placed_at, id)`, of each customer with an order in the span: within the span if the
    /// ledger told it, ever if it is stored.
    pub(crate) firsts: BTreeMap<(Currency, i64), (i64, i64)>,
}

/// Where figures come from. A span of the ledger does not tell who ordered before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Ledger,
    Stored,
}

/// The figures of one day and currency.
#[derive(Debug, Clone, Default)]
pub(crate) struct DayFigures {
    pub(crate) kpis: KpiFigures,
    pub(crate) customers: BTreeMap<i64, Score>,
    pub(crate) products: BTreeMap<i64, Score>,
}

impl Figures {
    /// No figures yet, for the days `from..=to`.
    pub fn new(calendar: &Calendar, from: Date, to: Date) -> Self {
        Self::empty(Origin::Ledger, calendar, day_number(from), day_number(to))
    }

    fn empty(origin: Origin, calendar: &Calendar, from: i32, to: i32) -> Self {
        let calendar = calendar.clone();
        Figures { origin, calendar, from, to, days: BTreeMap::new(), firsts: BTreeMap::new() }
    }

    /// Adds facts of the ledger; those of other days are passed over. To be complete, the figures need every fact
    /// that [counts](Fact::counts_at) in the span.
    pub fn add(&mut self, facts: &[Fact]) -> Result<()> {
        let (from, to) = (self.from, self.to);
        let inside =
            |fact: &&Fact| (from..=to).contains(&self.calendar.business_day_number(fact.counts_at()));
        let changes = fold(&self.calendar, facts.iter().filter(inside))?;
        for (currency, changes) in changes {
            for (day, figures) in changes.days {
                self.days.entry((day, currency)).or_default().kpis += figures;
            }
            for ((day, id), score) in changes.customer_days {
                let of = self.days.entry((day, currency)).or_default();
                let known = of.customers.entry(id).or_default();
                of.kpis.customers += i64::from(known.count == 0 && score.count > 0);
                known.fold(&score);
            }
            for ((day, id), score) in changes.product_days {
                let of = self.days.entry((day, currency)).or_default();
                of.products.entry(id).or_default().fold(&score);
            }
            for order in changes.orders {
                let placed = (order.placed_at, order.order_id);
                let first = self.firsts.entry((currency, order.customer)).or_insert(placed);
                *first = (*first).min(placed);
            }
        }
        Ok(())
    }

    /// Reads the stored figures of the days `from..=to`.
    pub fn stored(tx: &mut Tx<'_>, calendar: &Calendar, from: Date, to: Date) -> Result<Self> {
        let (from, to) = (day_number(from), day_number(to));
        match Generation::live(tx, calendar)? {
            Some(generation) => Self::of_generation(tx, &generation, from, to),
            None => Ok(Self::empty(Origin::Stored, calendar, from, to)),
        }
    }

    pub(crate) fn of_generation(
        tx: &mut Tx<'_>,
        generation: &Generation,
        from: i32,
        to: i32,
    ) -> Result<Self> {
        let mut figures = Self::empty(Origin::Stored, &generation.calendar, from, to);
        for series in &generation.series {
            figures.read_kpis(tx, series)?;
            figures.read_scores(tx, series)?;
            figures.read_firsts(tx, series)?;
        }
        Ok(figures)
    }

    /// The business day of an instant in epoch microseconds; none if it is no instant.
    pub(crate) fn day_of(&self, micros: i64) -> Option<i32> {
        let at = jiff::Timestamp::from_microsecond(micros).ok()?;
        Some(self.calendar.business_day_number(at))
    }

    /// Whether a day is in the span.
    pub(crate) fn covers(&self, day: i32) -> bool {
        (self.from..=self.to).contains(&day)
    }

    fn read_kpis(&mut self, tx: &mut Tx<'_>, series: &Series) -> Result<()> {
        let sql = format!(
            "SELECT start_day, {} FROM kpi_periods WHERE series = ? AND period = ? AND start_day BETWEEN ? AND ?",
            FIGURES.join(", ")
        );
        let params = [series.id.into(), Period::Day.code().into(), self.from.into(), self.to.into()];
        tx.for_each(&sql, &params, |row| {
            self.days.entry((row.get(0)?, series.currency)).or_default().kpis = read_figures(row, 1)?;
            Ok(())
        })?;
        Ok(())
    }

    fn read_scores(&mut self, tx: &mut Tx<'_>, series: &Series) -> Result<()> {
        let params = [series.id.into(), self.from.into(), self.to.into()];
        let sql = "SELECT day, customer_id, orders, net, reached_at FROM customer_days \
                   WHERE series = ? AND day BETWEEN ? AND ?";
        tx.for_each(sql, &params, |row| {
            let score = Score { count: row.get(2)?, net: row.get(3)?, reached_at: row.get(4)? };
            let of = self.days.entry((row.get(0)?, series.currency)).or_default();
            of.customers.insert(row.get(1)?, score);
            Ok(())
        })?;
        let sql = "SELECT day, product_id, units, net, reached_at FROM product_days \
                   WHERE series = ? AND day BETWEEN ? AND ?";
        tx.for_each(sql, &params, |row| {
            let score = Score { count: row.get(2)?, net: row.get(3)?, reached_at: row.get(4)? };
            let of = self.days.entry((row.get(0)?, series.currency)).or_default();
            of.products.insert(row.get(1)?, score);
            Ok(())
        })?;
        Ok(())
    }

    fn read_firsts(&mut self, tx: &mut Tx<'_>, series: &Series) -> Result<()> {
        let mut customers: Vec<i64> = self
            .days
            .iter()
            .filter(|((_, currency), _)| *currency == series.currency)
            .flat_map(|(_, day)| day.customers.iter().filter(|(_, score)| score.count > 0).map(|(id, _)| *id))
            .collect();
        customers.sort_unstable();
        customers.dedup();
        let customers: Vec<Value<'_>> = customers.into_iter().map(Value::Int).collect();
        let sql = "SELECT customer_id, first_placed_at, first_order_id FROM customer_totals \
                   WHERE series = ? AND customer_id IN ({in}) AND first_placed_at IS NOT NULL";
        let firsts = tx.query_in(sql, &[series.id.into()], &customers, |row| {
            Ok(((series.currency, row.get(0)?), (row.get(1)?, row.get(2)?)))
        })?;
        self.firsts.extend(firsts);
        Ok(())
    }
}
