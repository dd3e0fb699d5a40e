//! Whether what is derived from the days agrees with them, and each board with its scores. With
//! [`diff`](crate::diff), which proves the days themselves, that is all that is stored.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Calendar, Currency, KpiFigures, Period};
use jiff::Timestamp;

use super::Store;
use super::apply::BOARDS;
use super::keys::SeriesKeys;
use super::reader::{Reader, Stop};
use super::script::unreadable;
use super::stored::read_first;
use crate::names::{FIGURES, stored_values};
use crate::spans::{PERIODS, start_of};
use crate::sums::Findings;
use crate::zone::calendar_of;
use crate::{BoardOf, Result, SumDiff};

/// A piece of [`Store::check_sums`] that is read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedisSumCheck {
    currency: Currency,
    part: Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Periods,
    Month(i32),
    AllTime(BoardOf, Share),
}

/// Some of the ids, so that memory does not grow with the customers: those with this remainder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    remainder: i64,
    of: i64,
}

impl Share {
    const WHOLE: Share = Share { remainder: 0, of: 1 };

    /// Whether it is one of them.
    pub(super) fn holds(self, id: i64) -> bool {
        id.rem_euclid(self.of) == self.remainder
    }
}

/// Every day there is.
pub(super) const ALWAYS: (i32, i32) = (i32::MIN, i32::MAX);
/// Ids whose scores over all time are checked at once, about.
const IDS: i64 = 200_000;

impl Store {
    /// The pieces to check, so that each can be read at a moment of its own.
    pub async fn sum_checks(&self) -> Result<Vec<RedisSumCheck>> {
        self.undisturbed(false, |reader| async move {
            let mut checks = Vec::new();
            for currency in reader.currencies().await? {
                let keys = reader.series(currency);
                let mut months: BTreeSet<i32> = BTreeSet::new();
                for period in [Period::Day, Period::Week, Period::Month] {
                    let starts = reader.starts(&keys, period, ALWAYS).await?;
                    months.extend(starts.iter().map(|start| start_of(Period::Month, *start)));
                }
                let parts = [Part::Periods].into_iter().chain(months.into_iter().map(Part::Month));
                checks.extend(parts.map(|part| RedisSumCheck { currency, part }));
                for of in BOARDS {
                    let shares = reader.shares(&keys, of).await?;
                    let parts = shares.map(|share| Part::AllTime(of, share));
                    checks.extend(parts.map(|part| RedisSumCheck { currency, part }));
                }
            }
            Ok(checks)
        })
        .await
    }

    /// Checks one piece; returns what does not agree.
    pub async fn check_sums(&self, check: RedisSumCheck) -> Result<Vec<SumDiff>> {
        self.undisturbed(false, |reader| async move {
            let found = Findings { currency: check.currency, diffs: Vec::new() };
            let keys = reader.series(check.currency);
            let calendar = calendar_of(&reader.state.live_zone, &self.calendar)?;
            let mut auditor = Auditor { calendar, reader: &reader, keys, share: Share::WHOLE, found };
            match check.part {
                Part::Periods => auditor.check_periods().await?,
                Part::Month(month) => auditor.check_month(month).await?,
                Part::AllTime(of, share) => {
                    auditor.share = share;
                    auditor.check_all_time(of).await?;
                }
            }
            Ok(auditor.found.diffs)
        })
        .await
    }
}

impl Reader<'_> {
    /// The shares that the ids on a board of all time are checked in.
    async fn shares(
        &self,
        keys: &SeriesKeys,
        of: BoardOf,
    ) -> Result<impl Iterator<Item = Share> + use<>, Stop> {
        let mut commands = self.commands();
        commands.push("HLEN", &keys.scores(of, Period::All, 0), [""; 0]);
        let ids: i64 = self.run(commands).await?.next()?;
        let of = ids / IDS + 1;
        Ok((0..of).map(move |remainder| Share { remainder, of }))
    }
}

/// Checks figures of one currency at one moment.
pub(super) struct Auditor<'a> {
    pub(super) calendar: Calendar,
    pub(super) reader: &'a Reader<'a>,
    pub(super) keys: SeriesKeys,
    pub(super) share: Share,
    pub(super) found: Findings,
}

impl Auditor<'_> {
    /// Key figures of longer periods are sums of days, and new customers are those whose first order is on the day.
    async fn check_periods(&mut self) -> Result<(), Stop> {
        let calendar = self.calendar.clone();
        let days = self.stored(Period::Day).await?;
        let mut firsts: BTreeMap<i32, i64> = BTreeMap::new();
        self.reader
            .scan(&self.keys.firsts(), |_, text| {
                let Some(((placed_at, _), _)) = read_first(Some(text))? else { return Ok(()) };
                let at = Timestamp::from_microsecond(placed_at).map_err(|_| unreadable(text))?;
                *firsts.entry(calendar.business_day_number(at)).or_default() += 1;
                Ok(())
            })
            .await?;
        let customers: i64 = firsts.values().sum();
        for period in PERIODS {
            let stored = if period == Period::Day { days.clone() } else { self.stored(period).await? };
            let mut derived: BTreeMap<i32, KpiFigures> = BTreeMap::new();
            for (day, figures) in &days {
                let sum = derived.entry(start_of(period, *day)).or_default();
                *sum += KpiFigures { new_customers: 0, ..*figures };
            }
            for (day, new) in &firsts {
                derived.entry(start_of(period, *day)).or_default().new_customers += new;
            }
            let starts: BTreeSet<i32> = stored.keys().chain(derived.keys()).copied().collect();
            for start in starts {
                let of = |all: &BTreeMap<i32, KpiFigures>| all.get(&start).copied().unwrap_or_default();
                self.compare_figures(period, start, &of(&stored), &of(&derived), customers);
            }
        }
        Ok(())
    }

    async fn stored(&self, period: Period) -> Result<BTreeMap<i32, KpiFigures>, Stop> {
        let starts = match period {
            Period::All => vec![start_of(Period::All, 0)],
            _ => self.reader.starts(&self.keys, period, ALWAYS).await?,
        };
        Ok(self.reader.figures(&self.keys, period, &starts).await?.into_iter().collect())
    }

    fn compare_figures(
        &mut self,
        period: Period,
        start: i32,
        stored: &KpiFigures,
        derived: &KpiFigures,
        customers: i64,
    ) {
        let values = stored_values(stored).into_iter().zip(stored_values(derived));
        for (figure, (stored, derived)) in FIGURES.into_iter().zip(values) {
            match figure {
                "customers" if period == Period::All => {
                    self.found.compare(period, start, figure, stored, customers);
                }
                // The same customer may come on several days: counted by month, below.
                "customers" => {}
                _ => self.found.compare(period, start, figure, stored, derived),
            }
        }
    }
}
