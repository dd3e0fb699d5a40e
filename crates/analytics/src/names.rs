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

/// Figures from the values of [`FIGURES`].
pub(crate) fn figures_of(values: [i64; 10]) -> KpiFigures {
    let [orders, units, gross, refunds, failed, declined, expired, cancelled, customers, new_customers] =
        values;
    // An order is confirmed when, and only when, it is paid.
    let paid = orders;
    KpiFigures {
        orders,
        units,
        gross,
        refunds,
        failed,
        cancelled,
        paid,
        declined,
        expired,
        new_customers,
        customers,
    }
}
