//! Each rule is broken by hand in a copy of a shop that has lived, and must be reported by its number, with the name of
//! the thing that is wrong.

use app::verify::{Scope, run};
use domain::OrderId;

use super::{execute, is};
use crate::engine::{drop_index, lift_checks};
use crate::lived::{ids, lived};
use crate::support::TestApp;

#[tokio::test]
async fn rule_1_stock_levels_are_the_sums_of_their_movements() {
    let shop = Shop::closed().await;
    let tea = |what| (1, "product TEA".to_owned(), what);
    shop.reports(tea("units on hand"), &["UPDATE products SET on_hand = on_hand + 1 WHERE sku = 'TEA'"])
        .await;
    shop.reports(tea("units reserved"), &["UPDATE products SET reserved = reserved - 1 WHERE sku = 'TEA'"])
        .await;
    shop.reports(tea("units reserved"), &["UPDATE products SET reserved = on_hand + 1 WHERE sku = 'TEA'"])
        .await;
    let receipt = "cause_kind = 4 AND product_id = (SELECT id FROM products WHERE sku = 'TEA')";
    shop.reports(tea("units on hand"), &[&format!("DELETE FROM stock_movements WHERE {receipt}")]).await;
    let more = format!("UPDATE stock_movements SET quantity = quantity + 1 WHERE {receipt}");
    shop.reports(tea("units on hand"), &[&more]).await;
    let nothing = (1, "product with the id 777".to_owned(), "movements");
    shop.reports(nothing, &["INSERT INTO stock_movements VALUES (4, 99999, 0, 1, 777, 5, 0, NULL)"]).await;
}

#[tokio::test]
async fn rule_2_each_order_holds_what_its_state_says() {
    let shop = Shop::closed().await;
    let id =
        shop.first("status = 3 AND fulfilment = 1 AND units_refunded = 0 AND units_refund_pending = 0").await;
    let line = |id: OrderId, what| (2, format!("line 1 of order {id}"), what);
    let reserve = format!("cause_kind = 1 AND cause_id = {id} AND cause_line = 1");
    let held = "units held by movements";
    shop.reports(line(id, held), &[&format!("DELETE FROM stock_movements WHERE {reserve}")]).await;
    let released = format!(
        "INSERT INTO stock_movements SELECT cause_kind, cause_id, cause_line, 3, product_id, quantity, at, note \
         FROM stock_movements WHERE {reserve}"
    );
    shop.reports(line(id, held), &[&released]).await;
    let other = format!("UPDATE stock_movements SET product_id = product_id + 1 WHERE {reserve}");
    shop.reports(line(id, "the product that a movement moves"), &[&other]).await;
    let beside = format!("INSERT INTO stock_movements VALUES (1, {id}, 99, 2, 1, 5, 0, NULL)");
    shop.reports((2, format!("line 99 of order {id}"), "a movement"), &[&beside]).await;

    let dead = shop
        .first("status = 6 AND confirmed_at IS NOT NULL AND stock_untracked = 0 AND units_refunded = 0")
        .await;
    let kept = format!("DELETE FROM stock_movements WHERE cause_kind = 1 AND cause_id = {dead} AND kind = 3");
    shop.reports(line(dead, held), &[&kept]).await;

    let shipped = shop.first("status = 4 AND stock_untracked = 0").await;
    let unshipped =
        format!("UPDATE order_lines SET shipped = shipped - 1 WHERE order_id = {shipped} AND line_no = 1");
    shop.reports(line(shipped, "units shipped by movements"), &[&unshipped]).await;
    for (column, what) in [
        ("units", "units"),
        ("units_shipped", "units shipped"),
        ("units_refunded", "units refunded"),
        ("units_refund_pending", "units in refunds under way"),
        ("units_released", "units to ship"),
    ] {
        let more = format!("UPDATE orders SET {column} = {column} + 1 WHERE id = {id}");
        shop.reports((2, format!("order {id}"), what), &[&more]).await;
    }
    let nobody = "order 888888".to_owned();
    shop.reports(
        (2, nobody.clone(), "a movement"),
        &["INSERT INTO stock_movements VALUES (1, 888888, 1, 2, 1, 5, 0, NULL)"],
    )
    .await;
    let line = "INSERT INTO order_lines VALUES (888888, 1, 1, 'TEA', 'TEA', 1, 1, 0, 0, 1, 0, 0, 0)";
    shop.reports((2, nobody, "a line"), &[line]).await;
    let stray = (2, "line 1 of refund 888888".to_owned(), "a movement");
    shop.reports(stray, &["INSERT INTO stock_movements VALUES (2, 888888, 1, 5, 1, 5, 0, NULL)"]).await;
    let stray = (2, "line 1 of shipment 888888".to_owned(), "a movement");
    shop.reports(stray, &["INSERT INTO stock_movements VALUES (3, 888888, 1, 4, 1, 5, 0, NULL)"]).await;
}

