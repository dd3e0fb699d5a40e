//! The names of the keys; [the table](super) says what is in them.

use domain::{Currency, Period, date_of};

use crate::BoardOf;
use crate::score::Score;

/// The names of the keys of one installation.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    root: String,
}

/// The names of the keys of one currency in one generation.
#[derive(Debug, Clone)]
pub(crate) struct SeriesKeys {
    root: String,
}

/// Ids end here.
const LARGEST_ID: i64 = (1 << 53) - 1;
/// How many digits the time has in a member of a board.
const TIME_DIGITS: usize = 16;

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        Keys { root: format!("{prefix}:{{kpi}}") }
    }

    pub(crate) fn state(&self) -> String {
        format!("{}:state", self.root)
    }

    pub(crate) fn turn(&self) -> String {
        format!("{}:turn", self.root)
    }

    pub(crate) fn currencies(&self, generation: i64) -> String {
        format!("{}:{generation}:currencies", self.root)
    }

    pub(crate) fn series(&self, generation: i64, currency: Currency) -> SeriesKeys {
        SeriesKeys { root: format!("{}:{generation}:{currency}", self.root) }
    }
}

impl SeriesKeys {
    pub(crate) fn starts(&self, period: Period) -> String {
        format!("{}:{period}", self.root)
    }

    pub(crate) fn kpis(&self, period: Period, start: i32) -> String {
        format!("{}:kpis", self.of(period, start))
    }

    pub(crate) fn board(&self, of: BoardOf, period: Period, start: i32) -> String {
        format!("{}:{}", self.of(period, start), of.as_str())
    }

    pub(crate) fn scores(&self, of: BoardOf, period: Period, start: i32) -> String {
        format!("{}:{}:scores", self.of(period, start), of.as_str())
    }

    pub(crate) fn order_days(&self, month: i32) -> String {
        format!("{}:order_days", self.of(Period::Month, month))
    }

    pub(crate) fn firsts(&self) -> String {
        format!("{}:firsts", self.root)
    }

    /// Every key of a period.
    pub(crate) fn all_of(&self, period: Period, start: i32) -> Vec<String> {
        let mut keys = vec![self.kpis(period, start)];
        for of in [BoardOf::Customers, BoardOf::Products] {
            keys.extend([self.board(of, period, start), self.scores(of, period, start)]);
        }
        if period == Period::Month {
            keys.push(self.order_days(start));
        }
        keys
    }

    fn of(&self, period: Period, start: i32) -> String {
        match period {
            Period::All => format!("{}:all", self.root),
            _ => format!("{}:{period}:{}", self.root, date_of(start)),
        }
    }
}

/// The member of a board that stands for an id. Read backwards, members of one score follow each other as equal scores
/// do on a board: who reached it first, then the smaller id.
pub(crate) fn member(id: i64, reached_at: i64) -> String {
    let time = !(reached_at.cast_unsigned() ^ (1 << 63));
    format!("{time:016x}{:014x}", LARGEST_ID - id)
}

/// The id, and when it reached its score.
pub(crate) fn of_member(member: &str) -> Option<(i64, i64)> {
    let (time, id) = member.split_at_checked(TIME_DIGITS)?;
    let reached_at = (!u64::from_str_radix(time, 16).ok()? ^ (1 << 63)).cast_signed();
    Some((LARGEST_ID - i64::from_str_radix(id, 16).ok()?, reached_at))
}

/// A score as it is stored beside its board.
pub(crate) fn score_text(score: &Score) -> String {
    format!("{}:{}:{}", score.count, score.net, score.reached_at)
}

/// Reads [`score_text`].
pub(crate) fn score_of(text: &str) -> Option<Score> {
    let mut parts = text.split(':').map(str::parse::<i64>);
    let mut next = || parts.next()?.ok();
    Some(Score { count: next()?, net: next()?, reached_at: next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_read_backwards_are_sorted_by_time_and_then_by_id() {
        let places = [(9, -5_000_000), (1, 0), (2, 0), (3, 7), (LARGEST_ID, 7), (1, 1_700_000_000_000_000)];
        let mut members = places.map(|(id, reached_at)| member(id, reached_at));
        assert_eq!(members.each_ref().map(|member| of_member(member).unwrap()), places);
        let sorted = members.clone();
        members.sort_by(|a, b| b.cmp(a));
        assert_eq!(members, sorted);
    }
}
