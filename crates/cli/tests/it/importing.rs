//! `ordermill import`, and what it answers.

use serde_json::json;

use crate::small_orders;
use crate::support::{Shop, text};

const HEADER: &str = "external_order_id,order_placed_at,currency,customer_email,product_sku,unit_price,qty\n";

#[test]
fn a_file_is_imported_and_its_orders_come_to_rest() {
    let shop = Shop::new();
    let file = small_orders::path(&shop);
    let answer = shop.json(&["import", text(&file), "--initial-stock", "100"]);
    let report = &answer["imports"][0];
    assert_eq!(report["outcome"], "imported", "{answer}");
    assert_eq!(report["orders"], json!({ "confirmed": 3 }), "{answer}");
    assert_eq!(report["import"]["rows_total"], 6);
    assert_eq!(report["import"]["rows_imported"], 6);
    assert_eq!(report["import"]["orders_imported"], 3);
    assert_eq!(report["import"]["status"], "completed");
    assert_eq!(report["first_rejects"], json!([]));
    let orders = shop.json(&["orders", "list"]);
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(3));
    assert_eq!(orders["orders"][2]["total"], json!({ "amount": 113_898, "currency": "EUR" }));
    shop.assert_clean();
}

#[test]
fn the_same_file_twice_changes_nothing_and_says_so() {
    let shop = small_orders::imported();
    let file = small_orders::path(&shop);
    let before = shop.contents();
    let again = shop.done(&["import", text(&file), "--initial-stock", "100"]);
    assert!(again.stdout.contains("nothing changed"), "{again}");
    assert_eq!(shop.contents(), before);
    let answer = shop.json(&["import", text(&file), "--initial-stock", "100"]);
    assert_eq!(answer["imports"][0]["outcome"], "unchanged");
}

#[test]
fn the_same_orders_in_another_file_are_there_already() {
    let shop = small_orders::imported();
    let mut content = std::fs::read_to_string(small_orders::path(&shop)).expect("the order file");
    content.push_str(&content.lines().last().expect("a row").replace("ORD-100047", "ORD-NEW"));
    let file = shop.write("more.csv", content);
    let answer = shop.json(&["import", text(&file), "--initial-stock", "100"]);
    assert_eq!(answer["imports"][0]["import"]["orders_imported"], 1);
    assert_eq!(answer["imports"][0]["import"]["orders_duplicate"], 3);
    assert_eq!(answer["imports"][0]["import"]["orders_differ"], 0);
}

#[test]
fn rejected_rows_are_told_with_line_and_reason_and_the_exit_code_is_2() {
    let shop = Shop::new();
    let rows = "A-1,2025-01-01T00:00:00Z,EUR,jane@example.com,TEA,1.50,1\n\
                A-2,2025-01-01T00:00:00Z,EUR,jane@example.com,TEA,1.50,none\n\
                A-3,yesterday,EUR,jane@example.com,=TEA,1.50,1\n";
    let file = shop.write("orders.csv", format!("{HEADER}{rows}"));
    let arguments = ["import", text(&file), "--initial-stock", "9", "--rejects", "rejects.csv"];
    let ran = shop.run(&arguments);
    assert_eq!(ran.code(), Some(2), "{ran}");
    assert!(ran.stdout.contains("line 3:") && ran.stdout.contains("(invalid_quantity)"), "{ran}");
    assert!(ran.stdout.contains("line 4:") && ran.stdout.contains("(invalid_date)"), "{ran}");
    let rejects = std::fs::read_to_string(shop.path("rejects.csv")).expect("the rejects");
    assert_eq!(rejects.lines().count(), 3, "{rejects}");
    assert!(rejects.contains("'=TEA"), "a formula must not run in a spreadsheet: {rejects}");
    let printed = shop.done(&["imports", "rejects", "1"]);
    assert_eq!(printed.stdout, rejects);
    assert_eq!(shop.run(&["import", text(&file), "--initial-stock", "9"]).code(), Some(2));
}

#[test]
fn corrected_rejects_can_be_imported() {
    let shop = Shop::new();
    let file =
        shop.write("orders.csv", format!("{HEADER}A-1,2025-01-01T00:00:00Z,EUR,a@example.com,TEA,1.50,0\n"));
    assert_eq!(shop.run(&["import", text(&file), "--rejects", "rejects.csv"]).code(), Some(2));
    let rejects = std::fs::read_to_string(shop.path("rejects.csv")).expect("the rejects");
    shop.write("corrected.csv", rejects.replace("1.50,0", "1.50,2"));
    let answer = shop.json(&["import", "corrected.csv", "--initial-stock", "9"]);
    assert_eq!(answer["imports"][0]["import"]["orders_imported"], 1, "{answer}");
    assert_eq!(answer["imports"][0]["orders"], json!({ "confirmed": 1 }));
}

#[test]
fn a_dry_run_tells_what_would_happen_and_writes_nothing() {
    let shop = Shop::new();
    let file = small_orders::path(&shop);
    shop.done(&["orders", "list"]);
    let before = shop.contents();
    let answer = shop.json(&["import", text(&file), "--dry-run", "--initial-stock", "1"]);
    let tried = &answer["dry_runs"][0]["dry_run"];
    assert_eq!(tried["rows"], 6);
    assert_eq!(tried["orders_imported"], 3);
    assert!(tried["orders_short"].as_u64().is_some_and(|short| short > 0), "{answer}");
    assert_eq!(shop.contents(), before);
}

