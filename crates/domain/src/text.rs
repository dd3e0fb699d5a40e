//! Words and counts from outside, checked once and trusted afterwards.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// A text that breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} {rule}")]
pub struct TextError {
    /// What the text was meant to be.
    pub what: &'static str,
    /// The rule it breaks.
    pub rule: TextRule,
}

/// The rules a text can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextRule {
    /// Nothing but white space.
    #[error("is empty")]
    Empty,
    /// Too many characters.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    /// Line breaks, NUL and their like.
    #[error("contains a control character")]
    ControlCharacter,
    /// A character that is not among those allowed.
    #[error("contains {0:?}; allowed are {1}")]
    Character(char, &'static str),
    /// Not of the form it should have.
    #[error("is not {0}")]
    Shape(&'static str),
}

fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

/// Trims, and checks what all texts have in common.
fn line(text: &str, max: usize) -> Result<&str, TextRule> {
    let text = trimmed(text);
    if text.is_empty() {
        return Err(TextRule::Empty);
    }
    // The number of bytes bounds the number of characters, and is free.
    if text.len() > max && text.chars().nth(max).is_some() {
        return Err(TextRule::TooLong(max));
    }
    if text.chars().any(is_control) {
        return Err(TextRule::ControlCharacter);
    }
    Ok(text)
}

fn all(text: &str, allowed: fn(char) -> bool, are: &'static str) -> Result<(), TextRule> {
    text.chars().find(|c| !allowed(*c)).map_or(Ok(()), |c| Err(TextRule::Character(c, are)))
}

fn email(text: &str) -> Result<String, TextRule> {
    const SHAPE: TextRule = TextRule::Shape("of the form name@example.com");
    // Lower case first: a capital letter may become several characters.
    let text = line(text, 254)?.to_lowercase();
    if text.len() > 254 {
        return Err(TextRule::TooLong(254));
    }
    let (local, domain) = text.split_once('@').ok_or(SHAPE)?;
    let local_is_sane = (1..=64).contains(&local.len())
        && local.chars().all(|c| !c.is_whitespace() && !"<>()[],;:\\\"".contains(c));
    let label_is_sane = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    if !local_is_sane || !domain.contains('.') || !domain.split('.').all(label_is_sane) {
        return Err(SHAPE);
    }
    Ok(text)
}

fn sku(text: &str) -> Result<String, TextRule> {
    line(text, 64).map(str::to_owned)
}

fn external_id(text: &str) -> Result<String, TextRule> {
    line(text, 128).map(str::to_owned)
}

fn label(text: &str) -> Result<String, TextRule> {
    line(text, 255).map(str::to_owned)
}

fn source_name(text: &str) -> Result<String, TextRule> {
    let text = line(text, 64)?;
    all(text, |c| c.is_ascii_alphanumeric() || "._-".contains(c), "letters, digits, '.', '_' and '-'")?;
    Ok(text.to_owned())
}

fn idempotency_key(text: &str) -> Result<String, TextRule> {
    let text = line(text, 128)?;
    all(text, |c| c.is_ascii_graphic(), "visible ASCII characters without spaces")?;
    Ok(text.to_owned())
}

/// The JSON Schema of a text from outside. White space around it does not count, so the pattern bounds its length.
fn schema(pattern: &str) -> Schema {
    json_schema!({ "type": "string", "pattern": pattern })
}

/// So many characters on one line, the first and the last of which are seen.
fn on_one_line(max: usize) -> Schema {
    const CONTROLS: &str = r"\x00-\x1f\x7f-\x9f\u2028\u2029";
    let (any, seen, rest) = (format!("[^{CONTROLS}]"), format!(r"[^\s{CONTROLS}]"), max - 2);
    schema(&format!(r"^\s*{seen}({any}{{0,{rest}}}{seen})?\s*$"))
}

const AN_ADDRESS: &str = r#"^\s*[^\s<>()\[\],;:\\"@]{1,64}@[^\s@]+\.[^\s@]+\s*$"#;
const A_WORD: &str = r"^\s*[A-Za-z0-9._-]{1,64}\s*$";
const VISIBLE: &str = r"^[!-~]{1,128}$";

macro_rules! texts {
    ($($(#[$meta:meta])* $name:ident = $what:literal, $parse:path, $schema:expr;)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Checks and normalises a text from outside.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                match $parse(text) {
                    Ok(text) => Ok(Self(text.into_boxed_str())),
                    Err(rule) => Err(TextError { what: $what, rule }),
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                Self::parse(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = TextError;

            fn try_from(text: &str) -> Result<Self, TextError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0.into_string()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )+};
}

texts! {
    /// An e-mail address: trimmed, lower-case, safe in a header.
    Email = "e-mail", email, schema(AN_ADDRESS);
    /// The shop's name of a product: trimmed, its case and leading zeros kept.
    Sku = "SKU", sku, on_one_line(64);
    /// The id that another system gave an order or customer.
    ExternalId = "external id", external_id, on_one_line(128);
    /// Where orders come from: one half of an order's identity.
    SourceName = "source", source_name, schema(A_WORD);
    /// A name for people, on one line.
    Label = "name", label, on_one_line(255);
    /// What people call a token that programs sign in with.
    TokenName = "token name", source_name, schema(A_WORD);
    /// What makes a repeated request the same request.
    IdempotencyKey = "idempotency key", idempotency_key, schema(VISIBLE);
}

/// The name of a customer.
pub type PersonName = Label;

/// The name of a product.
pub type ProductName = Label;

/// A number of units: 1 to 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(into = "i64", try_from = "i64")]
pub struct Quantity(u32);

impl Quantity {
    /// The most units that one line can have.
    pub const MAX: u32 = 1_000_000;

    const OUT_OF_RANGE: TextError =
        TextError { what: "quantity", rule: TextRule::Shape("a whole number from 1 to 1000000") };

    /// Takes a number from outside.
    pub fn new(count: i64) -> Result<Self, TextError> {
        match u32::try_from(count) {
            Ok(count @ 1..=Self::MAX) => Ok(Self(count)),
            _ => Err(Self::OUT_OF_RANGE),
        }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl JsonSchema for Quantity {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": Self::MAX })
    }
}

impl FromStr for Quantity {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        trimmed(text).parse().map_or(Err(Self::OUT_OF_RANGE), Self::new)
    }
}

impl TryFrom<i64> for Quantity {
    type Error = TextError;

    fn try_from(count: i64) -> Result<Self, TextError> {
        Self::new(count)
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> i64 {
        i64::from(quantity.0)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
