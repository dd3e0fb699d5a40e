//! Figures as people read them.

use std::time::Duration;

use app::queues::COUNTED;
use app::words::{grouped_digits, spoken};
use domain::Money;

/// An amount without its currency: `12,345.60`.
pub(super) fn money(money: Money) -> String {
    let text = money.decimal();
    let (whole, rest) = text.find('.').map_or((text.as_str(), ""), |point| text.split_at(point));
    format!("{}{rest}", grouped(whole))
}

/// An amount with its currency: `12,345.60 EUR`.
pub(super) fn priced(amount: Money) -> String {
    format!("{} {}", money(amount), amount.currency)
}

/// A number with its thousands set apart.
pub(super) fn number(number: i64) -> String {
    grouped(&number.to_string())
}

/// A number that is added to another: `+5`, `−3`.
pub(super) fn change(by: i64) -> String {
    if by > 0 { format!("+{}", number(by)) } else { number(by) }
}

/// A share of one: `3.2 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// So many bytes: `1.5 GiB`.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1 << 10 {
        return format!("{count} B");
    }
    let (mut size, mut unit) = (count as f64 / 1024.0, UNITS[0]);
    for larger in &UNITS[1..] {
        if size >= 1024.0 {
            (size, unit) = (size / 1024.0, larger);
        }
    }
    format!("{size:.1} {unit}")
}

/// How long something has lasted, in seconds.
pub(super) fn since(seconds: f64) -> String {
    spoken(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

/// How many jobs are in a state; none is counted beyond a bound.
pub(super) fn counted(count: usize) -> String {
    let told = number(i64::try_from(count).unwrap_or(i64::MAX));
    if count < COUNTED { told } else { format!("{told} or more") }
}

/// A time in milliseconds; nothing where there was none.
pub(super) fn millis(millis: Option<f64>) -> String {
    millis.map(|millis| since(millis / 1_000.0)).unwrap_or_default()
}

/// A text, cut off where it is longer than so many letters.
pub(super) fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

fn grouped(digits: &str) -> String {
    match digits.strip_prefix('-') {
        Some(digits) => format!("−{}", grouped_digits(digits)),
        None => grouped_digits(digits),
    }
}

#[cfg(test)]
mod tests {
    use domain::Currency;

    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let told = [0, 12, 999, 1_000, 123_456, 1_234_567, -1_000].map(number);
        assert_eq!(told, ["0", "12", "999", "1,000", "123,456", "1,234,567", "−1,000"]);
    }

    #[test]
    fn money_keeps_the_digits_of_its_currency() {
        let told = |amount, code| money(Money::new(amount, Currency::parse(code).unwrap()));
        assert_eq!(told(1_234_560, "EUR"), "12,345.60");
        assert_eq!(told(1_234_560, "JPY"), "1,234,560");
        assert_eq!(told(-5, "EUR"), "−0.05");
    }

    #[test]
    fn bytes_are_told_in_the_unit_that_fits() {
        let told = [0, 1_023, 1_024, 1_536, 1 << 20, 3 << 30, 1 << 50].map(bytes);
        assert_eq!(told, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "3.0 GiB", "1024.0 TiB"]);
    }

    #[test]
    fn long_texts_are_cut_between_letters() {
        assert_eq!([clipped("größer", 3), clipped("größer", 6), clipped("a b", 2)], ["grö…", "größer", "a…"]);
    }

    #[test]
    fn shares_are_told_in_hundredths() {
        assert_eq!([0.0, 0.0317, 1.5].map(percent), ["0.0 %", "3.2 %", "150.0 %"]);
    }
}