#[test]
fn a_file_that_cannot_be_imported_is_refused_with_its_name_and_the_reason() {
    let shop = Shop::new();
    let missing = shop.run(&["import", "missing.csv"]);
    assert_eq!(missing.code(), Some(1), "{missing}");
    assert!(missing.stderr.contains("missing.csv") && missing.stderr.contains("No such file"), "{missing}");
    shop.write("page.csv", "<!DOCTYPE html><html></html>");
    let page = shop.run(&["import", "page.csv"]);
    assert_eq!(page.code(), Some(1), "{page}");
    assert!(page.stderr.contains("page.csv") && page.stderr.contains("HTML"), "{page}");
}

#[test]
fn one_bad_file_does_not_keep_the_others_out() {
    let shop = Shop::new();
    let file = small_orders::path(&shop);
    shop.write("empty.csv", "");
    let ran = shop.run(&["import", "empty.csv", text(&file), "--initial-stock", "100", "--json"]);
    assert_eq!(ran.code(), Some(1), "{ran}");
    let answer: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(answer["imports"][0]["outcome"], "failed", "{answer}");
    assert_eq!(answer["imports"][1]["orders"], json!({ "confirmed": 3 }), "{answer}");
}

#[test]
fn a_detached_import_is_left_to_workers() {
    let shop = Shop::new();
    let file = small_orders::path(&shop);
    let answer = shop.json(&["import", text(&file), "--initial-stock", "100", "--detach"]);
    assert_eq!(answer["imports"][0]["outcome"], "queued");
    assert_eq!(shop.json(&["orders", "list"])["orders"], json!([]));
    shop.done(&["work", "--until-idle"]);
    let orders = shop.json(&["orders", "list", "--status", "confirmed"]);
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(3));
}

/// Rows of five orders, each a chunk of its own.
fn five_orders(shop: &Shop, name: &str) -> String {
    let row = |number| format!("{name}-{number},2025-01-01T00:00:00Z,EUR,a@example.com,TEA,1.50,2\n");
    let rows: String = (1..=5).map(row).collect();
    text(&shop.write(&format!("{name}.csv"), format!("{HEADER}{rows}"))).to_owned()
}

fn queue_import(shop: &Shop, file: &str) {
    shop.done(&[
        "import",
        file,
        "--source",
        "shop",
        "--chunk-size",
        "1",
        "--initial-stock",
        "99",
        "--detach",
    ]);
}

/// Queues the imports of two files, of which one is changed and one removed before workers come.
fn import_files_that_do_not_stay(shop: &Shop) -> [String; 2] {
    let files = ["changed", "gone"].map(|name| five_orders(shop, name));
    for file in &files {
        queue_import(shop, file);
    }
    std::fs::write(&files[0], "something else").expect("the file is ours");
    std::fs::remove_file(&files[1]).expect("the file is ours");
    shop.done(&["work", "--until-idle"]);
    files
}

#[test]
fn with_copies_a_file_may_change_or_go_away_once_its_import_is_queued() {
    let shop = Shop::new().set("imports.copy_files", true).set("imports.spool", "copies");
    import_files_that_do_not_stay(&shop);
    let imports = shop.json(&["imports", "list"]);
    for import in imports["imports"].as_array().expect("a list") {
        assert_eq!(
            (&import["status"], &import["rows_imported"]),
            (&json!("completed"), &json!(5)),
            "{import}"
        );
    }
    assert_eq!(shop.count("SELECT COUNT(*) FROM orders WHERE status = 3"), 10, "all are confirmed");
    let left = std::fs::read_dir(shop.path("copies")).expect("the folder of copies").count();
    assert_eq!(left, 0, "copies go away with the end of their imports");
    shop.assert_clean();
}

#[test]
fn without_copies_a_file_that_changes_or_goes_away_fails_its_import_with_what_to_do() {
    let shop = Shop::new();
    let [changed, gone] = import_files_that_do_not_stay(&shop);
    for (import, file, words) in [
        ("1", &changed, "was changed after its import began; import it once more"),
        ("2", &gone, "workers on other machines need the setting imports.copy_files"),
    ] {
        let shown = shop.done(&["imports", "show", import]);
        assert!(shown.stdout.contains("failed"), "{shown}");
        let told = shown.stdout.lines().any(|line| line.contains(file.as_str()) && line.contains(words));
        assert!(told, "{shown}");
    }
    let status = shop.run(&["status"]);
    assert_eq!(status.code(), Some(1), "failed imports need attention: {status}");
    assert_eq!(shop.count("SELECT COUNT(*) FROM orders"), 0);
    shop.assert_clean();
}

#[test]
fn columns_can_be_mapped_by_hand() {
    let shop = Shop::new();
    let header = HEADER.replace("qty", "wie viele");
    let file =
        shop.write("orders.csv", format!("{header}A-1,2025-01-01T00:00:00Z,EUR,a@example.com,TEA,1.50,2\n"));
    let refused = shop.run(&["import", text(&file)]);
    assert_eq!(refused.code(), Some(1), "{refused}");
    assert!(refused.stderr.contains("--map"), "{refused}");
    let answer = shop.json(&["import", text(&file), "--map", "wie viele=qty", "--initial-stock", "9"]);
    assert_eq!(answer["imports"][0]["import"]["orders_imported"], 1, "{answer}");
    let unknown = shop.run(&["import", text(&file), "--map", "wie viele=quantum"]);
    assert_eq!(unknown.code(), Some(64), "{unknown}");
    assert!(unknown.stderr.contains("external_order_id"), "the fields are listed: {unknown}");
}
