//! Identifiers: 64-bit numbers below 2⁵³, so that they survive JSON and a sorted set's score.

/// Ids end here: above it a double no longer tells neighbours apart.
const LIMIT: i64 = 1 << 53;

/// A number or text that cannot be an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{given}” is not a valid {what}: a whole number from 1 to 9007199254740991 is expected")]
pub struct IdError {
    /// The kind of id that was expected.
    pub what: &'static str,
    /// What was given instead.
    pub given: String,
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident = $what:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(into = "i64", try_from = "i64")]
        pub struct $name(i64);

        impl $name {
            /// Takes a number from outside.
            pub fn new(number: i64) -> Result<Self, IdError> {
                if (1..LIMIT).contains(&number) {
                    Ok(Self(number))
                } else {
                    Err(IdError { what: $what, given: number.to_string() })
                }
            }

            /// Takes a number that the ledger itself holds, or that a block of reserved ids gave out.
            pub const fn from_ledger(number: i64) -> Self {
                Self(number)
            }

            /// The number.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "integer", "format": "int64", "minimum": 1, "maximum": LIMIT - 1 })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let refused = || IdError { what: $what, given: text.chars().take(32).collect() };
                let number = text.parse().map_err(|_| refused())?;
                Self::new(number).map_err(|_| refused())
            }
        }

        impl TryFrom<i64> for $name {
            type Error = IdError;

            fn try_from(number: i64) -> Result<Self, IdError> {
                Self::new(number)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }
    )+};
}

ids! {
    /// A customer.
    CustomerId = "customer id";
    /// A product.
    ProductId = "product id";
    /// A row of the stock ledger.
    StockMovementId = "stock movement id";
    /// An order.
    OrderId = "order id";
    /// A line of an order.
    OrderLineId = "order line id";
    /// A row of an order's timeline.
    EventId = "event id";
    /// An attempt to charge an order.
    PaymentId = "payment id";
    /// A refund.
    RefundId = "refund id";
    /// A line of a refund.
    RefundLineId = "refund line id";
    /// A shipment.
    ShipmentId = "shipment id";
    /// A line of a shipment.
    ShipmentLineId = "shipment line id";
    /// An import.
    ImportId = "import id";
    /// A notification.
    NotificationId = "notification id";
    /// A webhook delivery or event in the inbox.
    WebhookId = "webhook id";
    /// A person who may sign in.
    UserId = "user id";
    /// An API token.
    TokenId = "token id";
    /// A row of the operators' log.
    ActionId = "action id";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_positive_and_exact_in_a_double() {
        assert_eq!(OrderId::new(1).map(OrderId::get), Ok(1));
        assert_eq!(OrderId::new(LIMIT - 1).map(OrderId::get), Ok(9_007_199_254_740_991));
        assert!(OrderId::new(0).is_err());
        assert!(OrderId::new(-7).is_err());
        assert!(OrderId::new(LIMIT).is_err());
    }

    #[test]
    fn an_id_is_read_from_text_and_the_refusal_names_it() {
        assert_eq!("42".parse(), Ok(ProductId::from_ledger(42)));
        let refused = "SHOP/7".parse::<OrderId>().unwrap_err();
        assert!(refused.to_string().contains("SHOP/7") && refused.to_string().contains("order id"));
    }

    #[test]
    fn an_id_is_a_number_in_json_and_checked_on_the_way_in() {
        assert_eq!(serde_json::to_string(&RefundId::from_ledger(5)).unwrap(), "5");
        assert_eq!(serde_json::from_str::<RefundId>("5").unwrap(), RefundId::from_ledger(5));
        assert!(serde_json::from_str::<RefundId>("0").is_err());
        assert!(serde_json::from_str::<RefundId>("\"5\"").is_err());
    }
}
