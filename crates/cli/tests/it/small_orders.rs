//! A handful of orders: the real file where it is at hand, else one of the same shape.

use std::path::{Path, PathBuf};

use crate::support::Shop;

/// Six lines of three orders, of 1138.98, 499.00 and 155.96 EUR.
const STAND_IN: &str = "\
external_order_id,order_placed_at,currency,customer_id,customer_email,customer_name,product_sku,product_name,unit_price_cents,qty
ORD-100045,2025-10-18T10:12:00+05:30,EUR,CUST-001,jane@example.com,Jane Doe,SKU-A,A phone,109900,1
ORD-100045,2025-10-18T10:12:00+05:30,EUR,CUST-001,jane@example.com,Jane Doe,SKU-B,A charger,1999,2
ORD-100046,2025-10-18T10:35:55+05:30,EUR,CUST-002,john@example.com,John Smith,SKU-C,A console,49900,1
ORD-100047,2025-10-18T11:02:10+05:30,EUR,CUST-003,maria@example.com,María Gómez,SKU-D,A keyboard,6999,1
ORD-100047,2025-10-18T11:02:10+05:30,EUR,CUST-003,maria@example.com,María Gómez,SKU-E,A mouse,4599,1
ORD-100047,2025-10-18T11:02:10+05:30,EUR,CUST-003,maria@example.com,María Gómez,SKU-F,A cable,1999,2
";

/// Where the file is.
pub fn path(shop: &Shop) -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("ORDERMILL_SHARED").map_or(beside, PathBuf::from);
    let real = folder.join("data/orders_small.csv");
    if real.exists() {
        return real;
    }
    println!("orders_small.csv is not here: a stand-in of its shape is imported");
    shop.write("orders_small.csv", STAND_IN)
}

/// A shop with these orders in it, all confirmed.
pub fn imported() -> Shop {
    let shop = Shop::new();
    let file = path(&shop);
    shop.done(&["import", crate::support::text(&file), "--initial-stock", "100", "-q"]);
    shop
}
