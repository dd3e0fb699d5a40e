//! Files that are fetched from an object store, by the command and across `kill -9`.

use std::fmt::Write as _;

use testkit::s3::{BUCKET, KEY_ID, ObjectStore, SECRET};

use crate::support::{Shop, text, wait_until};

/// What a file may cost, whatever its size: see docs/performance.md.
const MORE_MIB: u64 = 64;

fn shop(store: &ObjectStore) -> Shop {
    Shop::new()
        .set("queue.lease", "1s")
        .set("imports.stores.archive.endpoint", store.endpoint())
        .set("imports.stores.archive.bucket", BUCKET)
        .set("imports.stores.archive.prefix", "orders/")
        .set("imports.stores.archive.access_key_id", KEY_ID)
        .set("imports.stores.archive.secret_access_key", SECRET)
}

/// Orders of a line each, each row so many bytes long.
fn orders(rows: usize, padding: usize) -> String {
    let mut file =
        "external_order_id,order_placed_at,currency,customer_email,product_sku,unit_price_cents,qty,padding\n"
            .to_owned();
    let padding = "x".repeat(padding);
    for number in 0..rows {
        writeln!(file, "{number},2026-03-01 10:00:00,EUR,c{number}@example.org,MUG,900,1,{padding}")
            .expect("a text takes it");
    }
    file
}

#[test]
fn an_object_is_imported_like_the_file_that_it_is() {
    let store = ObjectStore::start();
    let shop = shop(&store);
    let file = orders(20, 0);
    store.put("orders/march.csv", file.as_bytes());
    let url = format!("s3://{BUCKET}/orders/march.csv");
    let tried = shop.json(&["import", &url, "--dry-run"]);
    assert_eq!(tried["dry_runs"][0]["dry_run"]["orders_imported"], 20, "{tried}");
    let imported = shop.json(&["import", &url, "--initial-stock", "100"]);
    assert_eq!(imported["imports"][0]["outcome"], "imported", "{imported}");
    assert_eq!(imported["imports"][0]["orders"]["confirmed"], 20, "{imported}");
    let path = shop.write("march.csv", &file);
    for again in [text(&path), &url] {
        let again = shop.json(&["import", again, "--initial-stock", "100"]);
        assert_eq!(again["imports"][0]["outcome"], "unchanged", "{again}");
        assert_eq!(again["imports"][0]["import"]["id"], 1, "{again}");
    }
    for (elsewhere, why) in [
        (format!("s3://{BUCKET}/private.csv"), "imports.stores"),
        ("s3://other/orders/march.csv".to_owned(), "imports.stores"),
        (format!("s3://{BUCKET}/orders/none.csv"), "there is no such object"),
    ] {
        let refused = shop.run(&["import", &elsewhere]);
        assert_eq!(refused.code(), Some(1), "{refused}");
        assert!(refused.text().contains(why), "{refused}");
    }
    let config = shop.done(&["config"]).text();
    assert!(config.contains(BUCKET) && !config.contains(SECRET), "{config}");
    shop.assert_clean();
}

#[test]
fn killed_while_it_fetches_an_import_goes_on_where_it_was() {
    let store = ObjectStore::start();
    let shop = shop(&store);
    shop.done(&["migrate"]);
    // It stops in the middle, after the first part that is recorded.
    store.put("orders/stalls.csv", orders(40, 1_000_000).as_bytes());
    let url = format!("s3://{BUCKET}/orders/stalls.csv");
    let command = ["import", &url, "--initial-stock", "100"];
    let mut import = shop.start(&command);
    let had = || shop.count("SELECT MAX(bytes_fetched) FROM imports");
    wait_until("a part of the object is recorded", || had() > 0 || !import.is_running());
    let said = (import.stdout(), import.stderr());
    let had = had();
    assert!(import.kill(), "it ended before it was killed: {said:?}");
    let imported = shop.json(&command);
    assert_eq!(imported["imports"][0]["orders"]["confirmed"], 40, "{imported}");
    assert_eq!(store.reads("orders/stalls.csv"), [("-".to_owned(), 200), (format!("bytes={had}-"), 206)]);
    assert_eq!(shop.count("SELECT COUNT(*) FROM imports"), 1);
    shop.assert_clean();
}

#[test]
fn a_large_object_goes_to_disk_as_it_comes() {
    let store = ObjectStore::start();
    let shop = shop(&store);
    shop.done(&["migrate"]);
    store.put("orders/stalls.csv", orders(160, 1_000_000).as_bytes());
    let worker = shop.start(&["work"]);
    wait_until("the worker works", || shop.count("SELECT COUNT(*) FROM job_supervisors") == 1);
    let before = worker.peak_mib();
    shop.done(&["import", &format!("s3://{BUCKET}/orders/stalls.csv"), "--detach"]);
    wait_until("most of it has come", || shop.count("SELECT MAX(bytes_fetched) FROM imports") >= 128 << 20);
    let more = worker.peak_mib() - before;
    println!("128 MiB fetched, {more} MiB more");
    assert!(more < MORE_MIB, "the worker grew by {more} MiB");
}
