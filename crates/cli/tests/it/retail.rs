//! A year of a real wholesaler's orders and what they must add up to; a made-up file of the same shape elsewhere.

use std::collections::{BTreeMap, HashMap};
use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};

use importer::sample::Sample;
use serde_json::Value;

use crate::support::{Shop, create, text};

/// An order file and its figures.
pub struct Retail {
    pub path: PathBuf,
    /// Rows of the file.
    pub rows: i64,
    pub orders: i64,
    gross: i64,
    days: BTreeMap<String, Day>,
    /// The best customers' numbers and what each has bought, the best first.
    best: Vec<(String, i64)>,
}

/// The figures of a business day.
#[derive(Debug, PartialEq, Eq)]
struct Day {
    orders: i64,
    gross: i64,
    average: i64,
}

const BEST: usize = 20;

impl Retail {
    /// The real file where it is at hand, else a made-up one, which is written into the shop's folder.
    pub fn at_hand(shop: &Shop) -> Self {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
        let folder = env::var_os("ORDERMILL_SHARED").map_or(beside, PathBuf::from).join("data");
        let (path, expected) =
            (folder.join("online_retail.csv.gz"), folder.join("online_retail.expected.json"));
        if path.exists() {
            println!("the order file is the real one: {}", path.display());
            return Self::real(path, &expected);
        }
        println!("online_retail.csv.gz is not here: a generated file of its shape stands in");
        Self::made_up(shop, 18_532)
    }

    /// A made-up file of the same shape with so many orders; its figures are added up here, line by line.
    pub fn made_up(shop: &Shop, orders: u64) -> Self {
        let path = shop.path("made_up.csv");
        Sample::online_retail(orders, 1).write(create(&path)).expect("the file is written");
        let mut reader = csv::Reader::from_path(&path).expect("the file can be read");
        let mut order_totals: BTreeMap<String, (String, i64)> = BTreeMap::new();
        let mut customers: HashMap<String, i64> = HashMap::new();
        let mut rows = 0;
        for record in reader.records() {
            let record = record.expect("a made-up row");
            let [order, placed_at, customer] = [0, 1, 3].map(|column| record[column].to_owned());
            let [price, quantity] = [8, 9].map(|column| record[column].parse::<i64>().expect("a number"));
            let day = placed_at.split('T').next().unwrap_or_default().to_owned();
            order_totals.entry(order).or_insert((day, 0)).1 += price * quantity;
            *customers.entry(customer).or_default() += price * quantity;
            rows += 1;
        }
        let mut days: BTreeMap<String, Day> = BTreeMap::new();
        for (day, total) in order_totals.values() {
            let day = days.entry(day.clone()).or_insert(Day { orders: 0, gross: 0, average: 0 });
            day.orders += 1;
            day.gross += total;
            day.average = day.gross / day.orders;
        }
        let gross = days.values().map(|day| day.gross).sum();
        let best = best_of(customers.into_iter().collect());
        Retail { path, rows, orders: order_totals.len() as i64, gross, days, best }
    }

    fn real(path: PathBuf, expected: &Path) -> Self {
        let file = File::open(expected).expect("the expected figures are beside the file");
        let expected: Value = serde_json::from_reader(file).expect("the expected figures are JSON");
        let day = |(date, day): (&String, &Value)| {
            let [orders, gross, average] =
                ["orders", "revenue_cents", "aov_cents_floor"].map(|field| whole(&day[field]));
            (date.clone(), Day { orders, gross, average })
        };
        let days = fields(&expected["daily"]).map(day).collect();
        let best = fields(&expected["top20_customers_by_revenue_cents"]);
        let best = best_of(best.map(|(customer, gross)| (customer.clone(), whole(gross))).collect());
        let [rows, orders, gross] = ["lines", "orders", "revenue_cents"].map(|field| whole(&expected[field]));
        Retail { path, rows, orders, gross, days, best }
    }

    /// The command that imports it, and waits until its orders are at rest.
    pub fn import(&self) -> Vec<&str> {
        self.import_and("--wait")
    }

    /// The command that queues its import, and leaves the work to workers.
    pub fn queue(&self) -> Vec<&str> {
        self.import_and("--detach")
    }

    fn import_and(&self, then: &'static str) -> Vec<&str> {
        vec!["import", text(&self.path), "--source", "uci", "--initial-stock", "1000000", then]
    }

    /// How much of the way its orders have gone, from 0 to 1: half of it is to be imported, half to be confirmed.
    pub fn progress(&self, shop: &Shop) -> f64 {
        let share = |sql: &str, of: i64| shop.count(sql) as f64 / of as f64;
        let imported = share("SELECT SUM(rows_imported) FROM import_chunks", self.rows);
        let confirmed = share("SELECT COUNT(*) FROM orders WHERE status = 3", self.orders);
        imported.midpoint(confirmed)
    }

    /// The shop holds these orders and no others, all of them confirmed, and its figures are these, to the penny.
    pub fn assert_imported(&self, shop: &Shop) {
        let found = shop.json(&["imports", "list"]);
        let import = &found["imports"][0];
        assert_eq!(import["status"], "completed", "{import}");
        assert_eq!(shop.count("SELECT COUNT(*) FROM orders"), self.orders);
        assert_eq!(
            shop.count("SELECT COUNT(*) FROM orders WHERE status = 3"),
            self.orders,
            "all are confirmed"
        );
        assert_eq!(shop.count("SELECT SUM(total) FROM orders"), self.gross);
        assert_eq!(shop.count("SELECT SUM(captured) FROM orders"), self.gross);
        let last = self.days.keys().next_back().expect("the file has orders");
        let kpis = shop.json(&["kpis", "--from", "2010-12-01", "--to", last]);
        let found: BTreeMap<String, Day> = items(&kpis["periods"]).map(day).collect();
        assert_eq!(found, self.days);
        assert_eq!(whole(&kpis["total"]["gross"]["amount"]), self.gross);
        assert_eq!(whole(&kpis["total"]["orders"]), self.orders);
        let board = shop.json(&["leaderboard", "--period", "all", "--limit", &BEST.to_string()]);
        let entry = |entry: &Value| {
            let customer = entry["customer"]["external_id"].as_str().expect("a customer's number");
            (customer.to_owned(), whole(&entry["net"]["amount"]))
        };
        assert_eq!(items(&board["entries"]).map(entry).collect::<Vec<_>>(), self.best);
    }
}

fn day(period: &Value) -> (String, Day) {
    let money = |field: &str| whole(&period[field]["amount"]);
    assert_eq!(money("net"), money("gross"), "nothing was refunded");
    let day = Day {
        orders: whole(&period["orders"]),
        gross: money("gross"),
        average: money("average_order_value"),
    };
    (period["start"].as_str().expect("a day").to_owned(), day)
}

fn best_of(mut customers: Vec<(String, i64)>) -> Vec<(String, i64)> {
    customers.sort_by_key(|(_, gross)| -gross);
    customers.truncate(BEST);
    customers
}

fn whole(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().unwrap_or_else(|| panic!("{value} is no object")).iter()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list")).iter()
}
