//! The main job on real data.

use crate::retail::Retail;
use crate::support::Shop;

#[test]
fn a_year_of_real_orders_adds_up_to_the_penny_and_a_second_time_changes_nothing() {
    let shop = Shop::new();
    let retail = Retail::at_hand(&shop);
    let imported = shop.done(&retail.import());
    assert!(imported.stdout.contains(&format!("{} confirmed", grouped(retail.orders))), "{imported}");
    let status = &shop.json(&["imports", "show", "1"])["import"];
    for (field, expected) in [
        ("rows_total", retail.rows),
        ("rows_imported", retail.rows),
        ("orders_imported", retail.orders),
        ("rows_rejected", 0),
        ("rows_skipped", 0),
        ("rows_duplicate", 0),
        ("rows_not_reached", 0),
    ] {
        assert_eq!(status[field], expected, "{field} of {status}");
    }
    retail.assert_imported(&shop);
    shop.assert_clean();

    let before = shop.contents();
    let again = shop.done(&retail.import());
    assert!(again.stdout.contains("nothing changed"), "{again}");
    let changed: Vec<_> = shop.contents().into_iter().filter(|table| !before.contains(table)).collect();
    assert_eq!(changed, Vec::<String>::new(), "rows and what they hold, table by table");
    retail.assert_imported(&shop);
}

/// As the program prints it.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}
