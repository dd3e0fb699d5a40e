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

/// A number with its thousands set apart.
pub fn grouped(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", grouped_digits(&number.unsigned_abs().to_string()))
}

/// Digits with the thousands set apart.
pub fn grouped_digits(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let texts = [0, 999, 1_000, 397_884, -1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "397,884", "-1,234,567"]);
    }

    #[test]
    fn durations_are_said_in_the_unit_that_fits() {
        let texts = [5, 1_500, 61_000, 3_660_000].map(|millis| spoken(Duration::from_millis(millis)));
        assert_eq!(texts, ["5 ms", "1.5 s", "1 min 1 s", "1 h 1 min"]);
    }
}