#[tokio::test]
async fn rule_3_money_adds_up_and_stays_within_its_caps() {
    let shop = Shop::closed().await;
    let id = shop.first("status = 3 AND refunded BETWEEN 1 AND total - 1 AND surplus_refunded = 0 AND refund_pending = 0 AND units_refunded > 0").await;
    let order = |what| (3, format!("order {id}"), what);
    for (column, what) in [
        ("total", "total"),
        ("discount", "total"),
        ("subtotal", "subtotal"),
        ("captured", "money captured"),
        ("refunded", "money refunded"),
        ("refund_pending", "money of refunds under way"),
        ("surplus_refunded", "surplus money refunded"),
    ] {
        let more = format!("UPDATE orders SET {column} = {column} + 1 WHERE id = {id}");
        shop.reports(order(what), &[&more]).await;
    }
    let beyond = format!("UPDATE orders SET refunded = captured + 1 WHERE id = {id}");
    shop.reports(order("money refunded and under way"), &[&beyond]).await;
    let line = format!("order_id = {id} AND line_no = 1");
    shop.reports(order("subtotal"), &[&format!("UPDATE order_lines SET total = total + 1 WHERE {line}")])
        .await;
    shop.reports(order("money captured"), &[&format!("DELETE FROM payments WHERE order_id = {id}")]).await;
    let early = format!("UPDATE payments SET status = 2 WHERE order_id = {id}");
    shop.reports((3, format!("payment 1 of order {id}"), "money captured before it is captured"), &[&early])
        .await;

    let refund = shop.id(&format!("SELECT id FROM refunds WHERE order_id = {id} AND status = 3")).await;
    let of_refund = (3, format!("refund {refund} of order {id}"), "amount, as the sum of its parts");
    let part = format!("UPDATE refund_lines SET amount = amount + 1 WHERE refund_id = {refund}");
    shop.reports(of_refund, &[&part]).await;
    shop.reports(order("money refunded"), &[&format!("UPDATE refunds SET status = 4 WHERE id = {refund}")])
        .await;
    let of_line = |what| (3, format!("line 1 of order {id}"), what);
    let units = format!("UPDATE refund_lines SET quantity = quantity + 1 WHERE refund_id = {refund}");
    shop.reports(of_line("units refunded"), &[&units]).await;
    let pending = format!("UPDATE order_lines SET refund_pending = refund_pending + 1 WHERE {line}");
    shop.reports(of_line("units of refunds under way"), &[&pending]).await;
    let beyond = format!("UPDATE order_lines SET refunded = quantity + 1 WHERE {line}");
    shop.reports(of_line("units"), &[&beyond]).await;

    let dead = shop.first("status = 6 AND refunded > 0 AND confirmed_at IS NULL").await;
    let kept = [
        &*format!("DELETE FROM refunds WHERE order_id = {dead}"),
        &*format!("UPDATE orders SET refunded = 0, surplus_refunded = 0 WHERE id = {dead}"),
    ];
    shop.reports((3, format!("order {dead}"), "captured money of a dead order"), &kept).await;
    let stray = "INSERT INTO payments SELECT 888888, attempt, status, amount, currency, captured, reference, \
                 deadline, created_at, decided_at, reason, imported FROM payments LIMIT 1";
    shop.reports((3, "order 888888".to_owned(), "a payment"), &[stray]).await;
}

