//! Reading amounts as people write them, exactly or not at all.

use super::Currency;

/// How an amount is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecimalStyle {
    /// `1,234.50`
    Point,
    /// `1.234,50`
    Comma,
    /// Either, as long as the amount itself tells which.
    #[default]
    Auto,
}

/// A text that is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Nothing there.
    #[error("the amount is empty")]
    Empty,
    /// Something other than digits, a sign in front and separators.
    #[error("not an amount: {0:?} does not belong there")]
    Character(char),
    /// No digit, or separators where none can be.
    #[error("not an amount: its separators make no sense")]
    Malformed,
    /// `1.234` may be a bit over one or over a thousand.
    #[error(
        "“1.234” or “1,234” may mean thousands or decimals: say which with the decimal style point or comma"
    )]
    Ambiguous,
    /// More decimals than the currency has.
    #[error("more decimals than {0} has ({1})")]
    TooPrecise(Currency, u8),
    /// It does not fit 64 bits.
    #[error("the amount is too large")]
    TooLarge,
}

const SPACES: [char; 4] = [' ', '\u{a0}', '\u{202f}', '\u{2009}'];
const APOSTROPHES: [char; 2] = ['\'', '\u{2019}'];

/// Reads an amount in the currency's units, giving minor units: `"19.99"` EUR is 1999, `"19"` JPY is 19.
///
/// Thousands may be set off by the other separator, spaces or apostrophes. Decimals beyond the currency's must be
/// zeros.
pub fn parse_decimal(text: &str, currency: Currency, style: DecimalStyle) -> Result<i64, DecimalError> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if text.is_empty() {
        return Err(DecimalError::Empty);
    }
    if let Some(stray) = text.chars().find(|c| !is_part(*c)) {
        return Err(DecimalError::Character(stray));
    }
    let (whole, decimals) = match decimal_sign(text, style)? {
        Some(sign) => text.split_once(sign).ok_or(DecimalError::Malformed)?,
        None => (text, ""),
    };
    if !decimals.chars().all(|c| c.is_ascii_digit()) || (whole.is_empty() && decimals.is_empty()) {
        return Err(DecimalError::Malformed);
    }
    check_grouping(whole)?;
    let kept = kept_decimals(decimals, currency)?;
    let missing = usize::from(currency.exponent()) - kept.len();
    let digits = whole.chars().filter_map(|c| c.to_digit(10));
    let digits = digits.chain(kept.chars().filter_map(|c| c.to_digit(10)));
    accumulate(digits.chain(std::iter::repeat_n(0, missing)), negative)
}

fn is_part(c: char) -> bool {
    c.is_ascii_digit() || c == '.' || c == ',' || SPACES.contains(&c) || APOSTROPHES.contains(&c)
}

/// The sign before the decimals, if the text has one.
fn decimal_sign(text: &str, style: DecimalStyle) -> Result<Option<char>, DecimalError> {
    let sign = match style {
        DecimalStyle::Point => '.',
        DecimalStyle::Comma => ',',
        DecimalStyle::Auto => return detected_sign(text),
    };
    Ok(text.contains(sign).then_some(sign))
}

fn detected_sign(text: &str) -> Result<Option<char>, DecimalError> {
    let Some(last_at) = text.rfind(['.', ',']) else { return Ok(None) };
    let (before, rest) = text.split_at(last_at);
    let sign = if rest.starts_with('.') { '.' } else { ',' };
    let other = if sign == '.' { ',' } else { '.' };
    if before.contains(sign) {
        return Ok(None);
    }
    // Alone, before three digits, and after one to three that could be thousands: nobody can tell.
    let grouped_otherwise = before.contains(|c: char| !c.is_ascii_digit());
    let may_be_thousands = (1..=3).contains(&before.len()) && !before.starts_with('0');
    if rest.len() == 4 && may_be_thousands && !grouped_otherwise && !before.contains(other) {
        return Err(DecimalError::Ambiguous);
    }
    Ok(Some(sign))
}

/// Thousands are set off by one kind of separator: 1–3 digits, then twos or threes (`1,00,000`), then three.
fn check_grouping(whole: &str) -> Result<(), DecimalError> {
    let Some(separator) = whole.chars().find(|c| !c.is_ascii_digit()) else { return Ok(()) };
    let groups: Vec<&str> = whole.split(separator).collect();
    let last = groups.len() - 1;
    let fits = |(place, group): (usize, &&str)| {
        let length_fits = match place {
            0 => (1..=3).contains(&group.len()),
            _ if place == last => group.len() == 3,
            _ => matches!(group.len(), 2 | 3),
        };
        length_fits && group.bytes().all(|b| b.is_ascii_digit())
    };
    if groups.iter().enumerate().all(fits) { Ok(()) } else { Err(DecimalError::Malformed) }
}

fn kept_decimals(decimals: &str, currency: Currency) -> Result<&str, DecimalError> {
    let exponent = usize::from(currency.exponent());
    let (kept, beyond) = decimals.split_at(decimals.len().min(exponent));
    if beyond.bytes().any(|digit| digit != b'0') {
        return Err(DecimalError::TooPrecise(currency, currency.exponent()));
    }
    Ok(kept)
}

fn accumulate(mut digits: impl Iterator<Item = u32>, negative: bool) -> Result<i64, DecimalError> {
    digits
        .try_fold(0_i64, |sum, digit| {
            let digit = if negative { -i64::from(digit) } else { i64::from(digit) };
            sum.checked_mul(10)?.checked_add(digit)
        })
        .ok_or(DecimalError::TooLarge)
}
