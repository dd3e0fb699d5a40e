//! The ledger read past the program, with plain sums of our own: an outside check beside `verify`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use domain::{CauseKind, ChargeStatus, MovementKind, NotificationKind, OrderStatus};
use testkit::{Cell, Look};

use crate::support::Shop;

/// How an order stands that nothing more is to be done for by itself.
const AT_REST: [OrderStatus; 2] = [OrderStatus::Confirmed, OrderStatus::Failed];

/// The ledger of a shop whose orders were only imported, charged and told about: nothing shipped, nobody called one off.
pub struct Books {
    ledger: RefCell<Look>,
    gateway: RefCell<Look>,
}

impl Books {
    /// With the gateway's own books beside it, wherever it keeps them.
    pub fn of(shop: &Shop) -> Self {
        let apart = shop.path("gateway.db");
        let gateway = if apart.exists() { Look::into_file(&apart) } else { shop.ledger() };
        Books { ledger: RefCell::new(shop.ledger()), gateway: RefCell::new(gateway) }
    }

    /// How many orders stand how.
    pub fn orders(&self) -> BTreeMap<OrderStatus, i64> {
        let found = self.ledger.borrow_mut().numbers("SELECT status, COUNT(*) FROM orders GROUP BY status");
        let known = |code| OrderStatus::from_code(code).expect("a status");
        found.into_iter().map(|[code, count]| (known(code), count)).collect()
    }

    /// How many orders are confirmed or failed.
    pub fn at_rest(&self) -> i64 {
        self.orders().into_iter().filter(|(status, _)| AT_REST.contains(status)).map(|(_, count)| count).sum()
    }

    /// Every order is confirmed or failed, and every effect of it is there exactly once.
    pub fn assert_each_effect_once(&self, orders: i64) {
        let standing = self.orders();
        assert_eq!(standing.values().sum::<i64>(), orders, "none is lost: {standing:?}");
        assert!(standing.keys().all(|status| AT_REST.contains(status)), "all are at rest: {standing:?}");
        self.assert_no_work_is_left();
        self.assert_paid_once();
        self.assert_stock_is_exact();
        self.assert_told_once();
        self.assert_one_event_a_change();
    }

    fn assert_no_work_is_left(&self) {
        // Those that are done are kept where the settings say so.
        self.assert_none(
            "jobs that are not done",
            "SELECT id, kind, state, attempt, failures, losses FROM jobs WHERE state <> 4",
        );
        self.assert_none("payments that are watched", "SELECT order_id, deadline FROM payment_deadlines");
        let open = format!("{}, {}", ChargeStatus::Requested.code(), ChargeStatus::Accepted.code());
        let sql = format!("SELECT order_id, status FROM payments WHERE status IN ({open})");
        self.assert_none("payments that are open", &sql);
    }

    /// A confirmed order's total was captured once, by the gateway's own books too, and nobody else's.
    fn assert_paid_once(&self) {
        let (captured, confirmed) = (ChargeStatus::Captured.code(), OrderStatus::Confirmed.code());
        self.assert_none(
            "orders that were paid wrongly",
            &format!(
                "SELECT o.id, o.status, o.total, o.captured, SUM(p.captured) FROM orders o JOIN payments p ON p.order_id = o.id \
                 GROUP BY o.id HAVING SUM(p.status = {captured}) <> (o.status = {confirmed}) \
                 OR SUM(p.captured) <> o.captured OR o.captured <> CASE o.status WHEN {confirmed} THEN o.total ELSE 0 END"
            ),
        );
        self.assert_charged_as_captured();
        self.assert_none("refunds", "SELECT id, order_id FROM refunds");
        assert_eq!(
            self.gateway.borrow_mut().count("SELECT COUNT(*) FROM simulated_refunds"),
            0,
            "refunds of the gateway"
        );
    }

