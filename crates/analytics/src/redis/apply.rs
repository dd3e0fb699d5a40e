//! Adding facts: what is stored is read, the new values are worked out, and one call puts them in their place if
//! nothing has changed meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Currency, Period};

use super::Store;
use super::keys::{SeriesKeys, member, score_text};
use super::script::Commands;
use super::state::{Generation, State};
use super::stored::Stored;
use crate::changes::{Changes, Key, LIMIT, Periods, fold};
use crate::counting::{count, count_unsure};
use crate::customers::{Customer, touched};
use crate::names::{FIGURES, stored_values};
use crate::score::{Fold as _, Score};
use crate::spans::{PERIODS, day_bit, end_of, months, start_of};
use crate::{BoardOf, Error, Fact, Result};

pub(crate) const BOARDS: [BoardOf; 2] = [BoardOf::Customers, BoardOf::Products];

/// What facts change in one currency of one generation.
pub(super) struct Part<'a> {
    generation: &'a Generation,
    currency: Currency,
    pub(super) keys: SeriesKeys,
    pub(super) changes: &'a Changes,
    pub(super) boards: Vec<Board>,
    /// Months, and the customers whose days with an order in them are wanted.
    pub(super) months: BTreeMap<i32, BTreeSet<i64>>,
}

/// The scores of one period.
pub(super) struct Board {
    pub(super) of: BoardOf,
    pub(super) period: Period,
    start: i32,
    pub(super) scores: Vec<(i64, Score)>,
}

impl Board {
    pub(super) fn ids(&self) -> impl Iterator<Item = &i64> {
        self.scores.iter().map(|(id, _)| id)
    }
}

impl Store {
    /// Adds facts to generations and sets fields of the state, if the state is still as it was read. False if not.
    pub(crate) async fn add(
        &self,
        state: &State,
        generations: &[(Generation, Vec<&Fact>)],
        set: &[(&str, String)],
    ) -> Result<bool> {
        let mut folded = Vec::new();
        for (generation, facts) in generations {
            let all = fold(&generation.calendar, facts.iter().copied())?;
            folded.extend(all.into_iter().map(|(currency, changes)| (generation, currency, changes)));
        }
        let parts: Vec<Part<'_>> = folded
            .iter()
            .map(|(generation, currency, changes)| {
                let keys = self.keys.series(generation.number, *currency);
                Part::new(generation, *currency, keys, changes)
            })
            .collect();
        let stored = self.stored(&parts).await?;
        let mut writes = Commands::new(self.keys.state());
        for (part, stored) in parts.iter().zip(&stored) {
            part.write(&mut writes, stored)?;
            let currencies = self.keys.currencies(part.generation.number);
            writes.push("SADD", &currencies, [part.currency.code()]);
        }
        let set = set.iter().flat_map(|(field, value)| [(*field).to_owned(), value.clone()]);
        writes.push("HSET", &self.keys.state(), set.collect::<Vec<_>>());
        Ok(writes.run(&self.redis, &state.guards()).await?.is_some())
    }
}

impl<'a> Part<'a> {
    fn new(generation: &'a Generation, currency: Currency, keys: SeriesKeys, changes: &'a Changes) -> Self {
        let mut boards = Vec::new();
        for of in BOARDS {
            for period in PERIODS {
                for scores in changes.scores(of, period).chunk_by(|a, b| a.0.0 == b.0.0) {
                    let Some(((start, _), _)) = scores.first() else { continue };
                    let scores = scores.iter().map(|((_, id), score)| (*id, *score));
                    boards.push(Board { of, period, start: *start, scores: scores.collect() });
                }
            }
        }
        let mut wanted: BTreeMap<i32, BTreeSet<i64>> = BTreeMap::new();
        for order in &changes.orders {
            // Whether somebody ordered in the week before may take a look at two months.
            let week = start_of(Period::Week, order.day);
            for month in months(week, end_of(Period::Week, week)) {
                wanted.entry(month).or_default().insert(order.customer);
            }
        }
        Part { generation, currency, keys, changes, boards, months: wanted }
    }

    pub(super) fn scores_key(&self, board: &Board) -> String {
        self.keys.scores(board.of, board.period, board.start)
    }

