//! What does not agree with the figures that it is derived from.

use std::fmt;

use domain::{Currency, Period, date_of};
use jiff::civil::Date;
use serde::Serialize;

/// A stored figure that is not the sum of those it is derived from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SumDiff {
    /// The currency.
    pub currency: Currency,
    /// Day, week, month or all time.
    pub period: Period,
    /// The first day of the period; none for all time.
    pub start: Option<Date>,
    /// Which figure, and whose.
    pub figure: String,
    /// What is stored.
    pub stored: i64,
    /// What it should be.
    pub derived: i64,
}

/// What was found in the figures of one currency.
pub(crate) struct Findings {
    pub(crate) currency: Currency,
    pub(crate) diffs: Vec<SumDiff>,
}

impl Findings {
    /// Notes a figure that is not what it is derived from.
    pub(crate) fn compare(
        &mut self,
        period: Period,
        start: i32,
        figure: impl Into<String>,
        stored: i64,
        derived: i64,
    ) {
        if stored != derived {
            let start = (period != Period::All).then(|| date_of(start));
            let (currency, figure) = (self.currency, figure.into());
            self.diffs.push(SumDiff { currency, period, start, figure, stored, derived });
        }
    }
}

impl fmt::Display for SumDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SumDiff { currency, period, start, figure, stored, derived } = self;
        write!(f, "{period}")?;
        if let Some(start) = start {
            write!(f, " {start}")?;
        }
        write!(f, " {currency}: {figure} stored {stored}, derived {derived}")
    }
}
