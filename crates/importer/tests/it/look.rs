//! Looking at a file before it is said how it is read.

use importer::{Field, Looked, ReadError, ReadOptions, look};

use super::whole::file;

fn looked(text: &str, options: &ReadOptions) -> Looked {
    let (_folder, path) = file(text);
    look(&path, options).unwrap()
}

fn columns(named: &[(&str, Field)], ignored: &[&str]) -> ReadOptions {
    ReadOptions {
        columns: named.iter().map(|(name, field)| ((*name).to_owned(), *field)).collect(),
        ignored_columns: ignored.iter().map(|name| (*name).to_owned()).collect(),
        ..ReadOptions::default()
    }
}

const FILE: &str = "\
order_id;order_date;currency;email;sku;unit_price;how many;discount
1;2025-10-18;EUR;jane@example.com; TEA ;9,90;\"2\";x
2;2025-10-18;EUR;jane@example.com;TEA;9,90;3;y
";

#[test]
fn a_file_that_lacks_a_column_is_shown_with_what_it_lacks() {
    let shown = looked(FILE, &ReadOptions::default());
    assert!(matches!(&shown.refused, Some(ReadError::MissingColumns { missing, .. }) if missing == "qty"));
    assert_eq!((shown.layout.delimiter, shown.layout.profile.name.as_str()), (b';', "native"));
    assert_eq!((shown.layout.column(Field::Qty), shown.layout.column(Field::ProductSku)), (None, Some(4)));
    assert_eq!(shown.rows.len(), 2);
    assert_eq!(shown.rows[0], ["1", "2025-10-18", "EUR", "jane@example.com", "TEA", "9,90", "2", "x"]);
}

#[test]
fn a_column_that_is_named_is_what_was_missing_and_one_that_is_ignored_means_nothing() {
    let shown = looked(FILE, &columns(&[("HOW MANY", Field::Qty)], &["discount"]));
    assert!(shown.refused.is_none(), "{:?}", shown.refused);
    let found = [Field::Qty, Field::Discount].map(|field| shown.layout.column(field));
    assert_eq!(found, [Some(6), None]);
    let shown = looked(FILE, &columns(&[], &["colour"]));
    assert!(matches!(&shown.refused, Some(ReadError::UnknownColumn { column, .. }) if column == "colour"));
}

#[test]
fn of_two_columns_that_mean_the_same_one_can_be_ignored() {
    let text = FILE.replace("how many", "qty").replace("discount", "quantity");
    let shown = looked(&text, &ReadOptions::default());
    assert!(matches!(&shown.refused, Some(ReadError::DuplicateColumns { field: "qty", .. })));
    let shown = looked(&text, &columns(&[], &["Quantity"]));
    assert!(shown.refused.is_none(), "{:?}", shown.refused);
}

#[test]
fn a_file_without_known_columns_is_shown_by_its_widest_first_row() {
    let shown = looked("Nummer|Wann, ungefähr|Was\n1|heute, spät|Tee\n", &ReadOptions::default());
    assert!(matches!(&shown.refused, Some(ReadError::NoHeader { .. })));
    assert_eq!(shown.layout.header, ["Nummer", "Wann, ungefähr", "Was"]);
    assert_eq!(shown.rows, [["1", "heute, spät", "Tee"]]);
}

#[test]
fn rows_below_a_preamble_are_shown_and_no_more_than_some() {
    let mut text = "Report,of,yesterday\n\norder_id,sku,qty\n".to_owned();
    text.extend((0..50).map(|row| format!("{row},TEA,1\n")));
    let shown = looked(&text, &ReadOptions::default());
    assert_eq!(shown.layout.header_line, 3);
    let ids: Vec<&str> = shown.rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(ids, ["0", "1", "2", "3", "4"]);
}

#[test]
fn a_rejects_file_is_shown_as_it_will_be_read() {
    let text = "line,code,field,message,order_id,sku,qty\n3,invalid_quantity,qty,none,\"'=1\",TEA,1\n";
    let shown = looked(text, &ReadOptions::default());
    assert_eq!((shown.layout.own_columns(), shown.rows[0][4].as_str()), (4, "=1"));
}

#[test]
fn what_is_no_order_file_is_not_shown() {
    let (_folder, path) = file("%PDF-1.7 and so on");
    assert!(matches!(look(&path, &ReadOptions::default()), Err(ReadError::NotCsv { .. })));
    let (_folder, path) = file(" \n\n");
    assert!(matches!(look(&path, &ReadOptions::default()), Err(ReadError::Empty)));
}
