//! Whether what is derived from the days agrees with them, and each board with its scores. With
//! [`diff`](crate::diff), which proves the days themselves, that is all that is stored.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Calendar, Currency, KpiFigures, Period};
use jiff::Timestamp;

use super::Store;
use super::apply::{BOARDS, read_first, read_score};
use super::keys::{SeriesKeys, of_member};
use super::reader::{Reader, Stop};
use super::script::unreadable;
use crate::names::{FIGURES, stored_values};
use crate::score::Fold as _;
use crate::spans::{PERIODS, day_bit, end_of, start_of};
use crate::sums::Findings;
use crate::zone::calendar_of;
use crate::{BoardOf, Result, Score, SumDiff};

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
    AllTime(BoardOf),
}

/// Every day there is.
const ALWAYS: (i32, i32) = (i32::MIN, i32::MAX);
/// Members of a board that are read in one call.
const AT_ONCE: i64 = 1_000;

type Scores = BTreeMap<i64, Score>;

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
                let parts = parts.chain(BOARDS.map(Part::AllTime));
                checks.extend(parts.map(|part| RedisSumCheck { currency, part }));
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
            let mut auditor = Auditor { calendar, reader: &reader, keys, found };
            match check.part {
                Part::Periods => auditor.check_periods().await?,
                Part::Month(month) => auditor.check_month(month).await?,
                Part::AllTime(of) => auditor.check_all_time(of).await?,
            }
            Ok(auditor.found.diffs)
        })
        .await
    }
}

