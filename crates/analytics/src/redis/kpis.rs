use std::collections::HashSet;

use domain::{KpiFigures, Period, date_of, day_number};

use super::Store;
use super::keys::SeriesKeys;
use super::reader::{Reader, Stop};
use super::script::unreadable;
use super::stored::read_figures;
use crate::names::{FIGURES, figures_of};
use crate::report::{KpiPeriod, KpiQuery, KpiReport, Kpis};
use crate::spans::{around, day_bits, end_of, start_of};
use crate::{Error, Result};

/// Periods whose figures are read in one call.
const AT_ONCE: usize = 200;

type Periods = Vec<(i32, KpiFigures)>;

impl Store {
    /// Reads the key figures of a span of days.
    pub async fn kpis(&self, query: &KpiQuery) -> Result<KpiReport> {
        let KpiQuery { from, to, granularity, currency } = *query;
        if from > to {
            return Err(Error::Span { from, to });
        }
        self.read(|reader| async move {
            let (chosen, has_figures) = reader.choose(currency).await?;
            let span = Span { from: day_number(from), to: day_number(to) };
            let (periods, total) = if has_figures {
                let series = Series { reader: &reader, keys: reader.series(chosen.currency) };
                series.report(granularity.period(), span).await?
            } else {
                (Vec::new(), KpiFigures::default())
            };
            let show = |figures: &KpiFigures| Kpis::new(figures, chosen.currency);
            let shown = |(start, figures): &(i32, KpiFigures)| KpiPeriod {
                start: date_of(*start),
                kpis: show(figures),
            };
            Ok(KpiReport {
                from,
                to,
                granularity,
                time_zone: reader.state.live_zone.clone(),
                currency: chosen.currency,
                periods: periods.iter().map(shown).collect(),
                total: show(&total),
                other_currencies: chosen.others,
            })
        })
        .await
    }
}

/// Days from one day number to another, both included.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: i32,
    to: i32,
}

struct Series<'a> {
    reader: &'a Reader<'a>,
    keys: SeriesKeys,
}

impl Series<'_> {
    /// As the figures in SQL answer: whole periods as they are stored, cut ones from their days.
    async fn report(&self, period: Period, span: Span) -> Result<(Periods, KpiFigures), Stop> {
        let first = start_of(period, span.from);
        let mut periods = self.stored(period, Span { from: first, to: span.to }).await?;
        for (start, figures) in &mut periods {
            let end = end_of(period, *start);
            if *start < span.from || end > span.to {
                let inside = Span { from: span.from.max(*start), to: span.to.min(end) };
                *figures = self.sum_days(inside).await?;
            }
        }
        periods.retain(|(_, figures)| *figures != KpiFigures::default());
        let mut total = periods.iter().fold(KpiFigures::default(), |sum, (_, figures)| sum + *figures);
        if periods.len() > 1 {
            total.customers = self.distinct_customers(span, total.orders).await?;
        }
        Ok((periods, total))
    }

    async fn sum_days(&self, span: Span) -> Result<KpiFigures, Stop> {
        let days = self.stored(Period::Day, span).await?;
        let mut sum = days.iter().fold(KpiFigures::default(), |sum, (_, figures)| sum + *figures);
        if days.len() > 1 {
            sum.customers = self.distinct_customers(span, sum.orders).await?;
        }
        Ok(sum)
    }

    async fn stored(&self, period: Period, span: Span) -> Result<Periods, Stop> {
        let starts = self.reader.starts(&self.keys, period, (span.from, span.to)).await?;
        self.reader.figures(&self.keys, period, &starts).await
    }

    /// Distinct customers with one of the span's orders. Where the period around it has no other orders, that number is stored.
    async fn distinct_customers(&self, span: Span, orders: i64) -> Result<i64, Stop> {
        let (period, start) = around(span.from, span.to);
        let around = self.reader.figures(&self.keys, period, &[start]).await?;
        if let [(_, around)] = &around[..]
            && around.orders == orders
        {
            return Ok(around.customers);
        }
        let first = start_of(Period::Month, span.from);
        let months = self.reader.starts(&self.keys, Period::Month, (first, span.to)).await?;
        let mut customers = HashSet::new();
        for month in months {
            let inside = day_bits(month, span.from, span.to);
            let mut each = |customer: &str, bits: &str| {
                let days: u32 = bits.parse().map_err(|_| unreadable(bits))?;
                if days & inside != 0 {
                    customers.insert(customer.parse::<i64>().map_err(|_| unreadable(customer))?);
                }
                Ok(())
            };
            self.reader.scan(&self.keys.order_days(month), &mut each).await?;
        }
        Ok(customers.len() as i64)
    }
}

impl Reader<'_> {
    /// The periods with figures that start from `from` on, and not after `to`.
    pub(crate) async fn starts(
        &self,
        keys: &SeriesKeys,
        period: Period,
        (from, to): (i32, i32),
    ) -> Result<Vec<i32>, Stop> {
        let mut commands = self.commands();
        commands.push("ZRANGEBYSCORE", &keys.starts(period), [from, to]);
        Ok(self.run(commands).await?.next()?)
    }

    /// The stored figures of periods.
    pub(crate) async fn figures(
        &self,
        keys: &SeriesKeys,
        period: Period,
        starts: &[i32],
    ) -> Result<Periods, Stop> {
        let mut periods = Vec::with_capacity(starts.len());
        for piece in starts.chunks(AT_ONCE) {
            let mut commands = self.commands();
            for start in piece {
                commands.read_fields(&keys.kpis(period, *start), FIGURES);
            }
            let mut answers = self.run(commands).await?;
            for start in piece {
                let values = read_figures(&answers.fields(FIGURES.len())?)?;
                periods.push((*start, figures_of(values)));
            }
        }
        Ok(periods)
    }
}
