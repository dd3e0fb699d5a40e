use domain::{Calendar, Period, day_number};
use jiff::civil::Date;
use sql::{Tx, Value};

use super::generation::{Generation, Series};
use super::kpis::read_figures;
use crate::figures::{Figures, Origin};
use crate::names::FIGURES;
use crate::{Result, Score};

impl Figures {
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
