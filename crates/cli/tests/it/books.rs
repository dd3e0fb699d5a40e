//! The ledger read past the program, with plain sums of our own: an outside check beside `verify`.

use std::collections::BTreeMap;

use domain::{CauseKind, ChargeStatus, MovementKind, NotificationKind, OrderStatus};
use rusqlite::Connection;

use crate::support::{Shop, text};

/// The ledger of a shop whose orders were only imported, charged and told about: nothing shipped, nobody called one off.
pub struct Books {
    ledger: Connection,
}

impl Books {
    /// With the gateway's own books beside it, wherever it keeps them.
    pub fn of(shop: &Shop) -> Self {
        let ledger = shop.ledger();
        let apart = shop.path("gateway.db");
        let gateway = if apart.exists() { apart } else { shop.path("shop.db") };
        ledger.execute("ATTACH ? AS gateway", [text(&gateway)]).expect("the gateway's books open");
        Books { ledger }
    }

    /// How many orders stand how.
    pub fn orders(&self) -> BTreeMap<OrderStatus, i64> {
        let mut rows =
            self.ledger.prepare("SELECT status, COUNT(*) FROM orders GROUP BY status").expect("the orders");
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("the orders");
        let known = |code| OrderStatus::from_code(code).expect("a status");
        rows.map(|row| row.map(|(code, count): (i64, i64)| (known(code), count)).expect("a count")).collect()
    }

    /// Every order is confirmed or failed, and every effect of it is there exactly once.
    pub fn assert_each_effect_once(&self, orders: i64) {
        let standing = self.orders();
        let known = [OrderStatus::Confirmed, OrderStatus::Failed];
        assert_eq!(standing.values().sum::<i64>(), orders, "none is lost: {standing:?}");
        assert!(standing.keys().all(|status| known.contains(status)), "all are at rest: {standing:?}");
        self.assert_no_work_is_left();
        self.assert_paid_once();
        self.assert_stock_is_exact();
        self.assert_told_once();
        self.assert_one_event_a_change();
    }

    fn assert_no_work_is_left(&self) {
        self.assert_none("jobs that are not done", "SELECT id, kind FROM jobs");
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
                "SELECT o.id, o.total, o.captured, SUM(p.captured) FROM orders o JOIN payments p ON p.order_id = o.id \
                 GROUP BY o.id HAVING SUM(p.status = {captured}) <> (o.status = {confirmed}) \
                 OR SUM(p.captured) <> o.captured OR o.captured <> CASE o.status WHEN {confirmed} THEN o.total ELSE 0 END"
            ),
        );
        // A charge's key ends in the order's number and the attempt: `instance-000000000042-1`.
        self.assert_none(
            "charges that the gateway knows otherwise",
            &format!(
                "WITH taken AS (SELECT CAST(SUBSTR(charge_key, -14, 12) AS INTEGER) AS order_id, SUM(amount) AS amount, \
                 COUNT(*) AS charges FROM gateway.simulated_charges WHERE outcome = 1 AND voided_at IS NULL GROUP BY 1) \
                 SELECT o.id, charges, amount, o.captured FROM orders o LEFT JOIN taken ON taken.order_id = o.id \
                 WHERE COALESCE(amount, 0) <> o.captured OR COALESCE(charges, 0) <> (o.status = {confirmed})"
            ),
        );
        self.assert_none(
            "refunds",
            "SELECT id, order_id FROM refunds UNION ALL SELECT refund_key, 0 FROM gateway.simulated_refunds",
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
                "SELECT o.id, COUNT(n.id) FROM orders o LEFT JOIN notifications n ON n.order_id = o.id GROUP BY o.id \
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
        let mut rows = self.ledger.prepare(sql).unwrap_or_else(|error| panic!("{error} (in: {sql})"));
        let columns = rows.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            (0..columns).map(|column| row.get::<_, rusqlite::types::Value>(column)).collect()
        };
        let found = rows.query_map([], row).expect("rows").take(5);
        let found: Vec<Vec<rusqlite::types::Value>> = found.collect::<Result<_, _>>().expect("rows");
        assert!(found.is_empty(), "{what}: {found:?}");
    }
}
