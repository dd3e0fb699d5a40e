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
}

/// A block grows by doubling, so a command that places one order takes one id and a server stops asking.
const LARGEST_BLOCK: u64 = 1 << 16;

impl IdBlocks {
    pub(crate) fn take(&self, sequence: &'static str, n: u64) -> Option<Range<i64>> {
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

    /// How many ids to reserve when `n` are needed now.
    pub(crate) fn block_size(&self, sequence: &'static str, n: u64) -> u64 {
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let last = blocks.get(sequence).map_or(0, |block| block.last_size);
        n.max((last * 2).min(LARGEST_BLOCK))
    }

    pub(crate) fn put(&self, sequence: &'static str, free: Range<i64>) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let last_size = free.start.abs_diff(free.end);
        blocks.insert(sequence, Block { free, last_size });
    }
}
