use domain::{Period, date_of, day_number};

/// The periods that figures are stored for, from the shortest.
pub(crate) const PERIODS: [Period; 4] = [Period::Day, Period::Week, Period::Month, Period::All];

/// The first day of the period that a day is in; both as day numbers.
pub(crate) fn start_of(period: Period, day: i32) -> i32 {
    day_number(period.start_of(date_of(day)))
}

/// The last day of the period that starts on a day; both as day numbers.
pub(crate) fn end_of(period: Period, start: i32) -> i32 {
    period.end_of(date_of(start)).map_or(i32::MAX, day_number)
}

/// The shortest period beyond a day that has all of the days `from..=to`, and its first day; all as day numbers.
pub(crate) fn around(from: i32, to: i32) -> (Period, i32) {
    let starting = |period| (period, start_of(period, from));
    let has_all = |(period, start): &(Period, i32)| end_of(*period, *start) >= to;
    [Period::Week, Period::Month]
        .map(starting)
        .into_iter()
        .find(has_all)
        .unwrap_or_else(|| starting(Period::All))
}

/// The bit of a day in its month.
pub(crate) fn day_bit(month: i32, day: i32) -> u32 {
    1 << (day - month).clamp(0, 31)
}

/// The bits of the days `from..=to` that are in the month.
pub(crate) fn day_bits(month: i32, from: i32, to: i32) -> u32 {
    let (from, to) = (from.max(month), to.min(end_of(Period::Month, month)));
    (from..=to).fold(0, |bits, day| bits | day_bit(month, day))
}

/// The months that share a day with `from..=to`.
pub(crate) fn months(from: i32, to: i32) -> Vec<i32> {
    let mut months = Vec::new();
    let mut month = start_of(Period::Month, from);
    while month <= to {
        months.push(month);
        month = end_of(Period::Month, month) + 1;
    }
    months
}
