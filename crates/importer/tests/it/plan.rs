//! How a text is cut.

use std::io::Cursor;

use importer::sample::Sample;
use importer::{BrokenOrder, Layout, Plan, PlanOptions, ReadError, ReadOptions, plan, sniff};

use crate::whole::{file, read, rules};

const HEADER: &str = "order_id,order_date,currency,email,sku,price,qty\n";

fn layout() -> Layout {
    let (_folder, path) = file(HEADER);
    sniff(&path, &ReadOptions::default()).unwrap().layout
}

fn text(ids: &[&str]) -> String {
    let row = |id: &&str| format!("{id},2025-10-18,EUR,jane@example.com,SKU-1,9.90,1\n");
    ids.iter().map(row).fold(HEADER.to_owned(), |text, row| text + &row)
}

fn cut(text: &str, options: &PlanOptions) -> Result<Plan, ReadError> {
    plan(Cursor::new(text), &layout(), options)
}

#[test]
fn chunks_end_at_order_boundaries_and_cover_everything() {
    let text = text(&["a", "a", "b", "b", "b", "c", "d", "e", "e"]);
    let plan = cut(&text, &PlanOptions { chunk_size: 3, ..PlanOptions::default() }).unwrap();
    let rows: Vec<(u64, u64)> = plan.chunks.iter().map(|chunk| (chunk.first_line, chunk.rows)).collect();
    assert_eq!(rows, [(2, 5), (7, 4)]);
    let mut at = HEADER.len() as u64;
    for chunk in &plan.chunks {
        assert_eq!(chunk.offset, at);
        at += chunk.length;
    }
    assert_eq!(at, text.len() as u64);
}

#[test]
fn any_chunk_size_gives_the_same_orders() {
    let mut bytes = Vec::new();
    let totals =
        Sample::shop(300, 7).with_bad_rows(importer::sample::BadRows::every(9)).write(&mut bytes).unwrap();
    let (_folder, path) = file(&bytes);
    let parsed = |chunk_size, chunk_bytes| {
        let limits = PlanOptions { chunk_size, chunk_bytes, ..PlanOptions::default() };
        read(&path, &ReadOptions::default(), &limits, &rules()).unwrap()
    };
    let whole = parsed(u64::MAX, u64::MAX);
    assert_eq!(whole.plan.chunks.len(), 1);
    let contents = |parsed: &importer::ParsedChunk| -> Vec<_> {
        parsed.orders.iter().map(|order| (order.first_line, order.last_line, order.content_hash)).collect()
    };
    for (chunk_size, chunk_bytes) in [(1, u64::MAX), (2, u64::MAX), (50, u64::MAX), (u64::MAX, 1_000)] {
        let cut = parsed(chunk_size, chunk_bytes);
        assert!(cut.plan.chunks.len() > 1);
        assert_eq!(contents(&cut.parsed), contents(&whole.parsed));
        assert_eq!(cut.parsed.rejects, whole.parsed.rejects);
        assert_eq!(cut.parsed.rejected_orders, totals.bad_orders);
    }
}

#[test]
fn an_order_that_comes_back_is_named_with_both_lines() {
    let broken = |order_id: &str, first_line, again_line| BrokenOrder {
        order_id: order_id.to_owned(),
        first_line,
        again_line,
    };
    let text = text(&["a", "b", "a", "c", "\"b\"", "d", "a", "d"]);
    for ids_in_memory in [1, 3, 1_000] {
        let plan = cut(&text, &PlanOptions { ids_in_memory, ..PlanOptions::default() }).unwrap();
        assert_eq!(plan.broken, [broken("a", 2, 4), broken("b", 3, 6), broken("d", 7, 9)]);
    }
}

#[test]
fn a_file_that_is_not_sorted_by_order_is_refused_as_a_whole() {
    let ids: Vec<String> = (0..2).flat_map(|_| (0..20).map(|id| format!("A-{id}"))).collect();
    let text = text(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let error = cut(&text, &PlanOptions { max_broken_orders: 10, ..PlanOptions::default() }).unwrap_err();
    assert!(matches!(error, ReadError::NotSorted { limit: 10, .. }), "{error}");
    assert_eq!(
        cut(&text, &PlanOptions { max_broken_orders: 20, ..PlanOptions::default() }).unwrap().broken.len(),
        20
    );
}

#[test]
fn an_order_that_never_ends_is_refused() {
    let options = PlanOptions { max_order_rows: 10, ..PlanOptions::default() };
    let error = cut(&text(&["a"; 11]), &options).unwrap_err();
    insta::assert_snapshot!(error, @r#"order "a" goes on for more than 10 rows (from line 2): is "order_id" the column of the order id?"#);
    let error = cut(&text(&[""; 11]), &options).unwrap_err();
    insta::assert_snapshot!(error, @r#"order "" goes on for more than 10 rows (from line 2): is "order_id" the column of the order id?"#);
    assert_eq!(cut(&text(&["a"; 10]), &options).unwrap().rows, 10);
}

#[test]
fn cells_and_rows_up_to_the_limit_pass() {
    let options = PlanOptions { max_field: 100, max_row: 10_000, ..PlanOptions::default() };
    let with = |sku: &str| text(&["a"]).replace("SKU-1", sku);
    assert!(cut(&with(&"x".repeat(100)), &options).is_ok());
    assert!(cut(&with(&format!("\"{}\"", "x".repeat(100))), &options).is_ok());
    let error = cut(&with(&"x".repeat(101)), &options).unwrap_err();
    assert!(matches!(error, ReadError::FieldTooLong { line: 2, column: 5, .. }), "{error}");
    let error = cut(&with(&"x,".repeat(5_001)), &options).unwrap_err();
    assert!(matches!(error, ReadError::RowTooLong { line: 2, .. }), "{error}");
}

#[test]
fn bytes_that_are_not_what_was_planned_are_an_error() {
    let text = text(&["a", "b"]);
    let layout = layout();
    let chunk = cut(&text, &PlanOptions::default()).unwrap().chunks[0];
    let bytes = &text.as_bytes()[chunk.offset as usize..];
    let parse = |bytes: &[u8]| {
        importer::parse_chunk(bytes, &chunk, &layout, &rules(), &importer::BrokenOrders::default())
    };
    assert_eq!(parse(bytes).unwrap().orders.len(), 2);
    let half = parse(&bytes[..bytes.len() / 2]).unwrap_err();
    insta::assert_snapshot!(half, @"the file changed after it was planned (chunk 0: it has 1 rows instead of 2): import it again");
    assert!(matches!(parse(b"a,\"b").unwrap_err(), ReadError::Changed { .. }));
    assert!(matches!(parse(b"a,\xFF").unwrap_err(), ReadError::Changed { .. }));
}
