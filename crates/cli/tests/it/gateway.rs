//! The payment gateway as a server of its own, which dies when it likes.

use std::thread::sleep;
use std::time::Duration;

use domain::{ChargeStatus, NotificationKind, OrderStatus, RefundCause, RefundStatus};
use importer::sample::Sample;
use testkit::Port;

use crate::books::Books;
use crate::chaos::{self, Chance};
use crate::support::{Process, Shop, create, text, wait_until};

/// A shop and its gateway, each a server.
struct Pair {
    shop: Shop,
    _gateway_at: Port,
    web_at: Port,
}

impl Pair {
    fn new(latency: &str) -> Self {
        let (gateway_at, web_at) = (Port::reserve(), Port::reserve());
        let shop = Shop::new()
            .set("queue.lease", "1s")
            .set("gateway.mode", "http")
            .set("gateway.latency", latency)
            .set("gateway.url", format!("http://{gateway_at}"))
            .set("gateway.callback_url", format!("http://{web_at}/api/webhooks/payments"));
        Pair { shop, _gateway_at: gateway_at, web_at }
    }

    fn gateway(&self) -> Process {
        self.listening(&["gateway"])
    }

    fn serve(&self) -> Process {
        self.listening(&["serve", "--listen", &self.web_at.to_string()])
    }

    fn listening(&self, arguments: &[&str]) -> Process {
        let mut server = self.shop.start(arguments);
        server.address();
        server
    }

    fn import(&self, part: u64, orders: u64) {
        let path = self.shop.path(&format!("part-{part}.csv"));
        let sample = Sample { first_id: 1_000_000 * (part + 1), ..Sample::shop(orders, part + 1) };
        sample.write(create(&path)).expect("the file is written");
        self.shop.done(&[
            "import",
            text(&path),
            "--source",
            "shop",
            "--initial-stock",
            "1000000",
            "--detach",
        ]);
    }
}

#[test]
fn killed_at_random_the_gateway_and_the_shop_settle_each_order_once() {
    let mut pair = Pair::new("20ms");
    pair.shop = pair.shop.set("gateway.decline_rate", 0.1).set("gateway.duplicate_rate", 0.2);
    pair.shop = pair.shop.set("gateway.reorder_rate", 0.2);
    let (kills, orders) = (chaos::count(100), 40);
    let mut chance = Chance::new();
    let (mut gateway, mut serve) = (pair.gateway(), pair.serve());
    for kill in 0..kills {
        pair.import(kill, orders);
        sleep(chance.below(Duration::from_millis(300)));
        let is_gateway = chance.coin();
        let (victim, start): (_, fn(&Pair) -> Process) =
            if is_gateway { (&mut gateway, Pair::gateway) } else { (&mut serve, Pair::serve) };
        let log = victim.stderr();
        // What is to be started anew needs the port of what is killed.
        assert!(victim.kill_in_place(), "it ended before it was killed: {log}");
        *victim = start(&pair);
    }
    pair.shop.done(&["work", "--until-idle"]);
    let books = Books::of(&pair.shop);
    println!("{:?}", books.orders());
    books.assert_each_effect_once((orders * kills).cast_signed());
    assert_eq!(serve.terminate().code(), Some(0));
    assert_eq!(gateway.terminate().code(), Some(0));
    pair.shop.assert_clean();
}

#[test]
fn money_captured_after_the_order_was_called_off_goes_back_by_itself() {
    let pair = Pair::new("1s");
    let (gateway, _serve) = (pair.gateway(), pair.serve());
    pair.import(0, 1);
    let accepted = format!("SELECT COUNT(*) FROM payments WHERE status = {}", ChargeStatus::Accepted.code());
    wait_until("the charge is accepted", || pair.shop.count(&accepted) == 1);
    assert!(gateway.kill());
    pair.shop.done(&["orders", "cancel", "shop/ORD-1000000", "--reason", "changed my mind"]);
    // The charge falls due while nobody can call it off.
    sleep(Duration::from_millis(1_100));
    let _gateway = pair.gateway();
    let cancelled = OrderStatus::Cancelled.code();
    let returned = format!(
        "SELECT COUNT(*) FROM orders WHERE status = {cancelled} AND captured = total AND refunded = total"
    );
    wait_until("the money has gone back", || pair.shop.count(&returned) == 1);
    pair.shop.done(&["work", "--until-idle"]);
    let (succeeded, surplus) = (RefundStatus::Succeeded.code(), RefundCause::Surplus.code());
    let refunds = format!("SELECT COUNT(*) FROM refunds WHERE status = {succeeded} AND cause = {surplus}");
    assert_eq!((pair.shop.count(&refunds), pair.shop.count("SELECT COUNT(*) FROM refunds")), (1, 1));
    let told =
        format!("SELECT COUNT(*) FROM notifications WHERE kind = {}", NotificationKind::Refunded.code());
    assert_eq!(pair.shop.count(&told), 1);
    let history = pair.shop.json(&["orders", "show", "shop/ORD-1000000"]).to_string();
    assert!(history.contains("late_capture_refunded"), "{history}");
    assert_eq!(pair.shop.count("SELECT SUM(reserved) FROM products"), 0);
    pair.shop.assert_clean();
}
