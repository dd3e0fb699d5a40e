//! Time zones as they are written beside the figures.

use domain::Calendar;
use jiff::fmt::temporal::{DateTimeParser, DateTimePrinter};

use crate::{Error, Result};

/// How a calendar's zone is written beside the figures: its IANA name, or its offset.
pub(crate) fn zone_name(calendar: &Calendar) -> String {
    let printer = DateTimePrinter::new();
    printer.time_zone_to_string(calendar.zone()).unwrap_or_else(|_| "Etc/Unknown".to_owned())
}

/// The calendar of a zone that is written beside figures.
pub(crate) fn calendar_of(time_zone: &str, shop: &Calendar) -> Result<Calendar> {
    if time_zone == zone_name(shop) {
        return Ok(shop.clone());
    }
    match DateTimeParser::new().parse_time_zone(time_zone) {
        Ok(zone) if !zone.is_unknown() => Ok(Calendar::new(zone)),
        _ => Err(Error::Unreadable { expected: "time zone", found: time_zone.to_owned() }),
    }
}
