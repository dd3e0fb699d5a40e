//! Figures as people read them.

use std::time::Duration;

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

/// A share of one: `3.2 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// How long something has lasted, in seconds.
pub(super) fn since(seconds: f64) -> String {
    spoken(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

/// As much of a text as is shown of it.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
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
    fn a_long_text_is_cut_between_letters() {
        assert_eq!(["", "äöü", "äöüß"].map(|text| shortened(text, 3)), ["", "äöü", "äöü…"]);
    }

    #[test]
    fn shares_are_told_in_hundredths() {
        assert_eq!([0.0, 0.0317, 1.5].map(percent), ["0.0 %", "3.2 %", "150.0 %"]);
    }
}
