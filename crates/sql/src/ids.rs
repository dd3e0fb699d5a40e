use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Ids that this process has reserved in the database and not yet given out.
///
/// A block is reserved in a transaction of its own, so ids are never given twice; those of a rolled-back
/// transaction or a killed process are lost, which costs nothing.
#[derive(Debug, Default)]
pub(crate) struct IdBlocks {
    blocks: Mutex<HashMap<&'static str, Block>>,
}

#[derive(Debug)]
struct Block {
    free: Range<i64>,
    last_size: u64,
    /// How many there were before it.
    number: u64,
}

/// Ids that a transaction could not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) sequence: &'static str,
    pub(crate) n: u64,
    /// The block that had too few, if there was one.
    block: Option<u64>,
}

/// A block is this many times the one before it, so a command that places one order takes one id and a server stops asking.
const GROWTH: u64 = 8;
const LARGEST_BLOCK: u64 = 1 << 16;

impl IdBlocks {
    pub(crate) fn take(&self, sequence: &'static str, n: u64) -> Option<Range<i64>> {
        if n == 0 {
            return Some(0..0);
        }
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let free = &mut blocks.get_mut(sequence)?.free;
        let end = free.start.checked_add_unsigned(n).filter(|end| *end <= free.end)?;
        let taken = free.start..end;
        free.start = end;
        Some(taken)
    }

    /// Takes back what a rolled-back transaction took last, so that running it again takes the same.
    pub(crate) fn give_back(&self, sequence: &'static str, taken: &Range<i64>) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = blocks.get_mut(sequence)
            && block.free.start == taken.end
        {
            block.free.start = taken.start;
        }
    }

    /// What is wanted of a sequence that has too few ids left.
    pub(crate) fn want(&self, sequence: &'static str, n: u64) -> Wanted {
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        Wanted { sequence, n, block: blocks.get(sequence).map(|block| block.number) }
    }

    /// Whether the block that had too few is still the last one.
    pub(crate) fn still_lacks(&self, wanted: Wanted) -> bool {
        self.want(wanted.sequence, wanted.n) == wanted
    }

    /// How many ids to reserve when these are needed now.
    pub(crate) fn block_size(&self, Wanted { sequence, n, .. }: Wanted) -> u64 {
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let last = blocks.get(sequence).map_or(0, |block| block.last_size);
        n.max((last * GROWTH).min(LARGEST_BLOCK))
    }

    pub(crate) fn put(&self, sequence: &'static str, free: Range<i64>) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let last_size = free.start.abs_diff(free.end);
        let number = blocks.get(sequence).map_or(0, |block| block.number + 1);
        blocks.insert(sequence, Block { free, last_size, number });
    }
}
