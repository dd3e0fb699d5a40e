//! The figures, one file each.

pub mod end_to_end;
pub mod import;
pub mod latency;
pub mod memory;
pub mod queue;
pub mod refunds;
pub mod start;
pub mod verify;

use clap::ValueEnum;
use serde::Serialize;

use crate::report::Figure;

/// How much is measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Size {
    pub orders: u64,
    pub runs: usize,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    Import,
    EndToEnd,
    Queue,
    Refunds,
    Latency,
    Memory,
    Start,
    Verify,
    All,
}

impl Subject {
    /// In the order of the table.
    const EACH: [Subject; 8] = [
        Subject::Import,
        Subject::EndToEnd,
        Subject::Queue,
        Subject::Refunds,
        Subject::Latency,
        Subject::Memory,
        Subject::Start,
        Subject::Verify,
    ];

    /// The subjects that are asked for, each once; all of them where none is.
    pub fn wanted(asked: &[Subject]) -> impl Iterator<Item = Subject> {
        let all = asked.is_empty() || asked.contains(&Subject::All);
        Subject::EACH.into_iter().filter(move |subject| all || asked.contains(subject))
    }

    pub async fn measure(self, size: Size) -> anyhow::Result<Vec<Figure>> {
        match self {
            Subject::Import => import::measure(size).await,
            Subject::EndToEnd => end_to_end::measure(size).await,
            Subject::Queue => queue::measure(size).await,
            Subject::Refunds => refunds::measure(size).await,
            Subject::Latency => latency::measure(size).await,
            Subject::Memory => memory::measure(size).await,
            Subject::Start => start::measure(size).await,
            Subject::Verify => verify::measure(size).await,
            Subject::All => Ok(Vec::new()),
        }
    }
}
