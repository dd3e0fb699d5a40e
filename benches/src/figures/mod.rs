//! The figures, one file each.

pub mod end_to_end;
pub mod import;
pub mod queue;

use serde::Serialize;

/// How much is measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Size {
    pub orders: u64,
    pub runs: usize,
}
