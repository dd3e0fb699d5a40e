//! Orders that nobody placed, to try templates with.

use domain::NotificationKind;

use super::input::{
    CustomerInput, Input, LineInput, OrderInput, ParcelInput, RefundInput, ShopInput, ShortInput,
};

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sample {
    /// One of which everything is known.
    #[default]
    Full,
    /// One of which no more is known than must be.
    Bare,
}

/// An order of which everything is known.
pub(super) fn full(kind: NotificationKind) -> Input<'static> {
    let amount = || "19.98 EUR".to_owned();
    let line = LineInput {
        sku: "MUG-1".into(),
        name: "Mug".into(),
        quantity: 2,
        unit_price: "9.99 EUR".to_owned(),
        amount: Some(amount()),
    };
    let short = ShortInput { sku: "MUG-1".into(), name: Some("Mug".into()), wanted: 2, available: 1 };
    let order = OrderInput {
        discount: Some(amount()),
        shipping: Some(amount()),
        tax: Some(amount()),
        tax_included: true,
        adjustment: Some(amount()),
        is_paid: true,
        ..bare(kind).order
    };
    Input {
        customer: CustomerInput { name: Some("Ada Lovelace".into()) },
        order,
        lines: vec![line.clone(), line],
        more_units: 3,
        show_totals: true,
        short: vec![short],
        reason: Some("a reason".into()),
        parcel: ParcelInput { carrier: Some("Post".into()), tracking: Some("TRACK-1".into()), is_last: true },
        ..bare(kind)
    }
}

/// An order of which no more is known than must be.
pub(super) fn bare(kind: NotificationKind) -> Input<'static> {
    let amount = || "19.98 EUR".to_owned();
    Input {
        shop: ShopInput { name: "The shop" },
        customer: CustomerInput { name: None },
        order: OrderInput {
            number: "1001".into(),
            placed_on: "2030-01-31".to_owned(),
            subtotal: amount(),
            discount: None,
            shipping: None,
            tax: None,
            tax_included: false,
            adjustment: None,
            total: amount(),
            is_paid: false,
        },
        lines: Vec::new(),
        more_units: 0,
        show_totals: false,
        short: Vec::new(),
        reason: None,
        parcel: ParcelInput::default(),
        refund: RefundInput { amount: (kind == NotificationKind::Refunded).then(amount) },
    }
}
