//! What a column can mean.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A field of an order line, by the name that the shop's own format gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Field {
    /// The order's id in the system it comes from.
    ExternalOrderId,
    /// When it was placed.
    OrderPlacedAt,
    /// ISO 4217 code.
    Currency,
    /// The customer's e-mail.
    CustomerEmail,
    /// The customer's id in the system it comes from.
    CustomerId,
    /// The customer's name.
    CustomerName,
    /// The product's SKU.
    ProductSku,
    /// The product's name as sold.
    ProductName,
    /// Price of one unit in the currency's minor units.
    UnitPriceCents,
    /// Price of one unit as a decimal.
    UnitPrice,
    /// How many units.
    Qty,
    /// What is taken off the order.
    Discount,
    /// Shipping of the order.
    Shipping,
    /// Tax of the order.
    Tax,
    /// The order's total, checked.
    OrderTotal,
    /// How it was paid.
    PaymentMethod,
    /// Free text.
    Notes,
    /// Whether it was paid, in the words of the system it comes from.
    PaymentStatus,
    /// Whether it was shipped, likewise.
    FulfilmentStatus,
    /// When it was cancelled; blank if it was not.
    CancelledAt,
    /// How much was refunded.
    RefundedAmount,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::ExternalOrderId,
        Self::OrderPlacedAt,
        Self::Currency,
        Self::CustomerEmail,
        Self::CustomerId,
        Self::CustomerName,
        Self::ProductSku,
        Self::ProductName,
        Self::UnitPriceCents,
        Self::UnitPrice,
        Self::Qty,
        Self::Discount,
        Self::Shipping,
        Self::Tax,
        Self::OrderTotal,
        Self::PaymentMethod,
        Self::Notes,
        Self::PaymentStatus,
        Self::FulfilmentStatus,
        Self::CancelledAt,
        Self::RefundedAmount,
    ];

    /// Its name, as in a header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExternalOrderId => "external_order_id",
            Self::OrderPlacedAt => "order_placed_at",
            Self::Currency => "currency",
            Self::CustomerEmail => "customer_email",
            Self::CustomerId => "customer_id",
            Self::CustomerName => "customer_name",
            Self::ProductSku => "product_sku",
            Self::ProductName => "product_name",
            Self::UnitPriceCents => "unit_price_cents",
            Self::UnitPrice => "unit_price",
            Self::Qty => "qty",
            Self::Discount => "discount",
            Self::Shipping => "shipping",
            Self::Tax => "tax",
            Self::OrderTotal => "order_total",
            Self::PaymentMethod => "payment_method",
            Self::Notes => "notes",
            Self::PaymentStatus => "payment_status",
            Self::FulfilmentStatus => "fulfilment_status",
            Self::CancelledAt => "cancelled_at",
            Self::RefundedAmount => "refunded_amount",
        }
    }

    /// The field of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }
}

/// Header names are compared by their letters and digits alone.
pub(crate) fn normalise(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
