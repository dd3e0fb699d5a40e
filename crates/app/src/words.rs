//! Saying numbers and times as people do.

use std::fmt::Display;
use std::time::Duration;

/// A number with its noun.
pub fn count(number: impl Display + PartialEq<i64> + Copy, one: &str, many: &str) -> String {
    if number == 1 { format!("{number} {one}") } else { format!("{number} {many}") }
}

/// A duration as people say it.
pub fn spoken(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0 => format!("{} µs", duration.as_micros()),
        1..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{:.1} s", duration.as_secs_f64()),
        60_000..3_600_000 => format!("{} min {} s", millis / 60_000, millis / 1_000 % 60),
        _ => format!("{} h {} min", millis / 3_600_000, millis / 60_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_the_unit_that_fits() {
        let texts = [5, 1_500, 61_000, 3_660_000].map(|millis| spoken(Duration::from_millis(millis)));
        assert_eq!(texts, ["5 ms", "1.5 s", "1 min 1 s", "1 h 1 min"]);
    }
}
