//! What is stored of what facts change, read in two turns.

use std::collections::HashMap;

use domain::Period;

use super::Store;
use super::apply::{Board, Part, period_of};
use super::keys::score_of;
use super::script::{Answers, Reads, unreadable};
use crate::customers::Known;
use crate::names::FIGURES;
use crate::score::Score;
use crate::{BoardOf, Result};

/// What is stored of a part.
#[derive(Default)]
pub(super) struct Stored {
    pub(super) periods: HashMap<(i64, i32), [i64; 10]>,
    totals: Totals,
    /// Scores of its boards, in the order of those.
    pub(super) boards: Vec<Vec<Option<Score>>>,
    pub(super) known: HashMap<i64, Known>,
    pub(super) order_days: HashMap<(i32, i64), u32>,
}

/// Scores of all time, of those that have one. Nobody else has a score of any other period, was a customer before or has days
/// with orders, because whatever gives those gives this as well.
#[derive(Default)]
struct Totals {
    customers: HashMap<i64, Score>,
    products: HashMap<i64, Score>,
}

impl Store {
    /// What is stored of parts: first the totals, then what those have who have one. Most orders of a young shop are of new
    /// customers. It may change meanwhile, and with it the state.
    pub(super) async fn stored(&self, parts: &[Part<'_>]) -> Result<Vec<Stored>> {
        let mut all = Vec::new();
        all.resize_with(parts.len(), Stored::default);
        let mut reads = Reads::default();
        for part in parts {
            part.ask_for_totals(&mut reads);
        }
        let mut answers = reads.run(&self.redis).await?;
        for (part, stored) in parts.iter().zip(&mut all) {
            part.take_totals(&mut answers, stored)?;
        }
        let mut reads = Reads::default();
        for (part, stored) in parts.iter().zip(&all) {
            part.ask_for_the_rest(&mut reads, &stored.totals);
        }
        let mut answers = reads.run(&self.redis).await?;
        for (part, stored) in parts.iter().zip(&mut all) {
            part.take_the_rest(&mut answers, stored)?;
        }
        Ok(all)
    }
}

impl Totals {
    fn of(&self, of: BoardOf) -> &HashMap<i64, Score> {
        match of {
            BoardOf::Customers => &self.customers,
            BoardOf::Products => &self.products,
        }
    }

    fn of_mut(&mut self, of: BoardOf) -> &mut HashMap<i64, Score> {
        match of {
            BoardOf::Customers => &mut self.customers,
            BoardOf::Products => &mut self.products,
        }
    }
}

impl Part<'_> {
    /// The boards of all time, or those of other periods.
    fn boards(&self, of_all_time: bool) -> impl Iterator<Item = &Board> {
        self.boards.iter().filter(move |board| (board.period == Period::All) == of_all_time)
    }

    fn ask_for_totals(&self, reads: &mut Reads) {
        for (code, start) in self.changes.periods().keys() {
            reads.fields(&self.keys.kpis(period_of(*code), *start), FIGURES);
        }
        for board in self.boards(true) {
            reads.fields(&self.scores_key(board), board.ids());
        }
    }

    /// Takes the answers to [`ask_for_totals`](Self::ask_for_totals).
    fn take_totals(&self, answers: &mut Answers, stored: &mut Stored) -> Result<()> {
        for key in self.changes.periods().into_keys() {
            stored.periods.insert(key, read_figures(&answers.fields(FIGURES.len())?)?);
        }
        for board in self.boards(true) {
            let texts = answers.fields(board.scores.len())?;
            for (id, text) in board.ids().zip(texts) {
                if let Some(score) = read_score(text.as_deref())? {
                    stored.totals.of_mut(board.of).insert(*id, score);
                }
            }
        }
        Ok(())
    }

    /// The customers who have a score, in an order that stays the same.
    fn customers<'s>(&'s self, totals: &'s Totals) -> impl Iterator<Item = (i64, Score)> + 's {
        let ids = self.boards(true).filter(|board| board.of == BoardOf::Customers).flat_map(Board::ids);
        ids.filter_map(|id| totals.customers.get(id).map(|score| (*id, *score)))
    }

    fn ask_for_the_rest(&self, reads: &mut Reads, totals: &Totals) {
        for board in self.boards(false) {
            let ids = board.ids().filter(|id| totals.of(board.of).contains_key(id));
            reads.fields(&self.scores_key(board), ids);
        }
        reads.fields(&self.keys.firsts(), self.customers(totals).map(|(id, _)| id));
        for (month, customers) in &self.months {
            let known = customers.iter().filter(|id| totals.customers.contains_key(id));
            reads.fields(&self.keys.order_days(*month), known);
        }
    }

    /// Takes the answers to [`ask_for_the_rest`](Self::ask_for_the_rest).
    fn take_the_rest(&self, answers: &mut Answers, stored: &mut Stored) -> Result<()> {
        let totals = &stored.totals;
        for board in &self.boards {
            let before = |id: &i64| totals.of(board.of).get(id).copied();
            let mut scores: Vec<Option<Score>> = board.ids().map(before).collect();
            if board.period != Period::All {
                let known: Vec<&mut Option<Score>> =
                    scores.iter_mut().filter(|score| score.is_some()).collect();
                let texts = answers.fields(known.len())?;
                for (score, text) in known.into_iter().zip(texts) {
                    *score = read_score(text.as_deref())?;
                }
            }
            stored.boards.push(scores);
        }
        let customers: Vec<(i64, Score)> = self.customers(totals).collect();
        let firsts = answers.fields(customers.len())?;
        for ((id, score), first) in customers.into_iter().zip(firsts) {
            let (first, last_day) = read_first(first.as_deref())?.unzip();
            stored.known.insert(id, Known { score, first, last_day });
        }
        for (month, customers) in &self.months {
            let known: Vec<i64> =
                customers.iter().copied().filter(|id| totals.customers.contains_key(id)).collect();
            let bits = answers.fields(known.len())?;
            for (customer, bits) in known.into_iter().zip(bits) {
                let Some(bits) = bits else { continue };
                let bits = bits.parse().map_err(|_| unreadable(&bits))?;
                stored.order_days.insert((*month, customer), bits);
            }
        }
        Ok(())
    }
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
