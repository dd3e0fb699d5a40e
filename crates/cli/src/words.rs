//! Reading words that were typed.

pub use app::words::{count, grouped, grouped_digits, spoken};
use domain::OrderId;
use serde::de::DeserializeOwned;
use sql::Tx;

/// One of the words that a type is written with, whether with dashes or underscores.
pub fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let word = serde_json::Value::String(text.replace('-', "_"));
    serde_json::from_value(word)
        .map_err(|error| error.to_string().replace("unknown variant ", "there is no "))
}

/// `A:B` as two numbers: the line and its units.
pub fn line_units(text: &str) -> Result<(i64, i64), String> {
    text.split_once(':')
        .and_then(|(line, units)| Some((line.trim().parse().ok()?, units.trim().parse().ok()?)))
        .ok_or_else(|| "write LINE:UNITS, such as 1:2".to_owned())
}

/// The order that a person names.
pub async fn order(app: &app::App, name: &str) -> app::Result<OrderId> {
    let name = name.to_owned();
    app.read("resolve_order", move |tx: &mut Tx<'_>| Ok(store::orders::resolve(tx, &name)?)).await
}

/// A word that nobody has used.
pub fn fresh(prefix: &str) -> String {
    format!("{prefix}-{:016x}", rand::random::<u64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_its_units_are_two_numbers() {
        assert_eq!(line_units("1:2"), Ok((1, 2)));
        for wrong in ["1", "a:b", "1:", ":2", "1:2:3"] {
            assert!(line_units(wrong).is_err(), "{wrong}");
        }
    }
}
