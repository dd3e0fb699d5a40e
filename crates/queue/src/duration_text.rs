//! Durations as people write them: `30s`, `1h 30m`, `7d`. A day is 24 hours.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::{Deserialize, Deserializer, Serializer};

/// Writes a duration in its units, for serde.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    let duration = SignedDuration::try_from(*duration).unwrap_or(SignedDuration::MAX);
    serializer.serialize_str(&format!("{duration:#}"))
}

/// Reads a duration, for serde.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| {
        serde::de::Error::custom(format!(
            "{text:?} is not a duration; write for instance \"30s\", \"5m\" or \"7d\""
        ))
    })
}

fn parse(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse("30s"), Some(Duration::from_secs(30)));
        assert_eq!(parse("1h 30m"), Some(Duration::from_mins(90)));
        assert_eq!(parse("7d"), Some(Duration::from_hours(168)));
        assert_eq!(parse("250ms"), Some(Duration::from_millis(250)));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "soon", "30", "-5s"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
