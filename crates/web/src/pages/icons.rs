//! Icons of the navigation: what their lines go along, in a square of 24 units.

pub(super) const OVERVIEW: &str = "M4 20V10M10 20V4M16 20v-7M22 20H2";
pub(super) const ORDERS: &str = "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6";
pub(super) const API: &str = "m8 7-5 5 5 5M16 7l5 5-5 5M14 4l-4 16";
pub(super) const ACCOUNT: &str = "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 16 0";
pub(super) const QUEUES: &str = "M3 5h18M3 12h18M3 19h12M19 16v6M16 19h6";
pub(super) const AUDIT: &str = "M12 3 4 6v6c0 5 3.5 8 8 9 4.5-1 8-4 8-9V6zM9 12l2 2 4-4";
