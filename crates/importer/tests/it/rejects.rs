//! Rejects as a file that is corrected and uploaded again.

use importer::{Reject, RejectsWriter, neutralise};

use crate::whole::{Whole, read_text};

const HEADER: &str = "external_order_id,order_placed_at,currency,customer_email,product_sku,product_name,unit_price_cents,qty,code\n";

fn rejects_of(whole: &Whole) -> String {
    let mut writer = RejectsWriter::new(Vec::new(), &whole.sniffed.layout).unwrap();
    whole.parsed.rejects.iter().for_each(|reject| writer.write(reject).unwrap());
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

fn bad_file() -> Whole {
    read_text(format!(
        "{HEADER}\
         =A1,2025-10-18,EUR,jane@example.com,+SKU,\"-10 % \"\"off\"\", really\",1999,zero,SALE\n\
         =A1,2025-10-18,EUR,jane@example.com,'=SKU,Tea pot,1999,1,SALE\n\
         A-2,2025-10-18,EUR\n"
    ))
    .unwrap()
}

#[test]
fn rejects_keep_the_original_columns_and_run_no_formula() {
    insta::assert_snapshot!(rejects_of(&bad_file()), @r#"
    line,code,field,message,external_order_id,order_placed_at,currency,customer_email,product_sku,product_name,unit_price_cents,qty,code
    2,invalid_quantity,qty,"the quantity ""zero"" is not a whole number",'=A1,2025-10-18,EUR,jane@example.com,'+SKU,"'-10 % ""off"", really",1999,zero,SALE
    3,order_rejected,,the order is rejected for its line 2,'=A1,2025-10-18,EUR,jane@example.com,''=SKU,Tea pot,1999,1,SALE
    4,ragged_row,,"the row has 3 columns, the header has 9",A-2,2025-10-18,EUR
    "#);
}

#[test]
fn a_corrected_rejects_file_gives_the_orders_as_they_were_meant() {
    let corrected = rejects_of(&bad_file()).replace("zero", "2");
    let whole = read_text(corrected).unwrap();
    let [order] = &whole.parsed.orders[..] else { panic!("one order is good: {:?}", whole.parsed.rejects) };
    assert_eq!(order.external_id.as_str(), "=A1");
    let lines: Vec<_> = order.lines.iter().map(|line| (line.sku.as_str(), line.name.as_str())).collect();
    assert_eq!(lines, [("+SKU", "-10 % \"off\", really"), ("'=SKU", "Tea pot")]);
    assert_eq!(whole.parsed.rejected_orders, 1);
}

#[test]
fn rejects_of_a_rejects_file_do_not_pile_up_columns_or_apostrophes() {
    let once = rejects_of(&bad_file());
    let again = read_text(&once).unwrap();
    let line_free = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.split_once(",'=A1").map(|(_, rest)| rest.to_owned())).collect()
    };
    assert_eq!(line_free(&rejects_of(&again)), line_free(&once));
}

#[test]
fn an_apostrophe_in_another_file_stays() {
    let whole = read_text(format!("{HEADER}'=A1,2025-10-18,EUR,jane@example.com,SKU,Tea,1999,1,\n")).unwrap();
    assert_eq!(whole.parsed.orders[0].external_id.as_str(), "'=A1");
}

#[test]
fn an_order_that_the_import_refuses_rejects_all_its_rows() {
    let row = |sku| format!("A-1,2025-10-18,EUR,jane@example.com,{sku},Tea,1999,1,\n");
    let text = format!("{HEADER}{}{}", row("SKU-1"), row("SKU-2"));
    let whole = read_text(&text).unwrap();
    let chunk = &whole.plan.chunks[0];
    let bytes = &text.as_bytes()[chunk.offset as usize..];
    let order = &whole.parsed.orders[0];
    let rejects =
        order.reject(bytes, 2, importer::RejectCode::UnknownProduct, None, "SKU-2 is not in the catalogue");
    let told: Vec<_> =
        rejects.iter().map(|Reject { line, code, raw, .. }| (*line, code.as_str(), raw.as_str())).collect();
    assert_eq!(
        told,
        [(2, "order_rejected", row("SKU-1").trim_end()), (3, "unknown_product", row("SKU-2").trim_end())]
    );
    assert_eq!(neutralise("=x"), "'=x");
}