#[tokio::test]
async fn rule_4_what_is_not_at_rest_has_a_job_or_a_deadline() {
    let shop = Shop::closed().await;
    let pending = shop.first("status = 1").await;
    let jobs = shop.0.table_of_jobs();
    let job = format!("DELETE FROM {jobs} WHERE kind = 'reserve_stock'");
    shop.reports((4, format!("order {pending}"), "pending"), &[&job]).await;
    // A job that has ended has no row in the outbox.
    let endings: &[i64] = if jobs == "jobs" { &[4, 5, 6] } else { &[] };
    for ended in endings {
        let ended = format!("UPDATE jobs SET state = {ended} WHERE kind = 'reserve_stock'");
        shop.reports((4, format!("order {pending}"), "pending"), &[&ended]).await;
    }
    let spoilt = format!("UPDATE {jobs} SET args = '{{}}' WHERE kind = 'reserve_stock'");
    shop.reports((4, format!("order {pending}"), "pending"), &[&spoilt]).await;
    let reserved = shop.first("status = 2").await;
    shop.reports((4, format!("order {reserved}"), "reserved"), &["DELETE FROM payment_deadlines"]).await;
    let voided = format!("UPDATE payments SET status = 5 WHERE order_id = {reserved}");
    shop.reports((4, format!("order {reserved}"), "reserved"), &[&voided]).await;
    let refund = shop.id("SELECT id FROM refunds WHERE status = 1").await;
    let of = shop.id("SELECT order_id FROM refunds WHERE status = 1").await;
    let job = format!("DELETE FROM {jobs} WHERE kind = 'refund_payment'");
    shop.reports((4, format!("refund {refund} of order {of}"), "under way"), &[&job]).await;
}

#[tokio::test]
async fn rule_5_each_change_has_one_event_and_each_cause_one_notification() {
    let shop = Shop::closed().await;
    let id = shop.first("status = 4 AND stock_untracked = 0 AND refunded = 0").await;
    let order = |what| (5, format!("order {id}"), what);
    let event = |version: i64, what| (5, format!("event {version} of order {id}"), what);
    let last = shop.id(&format!("SELECT version FROM orders WHERE id = {id}")).await.get();
    let of = |version: i64| format!("order_id = {id} AND version = {version}");
    shop.reports(event(4, "version"), &[&format!("DELETE FROM order_events WHERE {}", of(3))]).await;
    shop.reports(order("events"), &[&format!("DELETE FROM order_events WHERE {}", of(last))]).await;
    shop.reports(order("events"), &[&format!("UPDATE orders SET version = version + 1 WHERE id = {id}")])
        .await;
    let before = format!("UPDATE order_events SET before_state = 555 WHERE {}", of(3));
    shop.reports(event(3, "state before"), &[&before]).await;
    let after = format!("UPDATE order_events SET after_state = 555 WHERE {}", of(last));
    shop.reports(order("state after the last event"), &[&after]).await;
    let silent = format!("UPDATE orders SET fulfilment = 5 WHERE id = {id}");
    shop.reports(order("state after the last event"), &[&silent]).await;
    let begun = format!("UPDATE order_events SET before_state = 111 WHERE {}", of(1));
    shop.reports(event(1, "state before"), &[&begun]).await;
    let stray = "INSERT INTO order_events VALUES (888888, 1, 1, 0, 'cli', NULL, 111, NULL)";
    shop.reports((5, "order 888888".to_owned(), "an event"), &[stray]).await;

    let confirmation = format!("order_id = {id} AND kind = 1");
    let version = shop.id(&format!("SELECT cause FROM notifications WHERE {confirmation}")).await.get();
    let forgotten = format!("DELETE FROM notifications WHERE {confirmation}");
    shop.reports(event(version, "its notification"), &[&forgotten]).await;
    let twice = format!(
        "INSERT INTO notifications SELECT id + 800000, order_id, kind, cause, channel, recipient, status, subject, \
         body, attempts, possible_duplicate, error, resend_of, created_at, attempted_at, sent_at \
         FROM notifications WHERE {confirmation}"
    );
    let index = drop_index(shop.0.app.database().dialect(), "notifications", "notifications_cause");
    shop.reports(order("notifications"), &[&index, &twice]).await;
    let untold = format!("UPDATE notifications SET cause = 2 WHERE {confirmation}");
    shop.reports(order("a notification"), &[&untold]).await;
    let unwanted = format!("UPDATE orders SET notify = 0 WHERE id = {id}");
    shop.reports(order("a notification"), &[&unwanted]).await;
}

#[tokio::test]
async fn rule_6_figures_are_what_the_ledger_gives() {
    let shop = Shop::closed().await;
    // Those in Redis are changed by hand in `redis::figures_changed_by_hand_are_reported_under_rule_6_…`.
    if shop.0.app.redis().is_none() {
        figures_changed_by_hand(&shop).await;
    }
    // Whatever is changed in the ledger is no longer what was told to the figures.
    let placed = "UPDATE orders SET placed_at = placed_at + 864000000000 WHERE id = 1";
    shop.reports((6, "2030-01-01 EUR".to_owned(), "orders"), &[placed]).await;
    let refund = shop.id("SELECT MIN(id) FROM refunds WHERE status = 3 AND cause = 1").await;
    let earlier = format!("UPDATE refunds SET settled_at = settled_at - 864000000000 WHERE id = {refund}");
    shop.reports((6, "EUR".to_owned(), "refunds"), &[&earlier]).await;
}

