//! Currencies by their ISO 4217 code, and the signs people write instead.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// A currency that a shop can sell in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(into = "&'static str", try_from = "std::borrow::Cow<'_, str>")]
pub struct Currency(iso_currency::Currency);

/// A text that names no currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CurrencyError {
    /// No such currency, or one (like gold) without minor units.
    #[error("“{0}” is not a currency; an ISO 4217 code such as EUR is expected")]
    Unknown(String),
    /// A sign that several currencies share.
    #[error("“{0}” stands for several currencies; write its ISO 4217 code instead")]
    Ambiguous(String),
}

const SIGNS: &[(&str, &str)] = &[
    ("€", "EUR"),
    ("£", "GBP"),
    ("US$", "USD"),
    ("CA$", "CAD"),
    ("C$", "CAD"),
    ("A$", "AUD"),
    ("AU$", "AUD"),
    ("NZ$", "NZD"),
    ("HK$", "HKD"),
    ("S$", "SGD"),
    ("NT$", "TWD"),
    ("MX$", "MXN"),
    ("R$", "BRL"),
    ("JP¥", "JPY"),
    ("CN¥", "CNY"),
    ("₹", "INR"),
    ("₩", "KRW"),
    ("₽", "RUB"),
    ("₺", "TRY"),
    ("₴", "UAH"),
    ("₪", "ILS"),
    ("₫", "VND"),
    ("₱", "PHP"),
    ("₦", "NGN"),
    ("฿", "THB"),
    ("ZŁ", "PLN"),
    ("KČ", "CZK"),
];

const SHARED_SIGNS: &[&str] = &["$", "¥", "KR", "KR.", "FR", "FR."];

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(iso_currency::Currency::EUR);
    /// Pound sterling.
    pub const GBP: Self = Self(iso_currency::Currency::GBP);
    /// The dollar of the United States.
    pub const USD: Self = Self(iso_currency::Currency::USD);

    /// Reads a code in any case, or a sign that stands for one currency only.
    pub fn parse(text: &str) -> Result<Self, CurrencyError> {
        let text = text.trim();
        if let Some(currency) = Self::from_code(text) {
            return Ok(currency);
        }
        let upper = text.to_uppercase();
        if SHARED_SIGNS.contains(&upper.as_str()) {
            return Err(CurrencyError::Ambiguous(text.to_owned()));
        }
        let code = SIGNS.iter().find(|(sign, _)| *sign == upper).map_or(upper.as_str(), |(_, code)| code);
        Self::from_code(code).ok_or_else(|| CurrencyError::Unknown(text.chars().take(32).collect()))
    }

    fn from_code(code: &str) -> Option<Self> {
        // Metals, test codes and their like have no minor unit: nothing is sold in them.
        iso_currency::Currency::from_code(code).filter(|currency| currency.exponent().is_some()).map(Self)
    }

    /// The ISO 4217 code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals its minor unit takes: 2 for most, 0 for the yen, 3 for some dinars.
    pub fn exponent(self) -> u8 {
        self.0.exponent().map_or(0, |exponent| exponent as u8)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl JsonSchema for Currency {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        if generator.contract().is_deserialize() {
            let description = "An ISO 4217 code in any case, or a sign that stands for one currency only.";
            json_schema!({ "type": "string", "description": description, "minLength": 1 })
        } else {
            json_schema!({ "type": "string", "description": "An ISO 4217 code.", "pattern": "^[A-Z]{3}$" })
        }
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        Self::parse(text)
    }
}

impl TryFrom<std::borrow::Cow<'_, str>> for Currency {
    type Error = CurrencyError;

    fn try_from(text: std::borrow::Cow<'_, str>) -> Result<Self, CurrencyError> {
        Self::parse(&text)
    }
}

impl From<Currency> for &'static str {
    fn from(currency: Currency) -> &'static str {
        currency.code()
    }
}
