use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// What a customer or a product has reached in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Score {
    /// Confirmed orders of a customer; units of a product in confirmed orders, less units refunded.
    pub count: i64,
    /// Minor units in confirmed orders, less those refunded.
    pub net: i64,
    /// When `net` became what it is, in epoch microseconds: the latest time of a fact that moved it, 0 if none did.
    #[serde(serialize_with = "as_time")]
    pub reached_at: i64,
}

impl Score {
    /// What one fact adds: an amount of zero counts, but moves no score.
    pub(crate) fn of(count: i64, net: i64, at: Timestamp) -> Self {
        Score { count, net, reached_at: if net == 0 { 0 } else { at.as_microsecond() } }
    }

    /// The place on a board: the smaller, the better. Equal scores by who reached them first, then by id.
    pub(crate) fn place(&self, id: i64) -> Place {
        (std::cmp::Reverse(self.net), self.reached_at, id)
    }
}

/// See [`Score::place`].
pub(crate) type Place = (std::cmp::Reverse<i64>, i64, i64);

/// What is added up when facts share a key.
pub(crate) trait Fold {
    /// Adds another's part to this one.
    fn fold(&mut self, other: &Self);
}

impl Fold for Score {
    fn fold(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.net = self.net.saturating_add(other.net);
        self.reached_at = self.reached_at.max(other.reached_at);
    }
}

/// A customer's month: the score, and the days of the month with an order as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CustomerMonth {
    pub(crate) score: Score,
    pub(crate) order_days: u32,
}

impl Fold for CustomerMonth {
    fn fold(&mut self, other: &Self) {
        self.score.fold(&other.score);
        self.order_days |= other.order_days;
    }
}

/// Sorts rows by key and adds up those that share one.
pub(crate) fn merge<K: Ord + Copy, V: Fold>(rows: &mut Vec<(K, V)>) {
    rows.sort_unstable_by_key(|(key, _)| *key);
    rows.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1.fold(&later.1);
        }
        same
    });
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn as_time<S: Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    match Timestamp::from_microsecond(*micros) {
        Ok(time) => serializer.collect_str(&time),
        Err(_) => serializer.serialize_i64(*micros),
    }
}
