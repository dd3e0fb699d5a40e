//! How far orders come, and where they stop.

use app::orders::Stages;

use super::words::{number, percent};

/// The stages, each with how many came there.
pub(super) struct Funnel {
    /// Of how many orders it tells.
    pub(super) of: String,
    pub(super) stages: Vec<Stage>,
    /// Why orders stopped, and how many.
    pub(super) stopped: Vec<(&'static str, String)>,
}

pub(super) struct Stage {
    pub(super) name: &'static str,
    pub(super) count: String,
    pub(super) share: String,
    /// Of a hundred.
    pub(super) width: i64,
}

impl Funnel {
    pub(super) fn of(stages: &Stages) -> Self {
        let stage = |(name, count): (&'static str, i64)| {
            let share = if stages.placed == 0 { 0.0 } else { count as f64 / stages.placed as f64 };
            Stage { name, count: number(count), share: percent(share), width: (share * 100.0) as i64 }
        };
        let reached = [
            ("Placed", stages.placed),
            ("Reserved", stages.reserved),
            ("Confirmed", stages.confirmed),
            ("Shipped", stages.shipped),
            ("Delivered", stages.delivered),
        ];
        let stopped = [
            ("out of stock", stages.out_of_stock),
            ("payment declined", stages.declined),
            ("payment never came", stages.expired),
            ("cancelled", stages.cancelled),
        ];
        Funnel {
            of: number(stages.placed),
            stages: reached.map(stage).into(),
            stopped: stopped
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .map(|(why, count)| (why, number(count)))
                .collect(),
        }
    }
}
