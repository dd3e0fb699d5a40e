use domain::{Email, ExternalId, IdempotencyKey, Label, Quantity, Sku, SourceName, TextRule};
use proptest::prelude::*;

fn email_rule(text: &str) -> Option<TextRule> {
    Email::parse(text).err().map(|error| error.rule)
}

#[test]
fn an_email_is_trimmed_and_lower_case() {
    assert_eq!(Email::parse(" Jane.Doe+Shop@Example.COM\t").unwrap().as_str(), "jane.doe+shop@example.com");
    assert_eq!(Email::parse("Jürgen@MÜLLER.example").unwrap().as_str(), "jürgen@müller.example");
}

#[test]
fn an_email_has_a_name_and_a_domain() {
    for text in [
        "jane",
        "@example.com",
        "jane@",
        "jane@localhost",
        "jane@exa mple.com",
        "jane doe@example.com",
        "jane@@example.com",
        "jane@.com",
        "jane@example..com",
        "jane@-example.com",
        "jane@İstanbul.example",
        "Jane <jane@example.com>",
        "jane@example.com,john@example.com",
    ] {
        assert!(matches!(email_rule(text), Some(TextRule::Shape(_))), "{text}");
    }
}

#[test]
fn an_email_cannot_smuggle_a_header() {
    assert_eq!(email_rule("jane@example.com\r\nBcc: all@example.com"), Some(TextRule::ControlCharacter));
    assert_eq!(email_rule("jane\0@example.com"), Some(TextRule::ControlCharacter));
    assert_eq!(email_rule("jane@example.com\u{2028}Bcc"), Some(TextRule::ControlCharacter));
}

#[test]
fn an_email_fits_its_column() {
    let domain = format!("{}.example", ["a".repeat(60).as_str(); 3].join("."));
    let fits = format!("{}@{domain}", "j".repeat(254 - 1 - domain.len()));
    assert_eq!(email_rule(&fits), None);
    assert_eq!(email_rule(&format!("j{fits}")), Some(TextRule::TooLong(254)));
}

#[test]
fn a_sku_keeps_its_case_and_leading_zeros() {
    assert_eq!(Sku::parse(" 00085123A\t").unwrap().as_str(), "00085123A");
    assert_eq!(Sku::parse("\u{feff}abc").unwrap().as_str(), "abc");
}

#[test]
fn a_refused_text_names_the_rule_it_breaks() {
    let message = |text: &str| Sku::parse(text).unwrap_err().to_string();
    assert_eq!(message("  "), "SKU is empty");
    assert_eq!(message(&"x".repeat(65)), "SKU is longer than 64 characters");
    assert_eq!(message("A\u{7}B"), "SKU contains a control character");
}

#[test]
fn lengths_are_counted_in_characters() {
    assert!(Sku::parse(&"ж".repeat(64)).is_ok());
    assert!(Sku::parse(&"ж".repeat(65)).is_err());
    assert!(ExternalId::parse(&"ж".repeat(128)).is_ok());
    assert!(ExternalId::parse(&"ж".repeat(129)).is_err());
    assert!(Label::parse(&"ж".repeat(255)).is_ok());
    assert!(Label::parse(&"ж".repeat(256)).is_err());
}

#[test]
fn a_source_is_a_plain_word() {
    assert!(SourceName::parse("shop-1_eu.main").is_ok());
    for text in ["", "a/b", "a b", "süd", &"a".repeat(65)] {
        assert!(SourceName::parse(text).is_err(), "{text}");
    }
}

#[test]
fn an_idempotency_key_is_visible_ascii() {
    assert!(IdempotencyKey::parse("4f1c-~!").is_ok());
    for text in ["", "a b", "clé", "a\tb", &"k".repeat(129)] {
        assert!(IdempotencyKey::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_quantity_is_one_to_a_million() {
    assert_eq!(Quantity::new(1).map(Quantity::get), Ok(1));
    assert_eq!(" 1000000 ".parse().map(Quantity::get), Ok(1_000_000));
    for text in ["0", "-1", "1000001", "1.5", "", "9999999999999999999"] {
        assert!(text.parse::<Quantity>().is_err(), "{text}");
    }
    assert!(serde_json::from_str::<Quantity>("0").is_err());
}

#[test]
fn json_is_checked_like_any_other_input() {
    let email: Email = serde_json::from_str("\" JANE@example.com\"").unwrap();
    assert_eq!(serde_json::to_string(&email).unwrap(), "\"jane@example.com\"");
    assert!(serde_json::from_str::<Email>("\"jane\"").is_err());
}

proptest! {
    #[test]
    fn what_was_parsed_once_parses_to_itself(text in "\\PC{0,80}") {
        if let Ok(sku) = Sku::parse(&text) {
            prop_assert_eq!(Sku::parse(sku.as_str()), Ok(sku.clone()));
        }
        if let Ok(label) = Label::parse(&text) {
            prop_assert_eq!(Label::parse(label.as_str()), Ok(label.clone()));
        }
    }

    #[test]
    fn no_email_holds_what_could_break_a_header(text in any::<String>(), name in "\\PC{0,12}") {
        for text in [text.clone(), format!("{text}@example.com"), format!("{name}@Example.com")] {
            if let Ok(email) = Email::parse(&text) {
                let unsafe_character = |c: char| c.is_control() || c.is_whitespace() || "<>,;\"".contains(c);
                prop_assert!(!email.as_str().contains(unsafe_character));
                prop_assert_eq!(Email::parse(email.as_str()), Ok(email.clone()));
            }
        }
    }
}
