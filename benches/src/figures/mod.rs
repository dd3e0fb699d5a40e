//! The figures, one file each.

pub mod api;
pub mod end_to_end;
pub mod import;
pub mod latency;
pub mod memory;
pub mod pages;
pub mod queue;
pub mod refunds;
pub mod start;
pub mod verify;

use clap::ValueEnum;
use serde::Serialize;

use crate::place::Place;
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
    Api,
    Pages,
    Latency,
    Memory,
    Start,
    Verify,
    All,
}

impl Subject {
    /// In the order of the table.
    const EACH: [Subject; 10] = [
        Subject::Import,
        Subject::EndToEnd,
        Subject::Queue,
        Subject::Refunds,
        Subject::Api,
        Subject::Pages,
        Subject::Latency,
        Subject::Memory,
        Subject::Start,
        Subject::Verify,
    ];

    /// The subjects that are asked for, each once; all of them where none is, but for those that want a million orders
    /// and have tables of their own. On servers, memory and start say nothing
    /// that a file does not.
    pub fn wanted(asked: &[Subject], place: &Place) -> impl Iterator<Item = Subject> {
        let all = asked.is_empty() || asked.contains(&Subject::All);
        let on_files_alone = [Subject::Memory, Subject::Start, Subject::Verify];
        Subject::EACH
            .into_iter()
            .filter(move |subject| asked.contains(subject) || (all && !subject.wants_a_million()))
            .filter(move |subject| place.is_sqlite() || !on_files_alone.contains(subject))
    }

    /// Whether it is measured over a million orders, in a table of its own.
    fn wants_a_million(self) -> bool {
        matches!(self, Subject::Api | Subject::Pages)
    }

    pub async fn measure(self, size: Size, place: &Place) -> anyhow::Result<Vec<Figure>> {
        match self {
            Subject::Import => import::measure(size, place).await,
            Subject::EndToEnd => end_to_end::measure(size, place).await,
            Subject::Queue => queue::measure(size, place).await,
            Subject::Refunds => refunds::measure(size, place).await,
            Subject::Api => api::measure(size, place).await,
            Subject::Pages => pages::measure(size, place).await,
            Subject::Latency => latency::measure(size, place).await,
            Subject::Memory => memory::measure(size, place).await,
            Subject::Start => start::measure(size, place).await,
            Subject::Verify => verify::measure(size, place).await,
            Subject::All => Ok(Vec::new()),
        }
    }
}