struct Auditor<'a> {
    calendar: Calendar,
    reader: &'a Reader<'a>,
    keys: SeriesKeys,
    found: Findings,
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

    /// The boards of a month, of its days, and of the weeks whose Monday is in it.
    async fn check_month(&mut self, month: i32) -> Result<(), Stop> {
        let end = end_of(Period::Month, month);
        for of in BOARDS {
            let mut of_month = Scores::new();
            let mut order_days: BTreeMap<i64, u32> = BTreeMap::new();
            // The last week may reach into the next month.
            let days = self.reader.starts(&self.keys, Period::Day, (month, end + 6)).await?;
            let mut weeks: BTreeMap<i32, Scores> = BTreeMap::new();
            for day in days {
                let scores = self.scores(of, Period::Day, day).await?;
                let monday = start_of(Period::Week, day);
                if (month..=end).contains(&monday) {
                    add(weeks.entry(monday).or_default(), &scores);
                }
                if day > end {
                    continue;
                }
                add(&mut of_month, &scores);
                for (id, _) in scores.iter().filter(|(_, score)| score.count > 0) {
                    *order_days.entry(*id).or_default() |= day_bit(month, day);
                }
                self.check_board(of, Period::Day, day, &scores).await?;
                self.check_customers(of, Period::Day, day, &scores).await?;
            }
            for monday in self.reader.starts(&self.keys, Period::Week, (month, end)).await? {
                weeks.entry(monday).or_default();
            }
            for (monday, derived) in weeks {
                self.check_period(of, Period::Week, monday, &derived).await?;
            }
            self.check_period(of, Period::Month, month, &of_month).await?;
            if of == BoardOf::Customers {
                self.check_order_days(month, order_days).await?;
            }
        }
        Ok(())
    }

    /// Scores over all time are those of the months, and the first and last order are on days with one.
    async fn check_all_time(&mut self, of: BoardOf) -> Result<(), Stop> {
        let mut derived = Scores::new();
        let mut spans: BTreeMap<i64, (i32, i32)> = BTreeMap::new();
        for month in self.reader.starts(&self.keys, Period::Month, ALWAYS).await? {
            add(&mut derived, &self.scores(of, Period::Month, month).await?);
            if of == BoardOf::Products {
                continue;
            }
            for (id, days) in self.order_days(month).await? {
                let first = month + days.trailing_zeros().cast_signed();
                let last = month + 31 - days.leading_zeros().cast_signed();
                let span = spans.entry(id).or_insert((first, last));
                *span = (span.0.min(first), span.1.max(last));
            }
        }
        let start = start_of(Period::All, 0);
        self.check_period(of, Period::All, start, &derived).await?;
        if of == BoardOf::Customers { self.check_firsts(&spans).await } else { Ok(()) }
    }

    async fn check_firsts(&mut self, spans: &BTreeMap<i64, (i32, i32)>) -> Result<(), Stop> {
        let calendar = self.calendar.clone();
        let mut stored: BTreeMap<i64, (i32, i32)> = BTreeMap::new();
        self.reader
            .scan(&self.keys.firsts(), |id, text| {
                let Some(((placed_at, _), last)) = read_first(Some(text))? else { return Ok(()) };
                let at = Timestamp::from_microsecond(placed_at).map_err(|_| unreadable(text))?;
                let id = id.parse().map_err(|_| unreadable(id))?;
                stored.insert(id, (calendar.business_day_number(at), last));
                Ok(())
            })
            .await?;
        let ids: BTreeSet<i64> = stored.keys().chain(spans.keys()).copied().collect();
        for id in ids {
            let of = |all: &BTreeMap<i64, (i32, i32)>| all.get(&id).copied().unwrap_or((-1, -1));
            let ((first, last), (derived_first, derived_last)) = (of(&stored), of(spans));
            let names = [("first day", first, derived_first), ("last day", last, derived_last)];
            for (name, stored, derived) in names {
                let figure = format!("{name} of customer {id}");
                self.found.compare(Period::All, 0, figure, stored.into(), derived.into());
            }
        }
        Ok(())
    }

    async fn check_period(
        &mut self,
        of: BoardOf,
        period: Period,
        start: i32,
        derived: &Scores,
    ) -> Result<(), Stop> {
        let stored = self.scores(of, period, start).await?;
        self.compare_scores(of, period, start, &stored, derived, "");
        self.check_board(of, period, start, &stored).await?;
        self.check_customers(of, period, start, &stored).await
    }

    /// A board has a member for each score, and no other.
    async fn check_board(
        &mut self,
        of: BoardOf,
        period: Period,
        start: i32,
        scores: &Scores,
    ) -> Result<(), Stop> {
        let key = self.keys.board(of, period, start);
        let mut places: Vec<String> = Vec::new();
        for from in (0_i64..).step_by(AT_ONCE as usize) {
            let mut commands = self.reader.commands();
            let to = from + AT_ONCE - 1;
            commands.push("ZRANGE", &key, [from.to_string(), to.to_string(), "WITHSCORES".to_owned()]);
            let page: Vec<String> = self.reader.run(commands).await?.next()?;
            let is_last = (page.len() as i64) < AT_ONCE * 2;
            places.extend(page);
            if is_last {
                break;
            }
        }
        let mut shown = Scores::new();
        for pair in places.chunks_exact(2) {
            let Some((id, reached_at)) = of_member(&pair[0]) else { continue };
            // A score that is no whole number is no sum of ours.
            let net = pair[1].parse().unwrap_or(i64::MIN);
            let count = scores.get(&id).map_or(0, |score| score.count);
            shown.insert(id, Score { count, net, reached_at });
        }
        self.found.compare(period, start, "places", places.len() as i64 / 2, scores.len() as i64);
        self.compare_scores(of, period, start, &shown, scores, "place of ");
        Ok(())
    }

    /// Distinct customers are those with an order.
    async fn check_customers(
        &mut self,
        of: BoardOf,
        period: Period,
        start: i32,
        scores: &Scores,
    ) -> Result<(), Stop> {
        if of == BoardOf::Products || period == Period::All {
            return Ok(());
        }
        let stored = self.reader.figures(&self.keys, period, &[start]).await?;
        let stored = stored.first().map_or(0, |(_, figures)| figures.customers);
        let counted = scores.values().filter(|score| score.count > 0).count() as i64;
        self.found.compare(period, start, "customers", stored, counted);
        Ok(())
    }

    async fn check_order_days(&mut self, month: i32, derived: BTreeMap<i64, u32>) -> Result<(), Stop> {
        let stored: BTreeMap<i64, u32> = self.order_days(month).await?.into_iter().collect();
        let ids: BTreeSet<i64> = stored.keys().chain(derived.keys()).copied().collect();
        for id in ids {
            let of = |all: &BTreeMap<i64, u32>| all.get(&id).copied().unwrap_or_default().into();
            let figure = format!("order_days of customer {id}");
            self.found.compare(Period::Month, month, figure, of(&stored), of(&derived));
        }
        Ok(())
    }

    fn compare_scores(
        &mut self,
        of: BoardOf,
        period: Period,
        start: i32,
        stored: &Scores,
        derived: &Scores,
        what: &str,
    ) {
        let (noun, count) = match of {
            BoardOf::Customers => ("customer", "orders"),
            BoardOf::Products => ("product", "units"),
        };
        let ids: BTreeSet<i64> = stored.keys().chain(derived.keys()).copied().collect();
        for id in ids {
            let (left, right) = (stored.get(&id), derived.get(&id));
            if left == right {
                continue;
            }
            let value = |score: Option<&Score>| score.copied().unwrap_or_default();
            let (a, b) = (value(left), value(right));
            let figures = [
                (count, a.count, b.count),
                ("net", a.net, b.net),
                ("reached_at", a.reached_at, b.reached_at),
            ];
            for (name, stored, derived) in figures {
                self.found.compare(period, start, format!("{what}{name} of {noun} {id}"), stored, derived);
            }
            // A score of zeros that only one side has is on the board all the same.
            let has = |score: Option<&Score>| i64::from(score.is_some());
            let figure = format!("{what}{noun} {id}");
            self.found.compare(period, start, figure, has(left), has(right));
        }
    }

    async fn scores(&self, of: BoardOf, period: Period, start: i32) -> Result<Scores, Stop> {
        let mut scores = Scores::new();
        let key = self.keys.scores(of, period, start);
        self.reader
            .scan(&key, |id, text| {
                let id = id.parse().map_err(|_| unreadable(id))?;
                scores.insert(id, read_score(Some(text))?.unwrap_or_default());
                Ok(())
            })
            .await?;
        Ok(scores)
    }

    async fn order_days(&self, month: i32) -> Result<Vec<(i64, u32)>, Stop> {
        let mut all = BTreeMap::new();
        self.reader
            .scan(&self.keys.order_days(month), |id, bits| {
                let days: u32 = bits.parse().map_err(|_| unreadable(bits))?;
                all.insert(id.parse().map_err(|_| unreadable(id))?, days);
                Ok(())
            })
            .await?;
        Ok(all.into_iter().filter(|(_, days)| *days != 0).collect())
    }
}

fn add(sums: &mut Scores, scores: &Scores) {
    for (id, score) in scores {
        sums.entry(*id).or_default().fold(score);
    }
}
