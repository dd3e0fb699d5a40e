//! Copies of the ledger that are made while it lives, and work that goes on from one of them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use domain::OrderStatus;
use serde_json::Value;
use testkit::{Cell, Look, Port, Space};

use crate::faults::{import, orders};
use crate::support::{Process, Ran, Shop, finish, text, wait_until};

/// Orders that are on their way when the copy is made.
const ORDERS: i64 = 600;
/// Orders that come later, and are lost.
const LATER: i64 = 40;
const CONFIRMED: &str = "SELECT COUNT(*) FROM orders WHERE status = 3";

/// Where a shop, and what takes its place, and their gateway meet.
struct Town {
    web_at: Port,
    gateway_at: Port,
    gateway_file: String,
}

impl Town {
    /// A shop here, in this place.
    fn shop(&self, space: Space) -> Shop {
        Shop::on(space)
            .set("queue.lease", "1s")
            .set("imports.chunk_size", 100)
            .set("gateway.mode", "http")
            .set("gateway.latency", "50ms")
            // A charge that the gateway has told of already is asked about at its deadline.
            .set("gateway.reservation_deadline", "8s")
            .set("gateway.url", format!("http://{}", self.gateway_at))
            .set("gateway.callback_url", format!("http://{}/api/webhooks/payments", self.web_at))
    }

    fn serve(&self, shop: &Shop) -> Process {
        let mut serving = shop.start(&["serve", "--listen", &self.web_at.to_string()]);
        serving.address();
        serving
    }

    /// What the gateway took by each charge, by its own books: order, attempt, amount.
    fn taken(&self) -> Vec<[i64; 3]> {
        Look::into_file(self.gateway_file.as_ref()).numbers(
            "SELECT CAST(SUBSTR(charge_key, -14, 12) AS SIGNED), CAST(SUBSTR(charge_key, -1) AS SIGNED), amount \
             FROM simulated_charges WHERE outcome = 1 AND voided_at IS NULL ORDER BY 1, 2",
        )
    }
}

#[test]
fn what_is_restored_from_a_copy_of_the_living_ledger_is_whole_and_goes_on_without_paying_twice() {
    let first = Space::new();
    let town = Town {
        web_at: Port::reserve(),
        gateway_at: Port::reserve(),
        gateway_file: text(&first.folder().join("gateway.db")).to_owned(),
    };
    let shop = town.shop(first);
    let mut gateway = shop.start(&["gateway", "--file", &town.gateway_file]);
    gateway.address();
    let (on_their_way, later) = (orders(&shop, 1, ORDERS as u64), orders(&shop, 2, LATER as u64));
    // All of them wait for their payment before the first is taken.
    shop.done(&["migrate"]);
    shop.done(&["queue", "pause", "payments"]);
    let (serving, worker) = (town.serve(&shop), shop.start(&["work"]));
    shop.done(&[import(&on_their_way), vec!["--detach"]].concat());
    let reserved = format!("SELECT COUNT(*) FROM orders WHERE status = {}", OrderStatus::Reserved.code());
    wait_until("all orders are reserved", || shop.count(&reserved) == ORDERS);
    shop.done(&["queue", "continue", "payments"]);
    wait_until("some are charged", || shop.count("SELECT COUNT(*) FROM payments WHERE status > 1") > 0);
    let copy = copy(&shop);
    let confirmed = shop.count(CONFIRMED);
    shop.done(&[import(&later), vec!["--detach"]].concat());
    wait_until("all orders are confirmed", || shop.count(CONFIRMED) == ORDERS + LATER);
    println!("{confirmed} of {ORDERS} orders were confirmed when the copy was there");
    for process in [serving, worker] {
        assert_eq!(process.terminate().code(), Some(0));
    }
    let taken = town.taken();
    assert_eq!(taken.len() as i64, ORDERS + LATER);
    let highest = shop.count("SELECT MAX(id) FROM orders");

    let again = town.shop(Space::new());
    restore(&again, &copy);
    assert_eq!(again.count("SELECT COUNT(*) FROM orders"), ORDERS, "what came later is lost");
    assert!(again.count(CONFIRMED) < ORDERS, "some were on their way");
    again.assert_clean();
    let (serving, worker) = (town.serve(&again), again.start(&["work"]));
    wait_until("all orders are confirmed", || again.count(CONFIRMED) == ORDERS);
    assert_eq!(town.taken(), taken, "nobody was charged who had been charged before");
    // Lost orders come again, and are others to the gateway.
    again.done(&import(&later));
    assert_eq!(again.count(CONFIRMED), ORDERS + LATER);
    assert_eq!(again.count(&format!("SELECT COUNT(*) FROM orders WHERE id > {highest}")), LATER);
    assert_eq!(town.taken().len() as i64, ORDERS + 2 * LATER, "each has paid for itself");
    assert_each_paid_by_its_own_charge(&again, &town);
    again.done(&["work", "--until-idle"]);
    again.assert_clean();
    let rebuilt = again.json(&["analytics", "rebuild"]);
    assert_eq!(rebuilt["days"], Value::Array(Vec::new()), "the figures are right");
    for process in [serving, worker] {
        assert_eq!(process.terminate().code(), Some(0));
    }
}

