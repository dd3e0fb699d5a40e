use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;

use super::{Figures, Span, Subject};
use crate::clock::earlier;

/// The figures of hours that are over. Figures are written to the hour in which they are written, so those do not change any
/// more, and each hour is read from the store once.
#[derive(Default)]
pub(crate) struct Past {
    known: RwLock<Known>,
}

/// All figures of the hours of `[from, until)`.
#[derive(Default)]
struct Known {
    from: Timestamp,
    until: Timestamp,
    figures: BTreeMap<Subject, Figures>,
}

/// By how much the clock of another process may be behind.
const BEHIND: Duration = Duration::from_mins(10);

impl Past {
    /// What is known of the hours from `from` up to `to`, as far as they are kept, and from when on the rest must be read.
    pub(crate) fn find(
        &self,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> (BTreeMap<Subject, Figures>, Timestamp) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if from < known.from || from >= known.until {
            return (BTreeMap::new(), from);
        }
        let begin = from.max(earlier(now, Span::Hour.kept()));
        let figures = known.figures.range(first_of(begin)..first_of(to.max(begin)));
        (figures.map(|(subject, figures)| (subject.clone(), figures.clone())).collect(), known.until)
    }

    /// Keeps what was read of all hours from `from` on, where they are over.
    pub(crate) fn keep(&self, from: Timestamp, read: &BTreeMap<Subject, Figures>, now: Timestamp) {
        let over = Span::Hour.start(earlier(now, BEHIND));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let goes_on = (known.from..=known.until).contains(&from) && known.until <= over;
        if !goes_on {
            *known = Known { from, until: from, figures: BTreeMap::new() };
        }
        if over <= known.until {
            return;
        }
        let new = read.range(first_of(known.until)..first_of(over));
        let new: Vec<_> = new.map(|(subject, figures)| (subject.clone(), figures.clone())).collect();
        known.figures.extend(new);
        known.until = over;
        let kept = Span::Hour.start(earlier(now, Span::Hour.kept())).max(known.from);
        known.figures = known.figures.split_off(&first_of(kept));
        known.from = kept;
    }
}

/// What comes before all else that is of this time.
fn first_of(at: Timestamp) -> Subject {
    Subject { at, queue: String::new(), kind: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Measure;

    const NOON: i64 = 1_893_499_200;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(NOON + hour * 3600).unwrap()
    }

    fn of(hours: &[i64]) -> BTreeMap<Subject, Figures> {
        let figures = |hour: &i64| {
            let counts = BTreeMap::from([(Measure::Completed, hour.unsigned_abs())]);
            let subject = Subject { at: at(*hour), queue: "default".to_owned(), kind: "a".to_owned() };
            (subject, Figures { counts, ..Figures::default() })
        };
        hours.iter().map(figures).collect()
    }

    /// The hours that are known from `from` up to `to`, and the one from which on the rest is read.
    fn known(past: &Past, from: i64, to: i64) -> (Vec<i64>, i64) {
        let hour = |at: Timestamp| (at.as_second() - NOON) / 3600;
        let (figures, rest) = past.find(at(from), at(to), at(to - 1));
        (figures.keys().map(|subject| hour(subject.at)).collect(), hour(rest))
    }

    #[test]
    fn hours_that_are_over_are_known_and_the_one_that_runs_is_not() {
        let past = Past::default();
        assert_eq!(known(&past, 0, 9), (vec![], 0));
        past.keep(at(0), &of(&[0, 2, 3]), at(3) + BEHIND);
        assert_eq!(known(&past, 0, 9), (vec![0, 2], 3));
        assert_eq!(known(&past, 1, 2), (vec![], 3));
        assert_eq!(known(&past, -1, 9), (vec![], -1), "more than is known is read whole");
        past.keep(at(3), &of(&[3, 4]), at(5) + BEHIND);
        assert_eq!(known(&past, 0, 9), (vec![0, 2, 3, 4], 5));
    }

    #[test]
    fn an_hour_may_still_be_written_to_by_a_clock_that_is_behind() {
        let past = Past::default();
        past.keep(at(0), &of(&[0, 1]), at(2));
        assert_eq!(known(&past, 0, 9), (vec![0], 1));
    }

    #[test]
    fn what_is_known_is_forgotten_with_the_store_and_when_the_clock_goes_back() {
        let past = Past::default();
        past.keep(at(0), &of(&[0, 1, 2]), at(3) + BEHIND);
        past.keep(at(3), &of(&[700]), at(721) + BEHIND);
        assert_eq!(known(&past, 1, 722), (vec![1, 2, 700], 721));
        assert_eq!(known(&past, 0, 722).0, Vec::<i64>::new());
        assert_eq!(known(&past, 1, 723).0, [2, 700], "an hour is not told of for longer than it is kept");
        past.keep(at(5), &of(&[5]), at(7));
        assert_eq!(known(&past, 5, 9), (vec![5], 6));
    }
}
