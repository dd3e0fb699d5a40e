//! Icons of the navigation: what their lines go along, in a square of 24 units.

pub(super) const OVERVIEW: &str = "M4 20V10M10 20V4M16 20v-7M22 20H2";
pub(super) const ORDERS: &str = "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6";
pub(super) const IMPORTS: &str = "M12 3v12m-4-4 4 4 4-4M4 17v4h16v-4";
pub(super) const API: &str = "m8 7-5 5 5 5M16 7l5 5-5 5M14 4l-4 16";
pub(super) const ACCOUNT: &str = "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 16 0";
pub(super) const REFUNDS: &str = "M4 10h11a5 5 0 0 1 0 10h-4M4 10l4-4M4 10l4 4";
pub(super) const NOTIFICATIONS: &str = "M3 6h18v12H3zM3 7l9 6 9-6";
pub(super) const PRODUCTS: &str = "M12 2 3 7v10l9 5 9-5V7zM3 7l9 5 9-5M12 12v10";
pub(super) const CUSTOMERS: &str =
    "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21a7 7 0 0 1 14 0M16 4a4 4 0 0 1 0 7M18 14a7 7 0 0 1 4 7";
pub(super) const SYSTEM: &str = "M3 4h18v6H3zM3 14h18v6H3zM7 7h.01M7 17h.01";
pub(super) const WEBHOOKS: &str = "M12 3v6m0 0a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM10 14l-4 6M14 14l4 6";
pub(super) const PEOPLE: &str = "M15 8a4 4 0 1 0-7 2.6L3 15.6V20h4v-2h2v-2h2l.6-.6A4 4 0 0 0 15 8zM16 8h.01";
pub(super) const QUEUES: &str = "M3 5h18M3 12h18M3 19h12M19 16v6M16 19h6";
pub(super) const AUDIT: &str = "M12 3 4 6v6c0 5 3.5 8 8 9 4.5-1 8-4 8-9V6zM9 12l2 2 4-4";
