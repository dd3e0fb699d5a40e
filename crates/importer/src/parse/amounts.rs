//! Amounts as a file writes them, in minor units.

use std::borrow::Cow;

use domain::{Currency, DecimalError, DecimalStyle, Money, parse_decimal};

use super::cells::shorten;
use crate::{Profile, RejectCode};

/// Reads the amounts of one order.
pub(super) struct AmountReader<'a> {
    profile: &'a Profile,
    currency: Currency,
}

impl<'a> AmountReader<'a> {
    pub(super) fn new(profile: &'a Profile, currency: Currency) -> Self {
        Self { profile, currency }
    }

    /// For messages.
    pub(super) fn show(&self, amount: i64) -> Money {
        Money::new(amount, self.currency)
    }

    /// A whole number of minor units.
    pub(super) fn minor_units(&self, text: &str) -> Result<i64, String> {
        text.parse().map_err(|_| {
            let (text, code) = (shorten(text), self.currency.code());
            format!("{text:?} is not a whole number of {code} minor units; decimals belong in the column unit_price")
        })
    }

    /// A price, which some profiles round.
    pub(super) fn price(&self, text: &str) -> Result<i64, String> {
        match self.decimal(text) {
            Err(DecimalError::TooPrecise(..)) if self.profile.round_prices => self.rounded(text),
            result => result,
        }
        .map_err(|error| format!("{:?}: {error}", shorten(text)))
    }

    /// Another amount.
    pub(super) fn not_negative(&self, text: &str) -> Result<i64, (RejectCode, String)> {
        match self.decimal(text) {
            Ok(amount) if amount < 0 => {
                Err((RejectCode::NegativeAmount, format!("{} is below zero", self.show(amount))))
            }
            Ok(amount) => Ok(amount),
            Err(error) => Err((RejectCode::InvalidAmount, format!("{:?}: {error}", shorten(text)))),
        }
    }

    fn decimal(&self, text: &str) -> Result<i64, DecimalError> {
        parse_decimal(text, self.currency, self.profile.decimal)
    }

    /// Half away from zero, to the currency's minor unit.
    fn rounded(&self, text: &str) -> Result<i64, DecimalError> {
        let sign = match self.profile.decimal {
            DecimalStyle::Comma => ',',
            DecimalStyle::Point => '.',
            DecimalStyle::Auto => return self.decimal(text),
        };
        let (whole, decimals) = text.split_once(sign).ok_or(DecimalError::Malformed)?;
        let exponent = usize::from(self.currency.exponent());
        let (kept, beyond) = decimals.split_at_checked(exponent).ok_or(DecimalError::Malformed)?;
        let cut =
            if exponent == 0 { Cow::Borrowed(whole) } else { Cow::Owned(format!("{whole}{sign}{kept}")) };
        let amount = self.decimal(&cut)?;
        let up = i64::from(beyond.as_bytes().first().is_some_and(|digit| *digit >= b'5'));
        let up = if text.starts_with(['-', '\u{2212}']) { -up } else { up };
        amount.checked_add(up).ok_or(DecimalError::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_that_rounds_does_so_half_away_from_zero() {
        let uci = &Profile::builtin()[1];
        let price = |text| AmountReader::new(uci, Currency::GBP).price(text).unwrap();
        assert_eq!([price("0.001"), price("0.005"), price("1.994"), price("-1.995")], [0, 1, 199, -200]);
    }

    #[test]
    fn a_profile_that_does_not_round_says_so() {
        let native = &Profile::builtin()[0];
        let error = AmountReader::new(native, Currency::EUR).price("0.0015").unwrap_err();
        assert!(error.contains("more decimals than EUR has"), "{error}");
    }
}
