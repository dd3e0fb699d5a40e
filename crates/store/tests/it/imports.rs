use domain::ImportId;
use sql::Tx;
use store::Error;
use store::imports::{
    Chunk, Counts, NewImport, get_progress, has_open_chunk, insert, mark_chunk_done, mark_planned,
    next_open_chunk,
};

use crate::{AT, Ledger};

const ID: ImportId = ImportId::from_ledger(1);

fn planned(tx: &mut Tx<'_>) -> Result<(), Error> {
    let new = NewImport {
        id: ID,
        source: "shop",
        profile: "native",
        file_name: "a.csv",
        path: "/a.csv",
        spooled: false,
        file_hash: &[1],
        file_bytes: 70,
        options: "{}",
        rejects_of: None,
    };
    insert(tx, &new, "{}", AT)?;
    let chunk = |index| Chunk { index, offset: index * 10, length: 10, first_line: index * 5 + 2, rows: 5 };
    let chunks: Vec<Chunk> = (0..7).map(chunk).collect();
    mark_planned(tx, ID, "{}", (35, 70), &chunks, AT)
}

#[test]
fn a_chunk_is_done_once_and_counts_once() {
    let ledger = Ledger::new();
    ledger.write(planned).unwrap();
    let counts = Counts { rows_imported: 4, rows_rejected: 1, orders_imported: 2, ..Counts::default() };
    let done = move |tx: &mut Tx<'_>| mark_chunk_done(tx, ID, 3, &counts, AT);
    assert!(ledger.write(done).unwrap());
    assert!(!ledger.write(done).unwrap());
    let progress = ledger.write(|tx| get_progress(tx, ID)).unwrap();
    assert_eq!((progress.chunks_done, progress.chunks, progress.bytes_done), (1, 7, 10));
    assert_eq!(progress.counts, counts);
}

#[test]
fn lanes_share_the_chunks_and_end_when_none_is_open() {
    let ledger = Ledger::new();
    ledger.write(planned).unwrap();
    let mut order = Vec::new();
    for lane in 0..3 {
        let mut from = lane;
        while let Some(chunk) = ledger.write(move |tx| next_open_chunk(tx, ID, from, 3)).unwrap() {
            assert!(ledger.write(move |tx| has_open_chunk(tx, ID, chunk)).unwrap());
            ledger.write(move |tx| mark_chunk_done(tx, ID, chunk, &Counts::default(), AT)).unwrap();
            order.push(chunk);
            from = chunk;
        }
    }
    assert_eq!(order, [0, 3, 6, 1, 4, 2, 5]);
    assert!(!ledger.write(|tx| has_open_chunk(tx, ID, 0)).unwrap());
}