    /// The gateway took for each order what the ledger has, by one charge, and from nobody else.
    fn assert_charged_as_captured(&self) {
        // A charge's key ends in the order's number and the attempt: `instance-000000000042-1`.
        let taken = "SELECT CAST(SUBSTR(charge_key, -14, 12) AS SIGNED), COUNT(*), SUM(amount) FROM simulated_charges \
            WHERE outcome = 1 AND voided_at IS NULL GROUP BY 1 ORDER BY 1";
        let captured = format!(
            "SELECT id, 1, captured FROM orders WHERE status = {} ORDER BY id",
            OrderStatus::Confirmed.code()
        );
        let taken: Vec<[i64; 3]> = self.gateway.borrow_mut().numbers(taken);
        let captured: Vec<[i64; 3]> = self.ledger.borrow_mut().numbers(&captured);
        assert!(
            taken == captured,
            "order, charges, amount; the gateway: {taken:?}; the ledger: {captured:?}"
        );
    }

    /// What confirmed orders want is reserved, once for each line; what failed ones held is let go.
    fn assert_stock_is_exact(&self) {
        let (confirmed, failed) = (OrderStatus::Confirmed.code(), OrderStatus::Failed.code());
        let wanted = format!(
            "SELECT product_id, SUM(quantity) AS quantity FROM order_lines JOIN orders ON orders.id = order_id \
             WHERE status = {confirmed} GROUP BY product_id"
        );
        self.assert_none(
            "products that hold another number than their orders want",
            &format!(
                "SELECT p.id, p.reserved, w.quantity FROM products p LEFT JOIN ({wanted}) w ON w.product_id = p.id \
                 WHERE p.reserved <> COALESCE(w.quantity, 0)"
            ),
        );
        let (line, receipt) = (CauseKind::OrderLine.code(), CauseKind::Receipt.code());
        self.assert_none(
            "products whose stock is another than what was received",
            &format!(
                "SELECT p.id, p.on_hand FROM products p LEFT JOIN stock_movements m ON m.product_id = p.id \
                 AND m.cause_kind = {receipt} GROUP BY p.id HAVING p.on_hand <> COALESCE(SUM(m.quantity), 0)"
            ),
        );
        let moved = |kind: MovementKind| {
            format!(
                "(SELECT COALESCE(SUM(quantity), 0) FROM stock_movements WHERE cause_kind = {line} \
                 AND cause_id = o.id AND kind = {})",
                kind.code()
            )
        };
        let (reserved, released) = (moved(MovementKind::Reserve), moved(MovementKind::Release));
        self.assert_none(
            "orders that hold another number than they want",
            &format!(
                "SELECT o.id, {reserved}, {released} FROM orders o WHERE \
                 (o.status = {confirmed} AND ({reserved} <> o.units OR {released} <> 0)) \
                 OR (o.status = {failed} AND {reserved} <> {released})"
            ),
        );
    }

    /// One mail for each order: that it is confirmed, or why it is not.
    fn assert_told_once(&self) {
        let (confirmed, confirmation) =
            (OrderStatus::Confirmed.code(), NotificationKind::Confirmation.code());
        self.assert_none(
            "orders whose customers were not told once",
            &format!(
                "SELECT o.id, o.status, COUNT(n.id) FROM orders o LEFT JOIN notifications n ON n.order_id = o.id GROUP BY o.id \
                 HAVING COUNT(n.id) <> 1 OR SUM(n.kind = {confirmation}) <> (o.status = {confirmed})"
            ),
        );
    }

    /// One event a version, and no kind of event twice: each order is charged once at most.
    fn assert_one_event_a_change(&self) {
        self.assert_none(
            "orders whose versions and events are not the same number",
            "SELECT o.id, o.version, COUNT(*) FROM orders o LEFT JOIN order_events e ON e.order_id = o.id GROUP BY o.id \
             HAVING COUNT(*) <> o.version OR MIN(e.version) <> 1 OR MAX(e.version) <> o.version",
        );
        let twice =
            "SELECT order_id, kind, COUNT(*) FROM order_events GROUP BY order_id, kind HAVING COUNT(*) > 1";
        self.assert_none("events that happened twice", twice);
    }

    /// Fails with the first rows that a query finds.
    fn assert_none(&self, what: &str, sql: &str) {
        let found: Vec<Vec<Cell>> = self.ledger.borrow_mut().rows(sql);
        assert!(found.is_empty(), "{what}: {:?}", &found[..found.len().min(5)]);
    }
}
