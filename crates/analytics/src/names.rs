//! The key figures by name.

use domain::KpiFigures;

/// The figures that are counted; the others follow from them. In the order of [`stored_values`].
pub(crate) const FIGURES: [&str; 10] = [
    "orders",
    "units",
    "gross",
    "refunds",
    "failed",
    "declined",
    "expired",
    "cancelled",
    "customers",
    "new_customers",
];

/// The values of [`FIGURES`].
pub(crate) fn stored_values(figures: &KpiFigures) -> [i64; 10] {
    [
        figures.orders,
        figures.units,
        figures.gross,
        figures.refunds,
        figures.failed,
        figures.declined,
        figures.expired,
        figures.cancelled,
        figures.customers,
        figures.new_customers,
    ]
}
