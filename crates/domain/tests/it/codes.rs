use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::str::FromStr;

use domain::{
    ActionKind, CauseKind, Channel, ChargeStatus, EventKind, FailReason, FulfilmentStatus, MovementKind,
    NotificationKind, NotificationStatus, OrderStatus, PaymentStatus, Period, RefundCause, RefundStatus,
    ShipmentStatus, UnknownName, Verdict,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn round_trips<T>(all: &[T], code: fn(T) -> i64, from_code: fn(i64) -> Option<T>, word: fn(T) -> &'static str)
where
    T: Copy + Eq + Hash + Debug + Display + FromStr<Err = UnknownName> + Serialize + DeserializeOwned,
{
    let codes: BTreeSet<i64> = all.iter().map(|variant| code(*variant)).collect();
    let words: BTreeSet<&str> = all.iter().map(|variant| word(*variant)).collect();
    assert_eq!((codes.len(), words.len()), (all.len(), all.len()), "codes and words are distinct");
    for variant in all {
        let word = word(*variant);
        assert_eq!(from_code(code(*variant)), Some(*variant));
        assert_eq!(word.parse().as_ref(), Ok(variant));
        assert_eq!(variant.to_string(), word);
        assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{word} is snake_case");
        let json = serde_json::to_string(variant).unwrap();
        assert_eq!(json, format!("\"{word}\""));
        assert_eq!(serde_json::from_str::<T>(&json).unwrap(), *variant);
    }
    assert_eq!(from_code(0), None);
    assert_eq!(from_code(99), None);
    assert!("Nonsense".parse::<T>().is_err());
}

macro_rules! round_trips {
    ($($name:ident)+) => { $(round_trips($name::ALL, $name::code, $name::from_code, $name::as_str);)+ };
}

#[test]
fn every_code_and_word_leads_back_to_its_variant() {
    round_trips!(
        ActionKind CauseKind Channel ChargeStatus EventKind FailReason FulfilmentStatus MovementKind
        NotificationKind NotificationStatus OrderStatus PaymentStatus Period RefundCause RefundStatus
        ShipmentStatus Verdict
    );
}

#[test]
fn an_unknown_word_is_refused_with_the_known_ones() {
    let refused = "canceled".parse::<OrderStatus>().unwrap_err().to_string();
    let known = "pending, reserved, confirmed, completed, failed, cancelled";
    assert_eq!(refused, format!("“canceled” is no order status; known are {known}"));
}
