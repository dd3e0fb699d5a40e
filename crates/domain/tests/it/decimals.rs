use domain::{Currency, DecimalError, DecimalStyle, Money, parse_decimal};
use proptest::prelude::*;

use DecimalStyle::{Auto, Comma, Point};

fn euros(text: &str, style: DecimalStyle) -> Result<i64, DecimalError> {
    parse_decimal(text, Currency::EUR, style)
}

#[test]
fn an_amount_is_read_in_the_style_it_is_written_in() {
    let cases = [
        ("19.99", Point, 1999),
        ("19,99", Comma, 1999),
        ("1,234.50", Point, 123_450),
        ("1.234,50", Comma, 123_450),
        ("1,234", Point, 123_400),
        ("1.234", Comma, 123_400),
        ("1 234,5", Comma, 123_450),
        ("1\u{202f}234,5", Comma, 123_450),
        ("1'234.5", Point, 123_450),
        ("1,00,000.00", Point, 10_000_000),
        (" 7 ", Point, 700),
        ("-7.5", Point, -750),
        ("+7.5", Point, 750),
        (".5", Point, 50),
        ("5.", Point, 500),
        ("0.050000", Point, 5),
        ("007", Point, 700),
    ];
    for (text, style, minor) in cases {
        assert_eq!(euros(text, style), Ok(minor), "{text} as {style:?}");
    }
}

#[test]
fn without_a_style_the_amount_itself_must_tell() {
    let cases = [
        ("19.99", 1999),
        ("19,99", 1999),
        ("1,234.50", 123_450),
        ("1.234,50", 123_450),
        ("1.234.567", 123_456_700),
        ("1,234,567", 123_456_700),
        ("1 234,500", 123_450),
        ("0.500", 50),
        ("1234.500", 123_450),
        ("12", 1200),
    ];
    for (text, minor) in cases {
        assert_eq!(euros(text, Auto), Ok(minor), "{text}");
    }
    for text in ["1.234", "1,234", "-12.500", "999,000"] {
        assert_eq!(euros(text, Auto), Err(DecimalError::Ambiguous), "{text}");
    }
}

#[test]
fn decimals_follow_the_currency() {
    let [yen, dinar] = ["JPY", "KWD"].map(|code| Currency::parse(code).unwrap());
    assert_eq!(parse_decimal("1500", yen, Point), Ok(1500));
    assert_eq!(parse_decimal("1500.00", yen, Point), Ok(1500));
    assert_eq!(parse_decimal("1500.5", yen, Point), Err(DecimalError::TooPrecise(yen, 0)));
    assert_eq!(parse_decimal("1.5", dinar, Point), Ok(1500));
    assert_eq!(parse_decimal("1.2345", dinar, Point), Err(DecimalError::TooPrecise(dinar, 3)));
    assert_eq!(euros("0.001", Point), Err(DecimalError::TooPrecise(Currency::EUR, 2)));
}

#[test]
fn what_is_no_amount_is_refused_with_the_reason() {
    for (text, error) in [
        ("", DecimalError::Empty),
        ("  ", DecimalError::Empty),
        ("-", DecimalError::Empty),
        ("12€", DecimalError::Character('€')),
        ("1e3", DecimalError::Character('e')),
        ("--1", DecimalError::Character('-')),
        ("٣", DecimalError::Character('٣')),
        (".", DecimalError::Malformed),
        ("1.2.3", DecimalError::Malformed),
        ("1,2,3.4", DecimalError::Malformed),
        ("12,34", DecimalError::Malformed),
        ("1234,567.00", DecimalError::Malformed),
        ("1, 234", DecimalError::Malformed),
        ("1.234,5", DecimalError::Malformed),
        ("92233720368547758.08", DecimalError::TooLarge),
    ] {
        assert_eq!(euros(text, Point), Err(error), "{text:?}");
    }
    assert_eq!(euros("-92233720368547758.08", Point), Ok(i64::MIN));
}

/// The same reading by way of a wide integer, for plain `digits.digits`.
fn model(negative: bool, whole: &str, decimals: &str, exponent: usize) -> Option<i64> {
    let scaled: i128 = format!("{whole}{decimals:0<30}").parse().ok()?;
    let unit = 10_i128.pow(30 - exponent as u32);
    let minor = if scaled % unit == 0 { scaled / unit } else { return None };
    i64::try_from(if negative { -minor } else { minor }).ok()
}

proptest! {
    #[test]
    fn plain_amounts_are_read_as_a_wide_integer_reads_them(
        negative in any::<bool>(),
        whole in "[0-9]{1,8}",
        decimals in "[0-9]{0,3}(0{0,4})",
        code in prop::sample::select(vec!["EUR", "JPY", "KWD", "CLF"]),
    ) {
        let currency = Currency::parse(code).unwrap();
        let text = format!("{}{whole}.{decimals}", if negative { "-" } else { "" });
        let expected = model(negative, &whole, &decimals, usize::from(currency.exponent()));
        prop_assert_eq!(parse_decimal(&text, currency, Point).ok(), expected, "{}", text);
        prop_assert_eq!(parse_decimal(&text.replace('.', ","), currency, Comma).ok(), expected);
    }

    #[test]
    fn what_money_shows_is_read_back(
        amount in any::<i64>(),
        code in prop::sample::select(vec!["EUR", "JPY", "KWD", "CLF"]),
    ) {
        let currency = Currency::parse(code).unwrap();
        let text = Money::new(amount, currency).decimal();
        prop_assert_eq!(parse_decimal(&text, currency, Point), Ok(amount));
    }

    #[test]
    fn thousands_change_nothing(amount in any::<i64>(), separator in prop::sample::select(vec![',', ' ', '\''])) {
        let text = Money::new(amount, Currency::EUR).decimal();
        let (whole, cents) = text.rsplit_once('.').unwrap();
        let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
        let mut grouped = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                grouped.push(separator);
            }
            grouped.push(digit);
        }
        let text = format!("{sign}{grouped}.{cents}");
        prop_assert_eq!(euros(&text, Point), Ok(amount), "{}", &text);
        prop_assert_eq!(euros(&text, Auto), Ok(amount), "{}", &text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-+0-9., '\u{a0}€x]{0,24}") {
        for style in [Point, Comma, Auto] {
            let _ = euros(&text, style);
        }
    }

    #[test]
    fn without_a_style_nothing_is_read_that_neither_style_reads_so(text in "-?[0-9]{1,4}([.,][0-9]{1,4}){0,2}") {
        if let Ok(amount) = euros(&text, Auto) {
            prop_assert!([Point, Comma].iter().any(|style| euros(&text, *style) == Ok(amount)), "{}", text);
        }
    }
}
