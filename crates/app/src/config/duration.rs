//! Durations as people write them: `250ms`, `30s`, `15m`, `2h`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

/// Writes a duration in its largest whole unit.
pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    let millis = duration.as_millis();
    let (count, unit) = match millis {
        0 => (0, "s"),
        _ if millis % 3_600_000 == 0 => (millis / 3_600_000, "h"),
        _ if millis % 60_000 == 0 => (millis / 60_000, "m"),
        _ if millis % 1_000 == 0 => (millis / 1_000, "s"),
        _ => (millis, "ms"),
    };
    serializer.collect_str(&format_args!("{count}{unit}"))
}

/// Reads a duration: a whole number and its unit.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| {
        serde::de::Error::custom(format!(
            "`{text}` is not a duration; write a number and ms, s, m, h or d, as in `30s`"
        ))
    })
}

fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let count: u64 = count.parse().ok()?;
    let millis = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    count.checked_mul(millis).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        assert_eq!(parse("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse(" 15 m "), Some(Duration::from_secs(900)));
        assert_eq!(parse("1d"), Some(Duration::from_secs(86_400)));
        for wrong in ["", "30", "s", "-1s", "1.5s", "1y", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
