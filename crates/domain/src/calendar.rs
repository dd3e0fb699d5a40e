//! Business days: calendar days in the shop's time zone.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::{Offset, TimeZone};

use crate::coded::coded_enum;

const SECONDS_A_DAY: i64 = 86_400;

/// Tells the business day of an instant.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    /// Set for UTC and its like, so that they cost a division.
    fixed: Option<i64>,
}

coded_enum! {
    /// A span of business days that figures are kept for.
    Period ("period") {
        /// One business day.
        Day = 1 => "day",
        /// Monday to Sunday.
        Week = 2 => "week",
        /// A calendar month.
        Month = 3 => "month",
        /// All time.
        All = 4 => "all",
    }
}

impl Calendar {
    /// The calendar of a shop in this zone.
    pub fn new(zone: TimeZone) -> Self {
        let fixed = zone.to_fixed_offset().ok().map(|offset| i64::from(offset.seconds()));
        Self { zone, fixed }
    }

    /// The calendar of a shop that counts in UTC.
    pub fn utc() -> Self {
        Self::new(TimeZone::UTC)
    }

    /// The shop's time zone.
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The business day that `at` is part of.
    pub fn business_day(&self, at: Timestamp) -> Date {
        date_of(self.business_day_number(at))
    }

    /// The same as [`day_number`] of [`Calendar::business_day`], without a date in between.
    pub fn business_day_number(&self, at: Timestamp) -> i32 {
        let offset = self.fixed.unwrap_or_else(|| i64::from(self.zone.to_offset(at).seconds()));
        // `as_second` cuts towards zero; before 1970 that would be the next second.
        let second = at.as_second() - i64::from(at.subsec_nanosecond() < 0);
        (second + offset).div_euclid(SECONDS_A_DAY) as i32
    }

    /// The first instant of a business day; none beyond the range of time.
    pub fn day_start(&self, day: Date) -> Option<Timestamp> {
        self.zone.to_timestamp(day.at(0, 0, 0, 0)).ok()
    }
}

impl Period {
    /// Stands for all time where a start is asked for.
    pub const ALL_TIME: Date = jiff::civil::date(1, 1, 1);

    /// The first day of the period that `day` is in.
    pub fn start_of(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => {
                let since_monday = day.weekday().since(Weekday::Monday);
                date_of(day_number(day) - i32::from(since_monday))
            }
            Self::Month => day.first_of_month(),
            Self::All => Self::ALL_TIME,
        }
    }

    /// The last day of the period that `day` is in; none for all time.
    pub fn end_of(self, day: Date) -> Option<Date> {
        match self {
            Self::Day => Some(day),
            Self::Week => Some(date_of(day_number(self.start_of(day)) + 6)),
            Self::Month => Some(day.last_of_month()),
            Self::All => None,
        }
    }
}

/// Days since 1970-01-01; how the ledger stores a business day.
pub fn day_number(day: Date) -> i32 {
    // Counted from 1 March, so that the leap day is a year's last (H. Hinnant, "chrono-compatible low-level
    // date algorithms").
    let (month, in_month) = (i32::from(day.month()), i32::from(day.day()));
    let year = i32::from(day.year()) - i32::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + in_month - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The day with this [`day_number`]; the first or last day there is, if it is out of range.
pub fn date_of(number: i32) -> Date {
    let second = i64::from(number) * SECONDS_A_DAY;
    Timestamp::from_second(second).map_or_else(
        |_| if number < 0 { Date::MIN } else { Date::MAX },
        |midnight| Offset::UTC.to_datetime(midnight).date(),
    )
}
