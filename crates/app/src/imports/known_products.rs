use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::ProductId;
use sql::Tx;

use crate::Result;

/// Products that this process has seen in the ledger, by their SKUs. A chunk of orders with many lines names hundreds, and
/// most of them the chunks before it have named.
///
/// A product keeps its SKU and its id for ever. Only a server that takes over from another may lack some that were seen,
/// so all of them are forgotten with each new connection.
#[derive(Debug, Default)]
pub(crate) struct KnownProducts {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// That of [`Tx::era`] in which they were seen.
    era: u64,
    ids: HashMap<String, ProductId>,
}

/// Products that are kept in mind: a few megabytes of them.
const AT_MOST: usize = 50_000;

impl KnownProducts {
    /// The ids of the products with these SKUs, where they exist.
    pub(crate) fn find_ids<'s>(
        self: &Arc<Self>,
        tx: &mut Tx<'_>,
        skus: impl Iterator<Item = &'s str>,
    ) -> Result<HashMap<&'s str, ProductId>> {
        let era = tx.era();
        let (mut found, unseen) = self.recall(era, skus);
        let there = store::products::find_ids(tx, unseen.iter().copied())?;
        found.extend(unseen.iter().filter_map(|sku| Some((*sku, *there.get(*sku)?))));
        if !there.is_empty() {
            // Not before: a transaction that shares this one's commit may have made them, and be undone.
            let known = Arc::clone(self);
            tx.after_commit(move || known.keep(era, there));
        }
        Ok(found)
    }

    fn recall<'s>(
        &self,
        era: u64,
        skus: impl Iterator<Item = &'s str>,
    ) -> (HashMap<&'s str, ProductId>, Vec<&'s str>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.era != era {
            *known = Known { era, ids: HashMap::new() };
        }
        let (mut found, mut unseen) = (HashMap::new(), Vec::new());
        for sku in skus {
            match known.ids.get(sku) {
                Some(id) => _ = found.insert(sku, *id),
                None => unseen.push(sku),
            }
        }
        (found, unseen)
    }

    fn keep(&self, era: u64, there: HashMap<String, ProductId>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.era != era {
            return;
        }
        if known.ids.len() + there.len() > AT_MOST {
            known.ids.clear();
        }
        known.ids.extend(there);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recalled(known: &KnownProducts, era: u64) -> Vec<&'static str> {
        let (found, unseen) = known.recall(era, ["A", "B"].into_iter());
        assert_eq!(found.len() + unseen.len(), 2);
        found.into_keys().collect()
    }

    #[test]
    fn what_was_seen_on_one_server_is_not_taken_for_granted_on_the_next() {
        let known = KnownProducts::default();
        let seen = || HashMap::from([("A".to_owned(), ProductId::from_ledger(1))]);
        assert_eq!(recalled(&known, 1), [""; 0]);
        known.keep(1, seen());
        assert_eq!(recalled(&known, 1), ["A"]);
        assert_eq!(recalled(&known, 2), [""; 0]);
        // Of a transaction that began before the others.
        known.keep(1, seen());
        assert_eq!(recalled(&known, 2), [""; 0]);
    }

    #[test]
    fn no_more_is_kept_than_fits() {
        let known = KnownProducts::default();
        for first in (0..AT_MOST * 2).step_by(1_000) {
            let some = (first..first + 1_000).map(|n| (n.to_string(), ProductId::from_ledger(1)));
            known.keep(0, some.collect());
        }
        assert!(known.known.lock().unwrap().ids.len() <= AT_MOST);
    }
}