/// What the ledger has as paid, the gateway took by that order's charge.
fn assert_each_paid_by_its_own_charge(shop: &Shop, town: &Town) {
    let taken = town.taken();
    let paid: Vec<[i64; 3]> = shop
        .ledger()
        .numbers("SELECT order_id, attempt, captured FROM payments WHERE captured > 0 ORDER BY 1, 2");
    let missing: Vec<_> = paid.iter().filter(|one| taken.binary_search(one).is_err()).collect();
    assert!(missing.is_empty(), "paid by nobody: {missing:?}");
}

/// A copy of the ledger, made while its processes go on.
fn copy(shop: &Shop) -> String {
    let copy = shop.path("copy");
    let Some(server) = Server::of(shop) else {
        shop.done(&["backup", text(&copy)]);
        return text(&copy).to_owned();
    };
    let mut dump = server.client("mariadb-dump");
    dump.args(["--single-transaction", "--hex-blob", &server.database]);
    dump.arg(format!("--result-file={}", text(&copy)));
    succeed(dump);
    text(&copy).to_owned()
}

/// Puts a copy where the ledger of an empty shop is to be, and readies it.
fn restore(shop: &Shop, copy: &str) {
    let Some(server) = Server::of(shop) else {
        shop.done(&["restore", copy]);
        return;
    };
    let mut load = server.client("mariadb");
    load.arg(&server.database).stdin(std::fs::File::open(copy).expect("the copy"));
    succeed(load);
    shop.done(&["restore"]);
}

fn succeed(command: Command) -> Ran {
    let ran = finish(command);
    assert_eq!(ran.code(), Some(0), "{ran}");
    ran
}

/// A server's own tools.
struct Server {
    host: String,
    port: String,
    user: String,
    database: String,
}

impl Server {
    /// Those of the database of a shop; none where it is a file.
    fn of(shop: &Shop) -> Option<Self> {
        let (user, rest) = shop.database_url().strip_prefix("mysql://")?.split_once('@')?;
        let (host, database) = rest.split_once('/')?;
        let (host, port) = host.split_once(':')?;
        let [user, host, port, database] = [user, host, port, database].map(str::to_owned);
        Some(Server { host, port, user, database })
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("--no-defaults").stdin(Stdio::null());
        command.args(["--host", &self.host, "--port", &self.port, "--user", &self.user]);
        command
    }
}

/// The sequences of ids that the code takes from.
fn sequences_of(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the code") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("tests") {
            sequences_of(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a file of the code");
            let taken = text.split("next_ids(\"").skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(taken.map(str::to_owned));
        }
    }
}

mod sqlite {
    use super::*;

    #[test]
    fn a_copy_is_nobody_elses_and_takes_no_others_place() {
        use std::os::unix::fs::PermissionsExt as _;
        let shop = Shop::on_file();
        shop.done(&import(&orders(&shop, 1, 50)));
        let made = shop.json(&["backup", "copy.db"]);
        let copy = shop.path("copy.db").metadata().expect("the copy");
        assert_eq!(made["bytes"], copy.len());
        assert_eq!(copy.permissions().mode() & 0o777, 0o600, "orders are private");
        let refused = shop.run(&["backup", "copy.db"]);
        assert_eq!(refused.code(), Some(1), "{refused}");
        assert!(refused.stderr.contains("there is a file copy.db already"), "{refused}");
        let missing = shop.run(&["--database", "nowhere.db", "backup", "other.db"]);
        assert_eq!(missing.code(), Some(1), "{missing}");
        assert!(!shop.path("nowhere.db").exists() && !shop.path("other.db").exists(), "{missing}");
    }

    #[test]
    fn a_ledger_is_put_back_where_nothing_is_left_of_another() {
        let shop = Shop::on_file();
        shop.done(&import(&orders(&shop, 1, 50)));
        shop.done(&["backup", "copy.db"]);
        for left in ["shop.db", "shop.db-wal"] {
            let other = Shop::on_file();
            other.write(left, "another");
            let refused = other.run(&["restore", text(&shop.path("copy.db"))]);
            assert_eq!(refused.code(), Some(1), "{refused}");
            assert!(
                refused.stderr.contains(left) && refused.stderr.contains("move the old one away"),
                "{refused}"
            );
            assert_eq!(std::fs::read(other.path(left)).expect("it is there"), b"another");
        }
        let other = Shop::on_file();
        other.done(&["restore", text(&shop.path("copy.db")), "--pass-over", "1000"]);
        other.assert_clean();
        assert_eq!(other.contents().len(), shop.contents().len());
        let moved = other.ledger().rows("SELECT name FROM id_sequences WHERE next > 1000");
        let mut sequences = BTreeSet::new();
        sequences_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut sequences);
        assert!(sequences.contains("orders"), "{sequences:?}");
        for name in sequences {
            assert!(
                moved.contains(&vec![Cell::Text(name.clone())]),
                "{name} may give an id again: {moved:?}"
            );
        }
        let log = other.ledger().rows("SELECT kind FROM operator_actions");
        assert!(log.contains(&vec![Cell::Text("ledger_restored".to_owned())]), "{log:?}");
    }
}
