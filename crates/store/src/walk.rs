//! Lists that are read along an index in bounded pieces and filtered here, so that a filter which no index serves costs a
//! page no more than that, however much the ledger holds.

use sql::Tx;

use crate::Result;

/// Rows that one page looks at, at most.
pub const SEEN_AT_MOST: u32 = 5_000;
/// Rows read at a time where some are left out.
const PIECE: u32 = 500;

/// A part of a list.
///
/// Looking stops after a bounded number of rows, so a part may hold fewer rows than asked for, or none, and still have a
/// next one.
#[derive(Debug, Clone)]
pub struct Part<T, K> {
    /// Its rows.
    pub rows: Vec<T>,
    /// Where the next part begins: after this place. None at the end.
    pub next: Option<K>,
}

/// Reads rows from the one after `after` on, until `limit` of them are kept, there are no more, or enough were seen.
///
/// `read` gives the next rows along an index, each with its place; `keep` leaves out those that are not wanted, and is
/// none where all are.
pub(crate) fn walk<T, K: Copy>(
    tx: &mut Tx<'_>,
    (mut after, limit): (Option<K>, u32),
    mut read: impl FnMut(&mut Tx<'_>, Option<K>, u32) -> Result<Vec<(K, T)>>,
    mut keep: Option<impl FnMut(&mut Tx<'_>, Vec<(K, T)>) -> Result<Vec<(K, T)>>>,
) -> Result<Part<T, K>> {
    let one_more = limit.saturating_add(1);
    let size = if keep.is_some() { one_more.max(PIECE) } else { one_more };
    let (mut kept, mut seen) = (Vec::new(), 0);
    loop {
        let piece = read(tx, after, size)?;
        let is_last = piece.len() < size as usize;
        seen += size;
        after = piece.last().map(|(place, _)| *place).or(after);
        kept.extend(match &mut keep {
            Some(keep) => keep(tx, piece)?,
            None => piece,
        });
        if kept.len() > limit as usize {
            kept.truncate(limit as usize);
            let next = kept.last().map(|(place, _)| *place);
            return Ok(part(kept, next));
        }
        if is_last || seen >= SEEN_AT_MOST {
            return Ok(part(kept, after.filter(|_| !is_last)));
        }
    }
}

fn part<T, K>(kept: Vec<(K, T)>, next: Option<K>) -> Part<T, K> {
    Part { rows: kept.into_iter().map(|(_, row)| row).collect(), next }
}
