//! Rows that are not imported, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Field;

macro_rules! codes {
    ($($name:ident = $code:literal, $meaning:literal;)+) => {
        /// Why a row is not imported. The codes are stable: people filter by them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum RejectCode {
            $(#[doc = $meaning] $name,)+
        }

        impl RejectCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as it is stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// What it means, for the reference.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning),+ }
            }
        }
    };
}

codes! {
    RaggedRow = "ragged_row", "The row has not as many columns as the header.";
    MissingField = "missing_field", "A required cell is blank.";
    MissingCustomer = "missing_customer", "The row has neither an e-mail nor a customer id.";
    InvalidText = "invalid_text", "A name, id or note is too long or has characters that it must not have.";
    InvalidEmail = "invalid_email", "The e-mail is none.";
    InvalidSku = "invalid_sku", "The SKU is too long or has characters that it must not have.";
    InvalidDate = "invalid_date", "The date is in no known format, or could be read in two ways.";
    DateOutOfRange = "date_out_of_range", "The date lies before 1970 or too far in the future.";
    UnknownCurrency = "unknown_currency", "The currency is not an ISO 4217 code.";
    InvalidQuantity = "invalid_quantity", "The quantity is not a whole number.";
    QuantityOutOfRange = "quantity_out_of_range", "The quantity is not between 1 and 1,000,000.";
    NegativeQuantity = "negative_quantity", "The quantity is negative, and returns are not taken.";
    InvalidPrice = "invalid_price", "The price is no amount of the currency, or could be read in two ways.";
    NegativePrice = "negative_price", "The price is below zero.";
    InvalidAmount = "invalid_amount", "A discount, shipping, tax, refund or total is no amount of the currency.";
    NegativeAmount = "negative_amount", "A discount, shipping, tax, refund or total is below zero.";
    UnknownStatus = "unknown_status", "The payment or fulfilment status is no known word.";
    CustomerDiffers = "customer_differs", "The row names another customer than its order's first row.";
    CurrencyDiffers = "currency_differs", "The row is in another currency than its order's first row.";
    OrderValueDiffers = "order_value_differs", "A value of the whole order is not the same in all its rows.";
    TotalMismatch = "total_mismatch", "The order's total is not what its rows add up to.";
    TotalOutOfRange = "total_out_of_range", "The order's total is below zero or does not fit 64 bits.";
    ReturnWithoutPurchase = "return_without_purchase", "The row takes back more than its order has of that SKU.";
    AlreadySettled = "already_settled", "The order is paid, refunded, cancelled or shipped already and must not be processed again.";
    OrderNotContiguous = "order_not_contiguous", "The order's rows do not follow each other.";
    OrderRejected = "order_rejected", "Nothing is wrong with this row, but with another one of its order.";
    UnknownProduct = "unknown_product", "The SKU is not in the catalogue, and the import was told not to add products.";
}

impl std::fmt::Display for RejectCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for RejectCode {
    type Err = UnknownCode;

    fn from_str(code: &str) -> Result<Self, UnknownCode> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == code)
            .ok_or_else(|| UnknownCode(code.to_owned()))
    }
}

/// A word that is no [`RejectCode`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no reject code")]
pub struct UnknownCode(String);

/// A row that is not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reject {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Why.
    pub code: RejectCode,
    /// The cell that is to blame.
    pub field: Option<Field>,
    /// Why, in words.
    pub message: String,
    /// The row as it stands.
    pub raw: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_stored_by_the_name_that_json_shows() {
        for code in RejectCode::ALL {
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{code}\""));
            assert_eq!(code.as_str().parse(), Ok(*code));
        }
    }
}
