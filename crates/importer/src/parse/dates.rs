//! Times as files write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use super::Rules;
use super::cells::shorten;
use crate::{Profile, RejectCode};

/// Formats that can be read in one way only. Dates with slashes are not among them: 03/04 is two days.
const FORMATS: &[&str] = &[
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M %z",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
];

/// Reads times; remembers the last one, since the lines of an order mostly share it.
pub(super) struct DateReader<'a> {
    formats: &'a [String],
    zone: TimeZone,
    latest: Timestamp,
    last: Option<(String, Timestamp)>,
}

impl<'a> DateReader<'a> {
    pub(super) fn new(profile: &'a Profile, rules: &Rules) -> Self {
        let zone = profile.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        let zone = zone.unwrap_or_else(|| rules.zone.clone());
        Self { formats: &profile.date_formats, zone, latest: rules.latest, last: None }
    }

    pub(super) fn read(&mut self, text: &str) -> Result<Timestamp, (RejectCode, String)> {
        if let Some((_, at)) = self.last.as_ref().filter(|(known, _)| known == text) {
            return Ok(*at);
        }
        let at = self.parse(text).ok_or_else(|| (RejectCode::InvalidDate, explain(text)))?;
        if at < Timestamp::UNIX_EPOCH || at > self.latest {
            let message = format!("{at} is not between 1970 and {}", self.latest.strftime("%Y-%m-%d"));
            return Err((RejectCode::DateOutOfRange, message));
        }
        let mut known = self.last.take().map_or_else(String::new, |(known, _)| known);
        known.clear();
        known.push_str(text);
        self.last = Some((known, at));
        Ok(at)
    }

    fn parse(&self, text: &str) -> Option<Timestamp> {
        let own = self.formats.iter().find_map(|format| self.by_format(format, text));
        own.or_else(|| self.iso(text))
            .or_else(|| FORMATS.iter().find_map(|format| self.by_format(format, text)))
    }

    /// ISO 8601 and RFC 3339: with an offset it is an instant, without one it is in the zone.
    fn iso(&self, text: &str) -> Option<Timestamp> {
        if let Some(utc) = text.strip_suffix(" UTC").or_else(|| text.strip_suffix(" GMT")) {
            return TimeZone::UTC.to_timestamp(utc.parse().ok()?).ok();
        }
        // A local time parses from a text with an offset too, and would ignore it.
        let has_offset = text.get(10..).is_some_and(|time| time.contains(['Z', 'z', '+', '-']));
        if has_offset { text.parse().ok() } else { self.in_zone(text.parse().ok()?) }
    }

    fn by_format(&self, format: &str, text: &str) -> Option<Timestamp> {
        let parts = BrokenDownTime::parse(format, text).ok()?;
        if parts.offset().is_some() {
            return parts.to_timestamp().ok();
        }
        if parts.hour().is_some() {
            return self.in_zone(parts.to_datetime().ok()?);
        }
        self.in_zone(parts.to_date().ok()?.into())
    }

    /// In the hour that a clock change repeats, the first; in the one it skips, as far after it as was meant.
    fn in_zone(&self, local: DateTime) -> Option<Timestamp> {
        self.zone.to_timestamp(local).ok()
    }
}

fn explain(text: &str) -> String {
    let shown = shorten(text);
    if text.split([' ', 'T']).next().is_some_and(|date| date.matches('/').count() == 2) {
        return format!(
            "{shown:?} does not say which number is the month: name the format in date_formats of a profile"
        );
    }
    format!(
        "{shown:?} is no date; expected is a form such as 2025-10-18T10:12:00+02:00 or 2025-10-18 10:12:00"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Returns, TotalMismatch, Workflow};

    fn read(text: &str, zone: &str, profile: usize) -> Result<String, RejectCode> {
        let rules = Rules {
            zone: TimeZone::get(zone).unwrap(),
            latest: "2030-01-01T00:00:00Z".parse().unwrap(),
            workflow: Workflow::Process,
            total_mismatch: TotalMismatch::Reject,
            returns: Returns::Reject,
        };
        let profile = &Profile::builtin()[profile];
        DateReader::new(profile, &rules).read(text).map(|at| at.to_string()).map_err(|(code, _)| code)
    }

    #[test]
    fn an_offset_counts_and_without_one_the_zone_does() {
        for text in [
            "2025-10-18T13:42:00+05:30",
            "2025-10-18 04:12:00 -0400",
            "2025-10-18T08:12:00Z",
            "2025-10-18 08:12:00 UTC",
            "2025-10-18 10:12:00",
            "2025-10-18 10:12",
            "2025-10-18T10:12",
            "2025/10/18 10:12",
            "18.10.2025 10:12",
            "18 Oct 2025 10:12",
        ] {
            assert_eq!(read(text, "Europe/Berlin", 0).as_deref(), Ok("2025-10-18T08:12:00Z"), "{text}");
        }
        assert_eq!(read("2025-10-18", "Europe/Berlin", 0).as_deref(), Ok("2025-10-17T22:00:00Z"));
        assert_eq!(read("Oct 18, 2025", "UTC", 0).as_deref(), Ok("2025-10-18T00:00:00Z"));
    }

    #[test]
    fn a_date_with_two_readings_is_refused_unless_the_profile_tells() {
        assert_eq!(read("12/1/2010 8:26", "UTC", 0), Err(RejectCode::InvalidDate));
        assert_eq!(read("12/1/2010 8:26", "UTC", 1).as_deref(), Ok("2010-12-01T08:26:00Z"));
    }

    #[test]
    fn dates_out_of_range_are_refused() {
        assert_eq!(read("1969-12-31", "UTC", 0), Err(RejectCode::DateOutOfRange));
        assert_eq!(read("2030-01-02", "UTC", 0), Err(RejectCode::DateOutOfRange));
        assert_eq!(read("2025-02-30", "UTC", 0), Err(RejectCode::InvalidDate));
        assert_eq!(read("soon", "UTC", 0), Err(RejectCode::InvalidDate));
    }
}
