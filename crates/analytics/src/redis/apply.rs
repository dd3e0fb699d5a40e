//! Adding facts: what is stored is read, the new values are worked out, and one call puts them in their place if
//! nothing has changed meanwhile.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{Currency, Period};

use super::Store;
use super::keys::{SeriesKeys, member, score_of, score_text};
use super::script::{Answers, Commands, unreadable};
use super::state::{Generation, State};
use crate::changes::{Changes, Key, LIMIT, Periods, fold};
use crate::counting::{count, count_unsure};
use crate::customers::{Customer, Known, touched};
use crate::names::{FIGURES, stored_values};
use crate::score::{Fold as _, Score};
use crate::spans::{PERIODS, day_bit, end_of, months, start_of};
use crate::{BoardOf, Error, Fact, Result};

pub(crate) const BOARDS: [BoardOf; 2] = [BoardOf::Customers, BoardOf::Products];

/// What facts change in one currency of one generation.
struct Part<'a> {
    generation: &'a Generation,
    currency: Currency,
    keys: SeriesKeys,
    changes: &'a Changes,
    boards: Vec<Board>,
    /// Months, and the customers whose days with an order in them are wanted.
    months: BTreeMap<i32, BTreeSet<i64>>,
}

/// The scores of one period.
struct Board {
    of: BoardOf,
    period: Period,
    start: i32,
    scores: Vec<(i64, Score)>,
}

/// What is stored of a part.
struct Stored {
    periods: HashMap<(i64, i32), [i64; 10]>,
    boards: Vec<Vec<Option<Score>>>,
    known: HashMap<i64, Known>,
    order_days: HashMap<(i32, i64), u32>,
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
        let guards = state.guards();
        let mut reads = Commands::new(self.keys.state());
        for part in &parts {
            part.ask(&mut reads);
        }
        let Some(mut answers) = reads.run(&self.redis, &guards).await? else { return Ok(false) };
        let mut writes = Commands::new(self.keys.state());
        for part in &parts {
            let stored = part.answered(&mut answers)?;
            part.write(&mut writes, &stored)?;
            let currencies = self.keys.currencies(part.generation.number);
            writes.push("SADD", &currencies, [part.currency.code()]);
        }
        let set = set.iter().flat_map(|(field, value)| [(*field).to_owned(), value.clone()]);
        writes.push("HSET", &self.keys.state(), set);
        Ok(writes.run(&self.redis, &guards).await?.is_some())
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

    fn customers(&self) -> impl Iterator<Item = i64> {
        let all =
            self.boards.iter().find(|board| board.of == BoardOf::Customers && board.period == Period::All);
        all.into_iter().flat_map(|board| board.scores.iter().map(|(id, _)| *id))
    }

    fn ask(&self, reads: &mut Commands) {
        for (code, start) in self.changes.periods().keys() {
            reads.read_fields(&self.keys.kpis(period_of(*code), *start), FIGURES);
        }
        for board in &self.boards {
            let key = self.keys.scores(board.of, board.period, board.start);
            reads.read_fields(&key, board.scores.iter().map(|(id, _)| id));
        }
        reads.read_fields(&self.keys.firsts(), self.customers());
        for (month, customers) in &self.months {
            reads.read_fields(&self.keys.order_days(*month), customers);
        }
    }

    /// Takes the answers to [`ask`](Self::ask).
    fn answered(&self, answers: &mut Answers) -> Result<Stored> {
        let mut periods = HashMap::new();
        for key in self.changes.periods().into_keys() {
            periods.insert(key, read_figures(&answers.fields(FIGURES.len())?)?);
        }
        let mut boards = Vec::with_capacity(self.boards.len());
        for board in &self.boards {
            let texts = answers.fields(board.scores.len())?;
            boards.push(texts.iter().map(|text| read_score(text.as_deref())).collect::<Result<Vec<_>>>()?);
        }
        let customers: Vec<i64> = self.customers().collect();
        let firsts = answers.fields(customers.len())?;
        let totals = self.boards.iter().zip(&boards);
        let totals = totals.filter(|(of, _)| of.of == BoardOf::Customers && of.period == Period::All);
        let scores = totals.flat_map(|(_, scores)| scores);
        let mut known = HashMap::new();
        for ((id, score), first) in customers.iter().zip(scores).zip(&firsts) {
            let Some(score) = *score else { continue };
            let (first, last_day) = read_first(first.as_deref())?.unzip();
            known.insert(*id, Known { score, first, last_day });
        }
        let mut order_days = HashMap::new();
        for (month, customers) in &self.months {
            let bits = answers.fields(customers.len())?;
            for (customer, bits) in customers.iter().zip(bits) {
                let Some(bits) = bits else { continue };
                let bits = bits.parse().map_err(|_| unreadable(&bits))?;
                order_days.insert((*month, *customer), bits);
            }
        }
        Ok(Stored { periods, boards, known, order_days })
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
        writes.push_many("HSET", &self.keys.scores(board.of, board.period, board.start), 2, &scores);
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

/// Reads fields in the order of [`FIGURES`]; what is not there is 0.
pub(crate) fn read_figures(fields: &[Option<String>]) -> Result<[i64; 10]> {
    let mut figures = [0; 10];
    for (figure, text) in figures.iter_mut().zip(fields) {
        if let Some(text) = text {
            *figure = text.parse().map_err(|_| unreadable(text))?;
        }
    }
    Ok(figures)
}

pub(crate) fn read_score(text: Option<&str>) -> Result<Option<Score>> {
    text.map(|text| score_of(text).ok_or_else(|| unreadable(text))).transpose()
}

/// The first order by `(placed_at, id)` and the last day with one.
pub(crate) fn read_first(text: Option<&str>) -> Result<Option<((i64, i64), i32)>> {
    let Some(text) = text else { return Ok(None) };
    let parse = || {
        let mut parts = text.split(':');
        let placed_at = parts.next()?.parse().ok()?;
        let order = parts.next()?.parse().ok()?;
        Some(((placed_at, order), parts.next()?.parse().ok()?))
    };
    parse().map(Some).ok_or_else(|| unreadable(text))
}
