//! Files that are sent to the server.

use std::io::{BufWriter, Write as _};
use std::process::Command;

use crate::support::{Shop, create, finish, text};

/// Orders of a line each: some 100 MB.
const ORDERS: u64 = 1_600_000;
/// What a file may cost, whatever its size: see docs/performance.md.
const MORE_MIB: u64 = 64;

#[test]
fn a_large_file_goes_to_disk_as_it_comes() {
    let shop = Shop::new().set("web.listen", "127.0.0.1:0");
    let token = shop.done(&["token", "create", "--role", "operator", "--name", "till"]).stdout;
    let mut serving = shop.start(&["serve", "--no-workers"]);
    let address = serving.address();
    let path = shop.path("large.csv");
    let mut file = BufWriter::new(create(&path));
    writeln!(file, "order_id,order_date,customer_email,sku,quantity,unit_price,currency").unwrap();
    for number in 0..ORDERS {
        writeln!(file, "A-{number},2025-01-01,c{number}@example.org,SKU-{},2,12.50,EUR", number % 500)
            .unwrap();
    }
    drop(file);
    let before = serving.peak_mib();
    let mut send = Command::new("curl");
    send.args([
        "-sSf",
        "-F",
        &format!("file=@{}", text(&path)),
        "-H",
        &format!("authorization: Bearer {}", token.trim()),
    ]);
    send.arg(format!("http://{address}/api/orders/import"));
    let sent = finish(send);
    assert_eq!(sent.code(), Some(0), "{sent}");
    let more = serving.peak_mib() - before;
    println!("{} MiB sent, {more} MiB more", path.metadata().unwrap().len() >> 20);
    assert!(more < MORE_MIB, "the server grew by {more} MiB");
    assert_eq!(shop.json(&["imports", "list"])["imports"][0]["file_name"], "large.csv");
}
