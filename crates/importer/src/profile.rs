//! Profiles: what a kind of file calls its columns and how it writes its values. A profile is data, so that a
//! shop can bring its own.

use std::collections::{BTreeMap, HashMap};

use domain::{Currency, DecimalStyle};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::field::normalise;
use crate::{Field, ReadError};

/// What an import is for, unless the caller says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Workflow {
    /// New orders: stock is reserved, payment taken, the customer told.
    #[default]
    Process,
    /// Orders of the past, which enter in the state that their rows tell.
    Historical,
}

/// What stands in for a blank SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlankSku {
    /// One made from the product's name.
    #[default]
    FromName,
    /// Nothing: the line is rejected.
    Reject,
}

/// A kind of file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What an import of such a file is for by default.
    #[serde(default)]
    pub workflow: Workflow,
    /// Cells of the order stand on its first line only.
    #[serde(default)]
    pub fill_down: bool,
    /// The currency of a file that has no such column.
    #[serde(default)]
    pub currency: Option<Currency>,
    /// IANA name of the zone of times without an offset; without it they are in the shop's.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// `strptime` formats tried before the usual ones.
    #[serde(default)]
    pub date_formats: Vec<String>,
    /// How amounts are written.
    #[serde(default)]
    pub decimal: DecimalStyle,
    /// Round prices with more decimals than the currency has (half away from zero) instead of rejecting them.
    #[serde(default)]
    pub round_prices: bool,
    /// Prices contain the tax already.
    #[serde(default)]
    pub tax_included: bool,
    /// What stands in for a blank SKU.
    #[serde(default)]
    pub blank_sku: BlankSku,
    /// The names a header may give each field. Case, spaces and punctuation do not count.
    pub columns: BTreeMap<Field, Vec<String>>,
}

impl Profile {
    /// Reads a profile from TOML; `origin` names it in errors.
    pub fn parse(toml: &str, origin: &str) -> Result<Self, ReadError> {
        let bad = |reason: String| ReadError::BadProfile { name: origin.to_owned(), reason };
        let profile: Self =
            toml::from_str(toml).map_err(|error| bad(error.to_string().trim_end().to_owned()))?;
        profile.check().map_err(bad)?;
        Ok(profile)
    }

    fn check(&self) -> Result<(), String> {
        let mut seen: HashMap<String, Field> = HashMap::new();
        for (field, names) in &self.columns {
            for name in names {
                match seen.insert(normalise(name), *field) {
                    Some(other) if other != *field => {
                        return Err(format!(
                            "{name:?} is named for {} and for {}",
                            other.as_str(),
                            field.as_str()
                        ));
                    }
                    _ => {}
                }
            }
        }
        if let Some(zone) = &self.time_zone {
            jiff::tz::TimeZone::get(zone).map_err(|error| format!("time_zone: {error}"))?;
        }
        Ok(())
    }

    /// The profiles that come with the program; the first is the shop's own format.
    pub fn builtin() -> Vec<Self> {
        [
            ("native", include_str!("../profiles/native.toml")),
            ("uci", include_str!("../profiles/uci.toml")),
            ("shopify", include_str!("../profiles/shopify.toml")),
        ]
        .into_iter()
        .map(|(name, toml)| Self::parse(toml, name).expect("a profile of ours is valid; its test parses it"))
        .collect()
    }

    /// The fields by their normalised column names.
    pub(crate) fn names(&self) -> HashMap<String, Field> {
        self.columns
            .iter()
            .flat_map(|(field, names)| names.iter().map(|name| (normalise(name), *field)))
            .collect()
    }

    /// The groups of fields of which an order needs one each.
    pub fn required(&self) -> impl Iterator<Item = &'static [Field]> {
        const REQUIRED: [&[Field]; 7] = [
            &[Field::ExternalOrderId],
            &[Field::OrderPlacedAt],
            &[Field::Currency],
            &[Field::ProductSku],
            &[Field::Qty],
            &[Field::UnitPriceCents, Field::UnitPrice],
            &[Field::CustomerEmail, Field::CustomerId],
        ];
        let has_currency = self.currency.is_some();
        REQUIRED.into_iter().filter(move |group| !(has_currency && group.contains(&Field::Currency)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_that_come_with_the_program_are_valid() {
        let names: Vec<String> = Profile::builtin().into_iter().map(|profile| profile.name).collect();
        assert_eq!(names, ["native", "uci", "shopify"]);
    }

    #[test]
    fn native_knows_every_field_by_its_own_name() {
        let names = Profile::builtin()[0].names();
        for field in Field::ALL {
            assert_eq!(names.get(&normalise(field.as_str())), Some(&field), "{}", field.as_str());
        }
    }

    #[test]
    fn a_name_for_two_fields_is_refused() {
        let toml = "name = 'x'\n[columns]\nqty = ['Count']\nproduct_sku = ['count']";
        let error = Profile::parse(toml, "x.toml").unwrap_err().to_string();
        assert!(error.contains("product_sku") && error.contains("qty"), "{error}");
    }
}
