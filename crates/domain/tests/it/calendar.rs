use domain::{Calendar, Period, date_of, day_number};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;

const ZONES: &[&str] = &[
    "UTC",
    "Europe/London",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Monrovia",
];

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn agrees(name: &str, at: Timestamp) -> Date {
    let calendar = Calendar::new(zone(name));
    let day = calendar.business_day(at);
    assert_eq!(day, at.to_zoned(zone(name)).date(), "{at} in {name}");
    assert_eq!(calendar.business_day_number(at), day_number(day));
    day
}

#[test]
fn a_business_day_ends_at_the_shops_midnight() {
    let at = "2025-10-18T18:30:00Z".parse().unwrap();
    assert_eq!(agrees("Asia/Kolkata", at), date(2025, 10, 19));
    assert_eq!(agrees("Europe/London", at), date(2025, 10, 18));
    assert_eq!(agrees("UTC", "1969-12-31T23:59:59.999999Z".parse().unwrap()), date(1969, 12, 31));
}

#[test]
fn a_business_day_is_right_around_every_change_of_the_clocks() {
    for name in ZONES {
        let zone = zone(name);
        let from = "1995-01-01T00:00:00Z".parse().unwrap();
        for change in zone.following(from).take(70) {
            for seconds in [-7201, -3601, -1800, -1, 0, 1, 1800, 3601, 7201, 43_200, 86_399] {
                agrees(name, change.timestamp() + SignedDuration::from_secs(seconds));
            }
        }
    }
}

#[test]
fn a_day_starts_when_its_business_day_does() {
    // Clocks went from 23:59:59 to 01:00:00, so the day had no midnight.
    let calendar = Calendar::new(zone("America/Sao_Paulo"));
    let start = calendar.day_start(date(2018, 11, 4)).unwrap();
    assert_eq!(start, "2018-11-04T03:00:00Z".parse().unwrap());
    assert_eq!(calendar.business_day(start), date(2018, 11, 4));
    assert_eq!(calendar.business_day(start - SignedDuration::from_micros(1)), date(2018, 11, 3));
}

#[test]
fn periods_start_on_mondays_and_firsts() {
    let day = date(2011, 12, 9);
    assert_eq!(Period::Day.start_of(day), day);
    assert_eq!(Period::Week.start_of(day), date(2011, 12, 5));
    assert_eq!(Period::Week.start_of(date(2011, 12, 5)), date(2011, 12, 5));
    assert_eq!(Period::Week.start_of(date(2011, 12, 11)), date(2011, 12, 5));
    assert_eq!(Period::Week.end_of(day), Some(date(2011, 12, 11)));
    assert_eq!(Period::Month.start_of(day), date(2011, 12, 1));
    assert_eq!(Period::Month.end_of(date(2012, 2, 3)), Some(date(2012, 2, 29)));
    assert_eq!((Period::All.start_of(day), Period::All.end_of(day)), (Period::ALL_TIME, None));
}

#[test]
fn the_epoch_is_day_zero() {
    assert_eq!(day_number(date(1970, 1, 1)), 0);
    assert_eq!(day_number(date(1969, 12, 31)), -1);
    assert_eq!(day_number(date(2000, 2, 29)), 11_016);
    assert_eq!(date_of(i32::MAX), Date::MAX);
    assert_eq!(date_of(i32::MIN), Date::MIN);
}

proptest! {
    #[test]
    fn a_business_day_is_the_zones_date(
        name in prop::sample::select(ZONES),
        microseconds in -5_000_000_000_000_000_i64..10_000_000_000_000_000,
    ) {
        agrees(name, Timestamp::from_microsecond(microseconds).unwrap());
    }

    #[test]
    fn day_numbers_count_days(number in -4_000_000_i32..2_900_000) {
        let day = date_of(number);
        prop_assert_eq!(day_number(day), number);
        prop_assert_eq!(day, date(1970, 1, 1) + number.days());
    }

    #[test]
    fn a_period_holds_its_day(number in -700_000_i32..2_900_000) {
        let day = date_of(number);
        for period in [Period::Day, Period::Week, Period::Month] {
            let (start, end) = (period.start_of(day), period.end_of(day).unwrap());
            prop_assert!(start <= day && day <= end);
            prop_assert_eq!(period.start_of(end), start);
            prop_assert!(period.start_of(date_of(day_number(end) + 1)) > end);
        }
    }
}
