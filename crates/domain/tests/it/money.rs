use domain::{Currency, CurrencyError, Money, MoneyError, split_pro_rata};
use proptest::prelude::*;

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn shown(amount: i64, code: &str) -> String {
    Money::new(amount, currency(code)).to_string()
}

#[test]
fn money_is_shown_with_the_decimals_of_its_currency() {
    assert_eq!(shown(1999, "EUR"), "19.99 EUR");
    assert_eq!(shown(5, "EUR"), "0.05 EUR");
    assert_eq!(shown(-5, "EUR"), "-0.05 EUR");
    assert_eq!(shown(0, "JPY"), "0 JPY");
    assert_eq!(shown(-1999, "JPY"), "-1999 JPY");
    assert_eq!(shown(1, "KWD"), "0.001 KWD");
    assert_eq!(shown(i64::MIN, "EUR"), "-92233720368547758.08 EUR");
}

#[test]
fn a_currency_is_read_from_its_code_in_any_case_or_from_a_sign_of_its_own() {
    for text in ["GBP", "gbp", " GBP\t", "£"] {
        assert_eq!(Currency::parse(text), Ok(Currency::GBP), "{text}");
    }
    assert_eq!(Currency::parse("€"), Ok(Currency::EUR));
    assert_eq!(Currency::parse("US$"), Ok(Currency::USD));
    assert_eq!(Currency::parse("zł").map(Currency::code), Ok("PLN"));
}

#[test]
fn a_sign_that_several_currencies_share_is_refused() {
    for sign in ["$", "¥", "kr"] {
        assert_eq!(Currency::parse(sign), Err(CurrencyError::Ambiguous(sign.to_owned())));
    }
}

#[test]
fn what_nothing_is_sold_in_is_no_currency() {
    for text in ["", "XAU", "XXX", "EURO", "ABC", "E U R"] {
        assert!(matches!(Currency::parse(text), Err(CurrencyError::Unknown(_))), "{text}");
    }
}

#[test]
fn currencies_know_their_decimals() {
    let exponents = ["EUR", "JPY", "KWD", "CLF"].map(|code| currency(code).exponent());
    assert_eq!(exponents, [2, 0, 3, 4]);
}

#[test]
fn money_in_json_is_minor_units_and_a_code() {
    let money = Money::new(1999, Currency::EUR);
    let json = serde_json::to_string(&money).unwrap();
    assert_eq!(json, r#"{"amount":1999,"currency":"EUR"}"#);
    assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
    for wrong in [r#"{"amount":19.99,"currency":"EUR"}"#, r#"{"amount":1,"currency":"E"}"#] {
        assert!(serde_json::from_str::<Money>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn sums_stay_within_one_currency_and_64_bits() {
    let euro = |amount| Money::new(amount, Currency::EUR);
    assert_eq!(euro(2).checked_add(euro(3)), Ok(euro(5)));
    assert_eq!(euro(2).checked_sub(euro(3)), Ok(euro(-1)));
    assert_eq!(euro(2).checked_mul(3), Ok(euro(6)));
    let pound = Money::new(1, Currency::GBP);
    assert_eq!(euro(1).checked_add(pound), Err(MoneyError::Currencies(Currency::EUR, Currency::GBP)));
    assert_eq!(euro(i64::MAX).checked_add(euro(1)), Err(MoneyError::TooLarge));
    assert_eq!(euro(i64::MIN).checked_sub(euro(1)), Err(MoneyError::TooLarge));
    assert_eq!(euro(i64::MAX).checked_mul(2), Err(MoneyError::TooLarge));
}

#[test]
fn a_split_leaves_the_rest_to_the_later_parts() {
    assert_eq!(split_pro_rata(100, &[1, 1, 1]), [33, 33, 34]);
    assert_eq!(split_pro_rata(-100, &[1, 1, 1]), [-33, -33, -34]);
    assert_eq!(split_pro_rata(10, &[0, 5, 0]), [0, 10, 0]);
    assert_eq!(split_pro_rata(10, &[0, 0]), [0, 10]);
    assert_eq!(split_pro_rata(10, &[-3, 1]), [0, 10]);
    assert_eq!(split_pro_rata(10, &[]), [0; 0]);
    assert_eq!(split_pro_rata(i64::MAX, &[i64::MAX; 5]).iter().sum::<i64>(), i64::MAX);
}

proptest! {
    #[test]
    fn the_parts_of_a_split_add_up_and_are_fair(
        total in any::<i64>(),
        weights in prop::collection::vec(0_i64..1_000_000_000, 1..40),
    ) {
        let parts = split_pro_rata(total, &weights);
        prop_assert_eq!(parts.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(total));
        let whole: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
        for (part, weight) in parts.iter().zip(&weights).filter(|_| whole > 0) {
            let off = i128::from(*part) * whole - i128::from(total) * i128::from(*weight);
            prop_assert!(off.abs() < whole, "{part} for {weight} of {whole}");
        }
    }

    #[test]
    fn a_split_by_huge_weights_still_adds_up(
        total in any::<i64>(),
        weights in prop::collection::vec(any::<i64>(), 1..10),
    ) {
        let sum: i128 = split_pro_rata(total, &weights).iter().map(|part| i128::from(*part)).sum();
        prop_assert_eq!(sum, i128::from(total));
    }
}
