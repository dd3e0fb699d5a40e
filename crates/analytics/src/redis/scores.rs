//! Whether scores of longer periods are those of their days, and each board shows its scores.

use std::collections::{BTreeMap, BTreeSet};

use domain::Period;
use jiff::Timestamp;

use super::apply::BOARDS;
use super::keys::of_member;
use super::reader::Stop;
use super::script::unreadable;
use super::stored::{read_first, read_score};
use super::sums::{ALWAYS, Auditor};
use crate::score::Fold as _;
use crate::spans::{day_bit, end_of, start_of};
use crate::{BoardOf, Score};

/// Members of a board that are read in one call.
const AT_ONCE: i64 = 1_000;

type Scores = BTreeMap<i64, Score>;

impl Auditor<'_> {
    /// The boards of a month, of its days, and of the weeks whose Monday is in it.
    pub(super) async fn check_month(&mut self, month: i32) -> Result<(), Stop> {
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
    pub(super) async fn check_all_time(&mut self, of: BoardOf) -> Result<(), Stop> {
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
        let (calendar, share) = (self.calendar.clone(), self.share);
        let mut stored: BTreeMap<i64, (i32, i32)> = BTreeMap::new();
        self.reader
            .scan(&self.keys.firsts(), |id, text| {
                let Some(((placed_at, _), last)) = read_first(Some(text))? else { return Ok(()) };
                let at = Timestamp::from_microsecond(placed_at).map_err(|_| unreadable(text))?;
                let id = id.parse().map_err(|_| unreadable(id))?;
                if share.holds(id) {
                    stored.insert(id, (calendar.business_day_number(at), last));
                }
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

    /// A board has a member for each score, and no other. Places are read in pages, those of one share kept.
    async fn check_board(
        &mut self,
        of: BoardOf,
        period: Period,
        start: i32,
        scores: &Scores,
    ) -> Result<(), Stop> {
        let key = self.keys.board(of, period, start);
        let (mut shown, mut strays) = (Scores::new(), 0);
        for from in (0_i64..).step_by(AT_ONCE as usize) {
            let mut commands = self.reader.commands();
            let to = from + AT_ONCE - 1;
            commands.push("ZRANGE", &key, [from.to_string(), to.to_string(), "WITHSCORES".to_owned()]);
            let page: Vec<String> = self.reader.run(commands).await?.next()?;
            for pair in page.chunks_exact(2) {
                let Some((id, reached_at)) = of_member(&pair[0]) else {
                    strays += 1;
                    continue;
                };
                if self.share.holds(id) {
                    // A score that is no whole number is no sum of ours.
                    let net = pair[1].parse().unwrap_or(i64::MIN);
                    let count = scores.get(&id).map_or(0, |score| score.count);
                    // The same id on two places is one too many.
                    strays += i64::from(shown.insert(id, Score { count, net, reached_at }).is_some());
                }
            }
            if (page.len() as i64) < AT_ONCE * 2 {
                break;
            }
        }
        self.found.compare(period, start, "places of nobody", strays, 0);
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
                if self.share.holds(id) {
                    scores.insert(id, read_score(Some(text))?.unwrap_or_default());
                }
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
                let id = id.parse().map_err(|_| unreadable(id))?;
                if self.share.holds(id) {
                    all.insert(id, days);
                }
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
