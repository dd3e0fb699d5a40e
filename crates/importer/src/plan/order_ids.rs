//! The order ids of a whole text and where each was seen, in bounded memory: sorted runs go to a temporary file and
//! are merged at the end. An id is kept as the first 128 bits of its SHA-256, so two ids never pass for one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use sha2::{Digest, Sha256};

use crate::ReadError;

/// Memory for reading all runs back.
const MERGE_MEMORY: usize = 8 << 20;
const ENTRY: usize = 32;

/// Where an order begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seen {
    pub(super) line: u64,
    pub(super) offset: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    hash: u128,
    seen: Seen,
}

impl Entry {
    fn to_bytes(self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        bytes[..16].copy_from_slice(&self.hash.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.seen.line.to_le_bytes());
        bytes[24..].copy_from_slice(&self.seen.offset.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; ENTRY]) -> Self {
        let word = |from: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[from..from + 8]);
            u64::from_le_bytes(word)
        };
        let hash = u128::from(word(0)) | u128::from(word(8)) << 64;
        Self { hash, seen: Seen { line: word(16), offset: word(24) } }
    }
}

pub(super) struct OrderIds {
    run: Vec<Entry>,
    in_memory: usize,
    spill: Option<File>,
    /// Bytes of the temporary file and where its runs end.
    run_ends: Vec<u64>,
}

impl OrderIds {
    pub(super) fn new(in_memory: usize) -> Self {
        Self { run: Vec::new(), in_memory: in_memory.max(1), spill: None, run_ends: Vec::new() }
    }

    /// Keeps an id that an order begins with.
    pub(super) fn push(&mut self, id: &str, seen: Seen) -> Result<(), ReadError> {
        let digest = Sha256::digest(id.as_bytes());
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest[..16]);
        self.run.push(Entry { hash: u128::from_le_bytes(hash), seen });
        if self.run.len() >= self.in_memory { self.spill_run().map_err(ReadError::Spill) } else { Ok(()) }
    }

    fn spill_run(&mut self) -> std::io::Result<()> {
        self.run.sort_unstable();
        let mut file = match self.spill.take() {
            Some(file) => file,
            None => tempfile::tempfile()?,
        };
        let mut bytes = Vec::with_capacity(self.run.len().min(1 << 16) * ENTRY);
        for entries in self.run.chunks(1 << 16) {
            bytes.clear();
            bytes.extend(entries.iter().flat_map(|entry| entry.to_bytes()));
            file.write_all(&bytes)?;
        }
        let before = self.run_ends.last().copied().unwrap_or_default();
        self.run_ends.push(before + (self.run.len() * ENTRY) as u64);
        self.run.clear();
        self.spill = Some(file);
        Ok(())
    }

    /// The ids that were seen more than once: where first, and where next. At most `limit` of them.
    pub(super) fn repeated(mut self, limit: usize) -> Result<Vec<(Seen, Seen)>, ReadError> {
        if self.spill.is_none() {
            self.run.sort_unstable();
            let mut repeats = Repeats::new(limit);
            self.run.iter().all(|entry| repeats.take(*entry));
            return Ok(repeats.found);
        }
        self.spill_run().map_err(ReadError::Spill)?;
        self.merge(limit).map_err(ReadError::Spill)
    }

    fn merge(self, limit: usize) -> std::io::Result<Vec<(Seen, Seen)>> {
        let mut repeats = Repeats::new(limit);
        let Some(mut file) = self.spill else { return Ok(repeats.found) };
        let size = (MERGE_MEMORY / self.run_ends.len() / ENTRY).max(16) * ENTRY;
        let mut from = 0;
        let mut runs = Vec::with_capacity(self.run_ends.len());
        let mut heap = BinaryHeap::with_capacity(self.run_ends.len());
        for (index, end) in self.run_ends.iter().enumerate() {
            let mut run = Run { next: from, end: *end, buffer: Vec::new(), at: 0, size };
            from = *end;
            heap.extend(run.pop(&mut file)?.map(|entry| Reverse((entry, index))));
            runs.push(run);
        }
        while let Some(Reverse((entry, index))) = heap.pop() {
            if !repeats.take(entry) {
                break;
            }
            heap.extend(runs[index].pop(&mut file)?.map(|entry| Reverse((entry, index))));
        }
        Ok(repeats.found)
    }
}

/// Sees entries in order of their hashes and keeps the first two of equal ones.
struct Repeats {
    found: Vec<(Seen, Seen)>,
    limit: usize,
    last: Option<Entry>,
    told: bool,
}

impl Repeats {
    fn new(limit: usize) -> Self {
        Self { found: Vec::new(), limit, last: None, told: false }
    }

    /// Whether more may come.
    fn take(&mut self, entry: Entry) -> bool {
        match self.last {
            Some(last) if last.hash == entry.hash => {
                if !self.told {
                    self.found.push((last.seen, entry.seen));
                    self.told = true;
                }
            }
            _ => {
                self.last = Some(entry);
                self.told = false;
            }
        }
        self.found.len() < self.limit
    }
}

/// One sorted run of the temporary file, read piece by piece.
struct Run {
    next: u64,
    end: u64,
    buffer: Vec<u8>,
    at: usize,
    size: usize,
}

impl Run {
    fn pop(&mut self, file: &mut File) -> std::io::Result<Option<Entry>> {
        if self.at == self.buffer.len() {
            let left = self.end - self.next;
            if left == 0 {
                return Ok(None);
            }
            self.buffer.resize(left.min(self.size as u64) as usize, 0);
            file.seek(SeekFrom::Start(self.next))?;
            file.read_exact(&mut self.buffer)?;
            self.next += self.buffer.len() as u64;
            self.at = 0;
        }
        let entry = self.buffer[self.at..].first_chunk().map(Entry::from_bytes);
        self.at += ENTRY;
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(line: u64) -> Seen {
        Seen { line, offset: line * 10 }
    }

    fn repeated(ids: &[&str], in_memory: usize) -> Vec<(u64, u64)> {
        let mut order_ids = OrderIds::new(in_memory);
        for (line, id) in ids.iter().enumerate() {
            order_ids.push(id, seen(line as u64)).unwrap();
        }
        let mut found: Vec<_> = order_ids
            .repeated(100)
            .unwrap()
            .into_iter()
            .map(|(first, again)| (first.line, again.line))
            .collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn repeats_are_found_across_runs_on_disk_as_in_memory() {
        let ids = ["a", "b", "c", "a", "d", "e", "a", "f", "c"];
        let expected = [(0, 3), (2, 8)];
        for in_memory in [1, 2, 3, 4, 9, 100] {
            assert_eq!(repeated(&ids, in_memory), expected, "{in_memory} in memory");
        }
    }

    #[test]
    fn a_million_ids_through_small_runs_give_the_one_repeat() {
        let mut order_ids = OrderIds::new(10_000);
        for line in 0..1_000_000 {
            order_ids.push(&line.to_string(), seen(line)).unwrap();
        }
        order_ids.push("77", seen(1_000_000)).unwrap();
        assert_eq!(order_ids.repeated(10).unwrap(), [(seen(77), seen(1_000_000))]);
    }
}