async fn figures_changed_by_hand(shop: &Shop) {
    let day = "2030-01-01 EUR".to_owned();
    for figure in ["orders", "gross", "failed", "cancelled"] {
        let more =
            format!("UPDATE kpi_periods SET {figure} = {figure} + 1 WHERE period = 1 AND start_day = 21915");
        shop.reports((6, day.clone(), figure), &[&more]).await;
    }
    let refunds = "UPDATE kpi_periods SET refunds = refunds + 1 WHERE period = 1 AND refunds > 0";
    shop.reports((6, "EUR".to_owned(), "refunds"), &[refunds]).await;
    let customer = shop.id("SELECT MIN(customer_id) FROM customer_days WHERE day = 21915").await;
    let score =
        format!("UPDATE customer_days SET net = net + 1 WHERE day = 21915 AND customer_id = {customer}");
    shop.reports((6, format!("{day}, customer {customer}"), "score of a customer"), &[&score]).await;
    let score = "UPDATE product_days SET units = units + 1 WHERE day = 21915 AND product_id = 1";
    shop.reports((6, format!("{day}, product 1"), "score of a product"), &[score]).await;
    let first = format!("UPDATE customer_totals SET first_order_id = 77777 WHERE customer_id = {customer}");
    shop.reports((6, format!("{day}, customer {customer}"), "first order of a customer"), &[&first]).await;
    let all = "UPDATE kpi_periods SET gross = gross + 1 WHERE period = 4";
    shop.reports((6, "all EUR, gross".to_owned(), "sum of days"), &[all]).await;
    let month = "UPDATE product_months SET net = net + 1 WHERE product_id = 1";
    shop.reports((6, "month 2030-01-01 EUR".to_owned(), "sum of days"), &[month]).await;
}

#[tokio::test]
async fn rule_7_each_row_of_an_import_is_counted_once() {
    let shop = Shop::closed().await;
    let import = |what| (7, "import 1".to_owned(), what);
    let more = "UPDATE import_chunks SET rows_imported = rows_imported + 1 WHERE import_id = 1";
    shop.reports(import("rows of the chunks that are done"), &[more]).await;
    shop.reports(import("rows of a chunk"), &[more]).await;
    let total = "UPDATE imports SET rows_total = rows_total + 1 WHERE id = 1";
    shop.reports(import("rows, as the sum of its chunks"), &[total]).await;
    let undone = "UPDATE import_chunks SET state = 0 WHERE import_id = 1";
    shop.reports(import("rows not reached"), &[undone]).await;
    let lost = "DELETE FROM import_rejects WHERE import_id = 1";
    shop.reports(import("rows rejected, as kept"), &[lost]).await;
    let orders = import("orders imported, as counted in the ledger");
    let gone = "UPDATE orders SET import_id = NULL WHERE id = (SELECT id FROM (SELECT MIN(id) AS id FROM orders \
         WHERE import_id = 1) AS first)";
    shop.reports(orders, &[gone]).await;
}

/// A shop that has lived, to be copied and broken.
struct Shop(TestApp);

impl Shop {
    async fn closed() -> Self {
        let lived = Box::pin(lived()).await;
        // A copy is of what is closed; what is asked meanwhile is asked of the first copy.
        lived.app.database().close();
        let whole = lived.copied().await;
        whole.app.transaction("lift", |tx| lift_checks(tx).map_err(app::Error::from)).await.unwrap();
        Shop(whole)
    }

    /// The number that a query gives, as an id.
    async fn id(&self, sql: &str) -> OrderId {
        let sql: &'static str = sql.to_owned().leak();
        *ids(&self.0.app, sql).await.first().unwrap_or_else(|| panic!("nothing found: {sql}"))
    }

    /// The first order that such a condition holds for.
    async fn first(&self, condition: &str) -> OrderId {
        self.id(&format!("SELECT id FROM orders WHERE {condition} ORDER BY id LIMIT 1")).await
    }

    /// Breaks a copy and expects it to be reported: the rule, the thing and what is wrong with it.
    async fn reports(&self, (rule, name, what): (u8, String, &str), broken: &[&str]) {
        let copy = self.0.copied().await;
        execute(&copy.app, broken).await;
        let report = run(&copy.app, Scope::All).await.unwrap();
        let found = report.breaches().any(|breach| is(breach, (rule, &name, what)));
        assert!(found, "{broken:?}: no {what} of {name} by rule {rule} in {:#?}", report.rules);
    }
}