    fn write(&self, writes: &mut Commands, stored: &Stored) -> Result<()> {
        let mut periods = self.changes.periods();
        let customers = touched(self.changes, stored.known.clone());
        let unsure = count(&self.generation.calendar, &customers, &mut periods)?;
        count_unsure(&unsure, &stored.order_days, &mut periods);
        self.write_periods(writes, &periods, stored)?;
        for (board, before) in self.boards.iter().zip(&stored.boards) {
            self.write_board(writes, board, before)?;
        }
        self.write_firsts(writes, &customers);
        self.write_order_days(writes, stored);
        Ok(())
    }

    fn write_periods(&self, writes: &mut Commands, periods: &Periods, stored: &Stored) -> Result<()> {
        for ((code, start), figures) in periods {
            let period = period_of(*code);
            let before = stored.periods.get(&(*code, *start)).copied();
            // A customer may become new in an older period than those of these facts, or cease to be in one: then
            // nothing was read, and one number is moved.
            let key = self.keys.kpis(period, *start);
            let Some(before) = before else {
                for (name, moved) in FIGURES.iter().zip(stored_values(figures)).filter(|(_, by)| *by != 0) {
                    writes.push("HINCRBY", &key, [(*name).to_owned(), moved.to_string()]);
                }
                continue;
            };
            let mut fields = Vec::new();
            for ((name, before), gained) in FIGURES.iter().zip(before).zip(stored_values(figures)) {
                let after = checked(before, gained, || format!("{name} of {period}, {}", self.currency))?;
                if gained != 0 {
                    fields.extend([(*name).to_owned(), after.to_string()]);
                }
            }
            writes.push_many("HSET", &key, 2, &fields);
            if period != Period::All {
                writes.push("ZADD", &self.keys.starts(period), [start, start]);
            }
        }
        Ok(())
    }

    fn write_board(&self, writes: &mut Commands, board: &Board, before: &[Option<Score>]) -> Result<()> {
        let (mut scores, mut gone, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for ((id, gained), before) in board.scores.iter().zip(before) {
            let mut after = before.unwrap_or_default();
            let what = || format!("the score of {} {id}", board.of.as_str());
            checked(after.net, gained.net, what)?;
            after.fold(gained);
            scores.extend([id.to_string(), score_text(&after)]);
            if let Some(before) = before.filter(|before| before.reached_at != after.reached_at) {
                gone.push(member(*id, before.reached_at));
            }
            places.extend([after.net.to_string(), member(*id, after.reached_at)]);
        }
        let key = self.keys.board(board.of, board.period, board.start);
        writes.push_many("HSET", &self.scores_key(board), 2, &scores);
        writes.push_many("ZREM", &key, 1, &gone);
        writes.push_many("ZADD", &key, 2, &places);
        Ok(())
    }

    fn write_firsts(&self, writes: &mut Commands, customers: &[Customer<'_>]) {
        let mut fields = Vec::new();
        for customer in customers {
            let after = customer.after();
            if let (Some((placed_at, order)), Some(last)) = (after.first, after.last_day) {
                fields.extend([customer.id.to_string(), format!("{placed_at}:{order}:{last}")]);
            }
        }
        writes.push_many("HSET", &self.keys.firsts(), 2, &fields);
    }

    fn write_order_days(&self, writes: &mut Commands, stored: &Stored) {
        let mut gained: BTreeMap<Key, u32> = BTreeMap::new();
        for order in &self.changes.orders {
            let month = start_of(Period::Month, order.day);
            *gained.entry((month, order.customer)).or_default() |= day_bit(month, order.day);
        }
        let months: Vec<_> = gained.into_iter().collect();
        for of_month in months.chunk_by(|a, b| a.0.0 == b.0.0) {
            let Some(((month, _), _)) = of_month.first() else { continue };
            let mut fields = Vec::new();
            for ((_, customer), bits) in of_month {
                let before = stored.order_days.get(&(*month, *customer)).copied().unwrap_or_default();
                fields.extend([customer.to_string(), (before | bits).to_string()]);
            }
            writes.push_many("HSET", &self.keys.order_days(*month), 2, &fields);
        }
    }
}

/// The sum, if a figure holds it.
fn checked(before: i64, gained: i64, what: impl FnOnce() -> String) -> Result<i64> {
    let sum = before.checked_add(gained).filter(|sum| sum.unsigned_abs() <= LIMIT.unsigned_abs());
    sum.ok_or_else(|| Error::SumTooLarge { what: what() })
}

/// The period with this code, which [`Changes::periods`] gave.
pub(crate) fn period_of(code: i64) -> Period {
    Period::from_code(code).unwrap_or(Period::All)
}
