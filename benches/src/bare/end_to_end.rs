//! What a processed order leaves behind, written by a bare loop: four transactions for a batch of orders, as the four
//! steps of its life are.

use std::path::Path;

use super::{BATCH, Reference, Script, Step};

/// Which rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaves {
    /// What `docs/performance.md` names.
    AsSpecified,
    /// Every row that ours leaves, or writes and deletes, on the way.
    AsOurs,
}

impl Leaves {
    pub fn what(self) -> &'static str {
        match self {
            Leaves::AsSpecified => {
                "a bare loop: order, 2 lines, 2 movements, 3 events, payment, webhook, 3 jobs, …"
            }
            Leaves::AsOurs => {
                "a bare loop of all rows of ours: also customer, 4 events, 4 jobs, the gateway's charge, …"
            }
        }
    }
}

/// Reads the rows from a database that holds processed orders.
pub fn script(filled: &Path, leaves: Leaves) -> anyhow::Result<Script> {
    let rows = &Reference::open(filled, BATCH)?;
    let transactions = vec![
        place(rows, leaves)?,
        reserve(rows)?,
        pay(rows, leaves)?,
        vec![
            Step::Claim("notifications"),
            Step::Write(rows.each(
                "UPDATE notifications SET status = ?, subject = ?, body = ?, attempts = 1, sent_at = ? WHERE id = ?",
                "SELECT batch, status, subject, body, sent_at, n.id FROM notifications n \
                 JOIN batches b ON b.id = order_id ORDER BY n.id",
            )?),
            Step::Complete,
        ],
    ];
    let mut transactions = transactions;
    if leaves == Leaves::AsOurs {
        transactions[2].splice(0..0, charge(rows)?);
    }
    Ok(Script { batches: rows.batches, transactions })
}

fn place(rows: &Reference, leaves: Leaves) -> anyhow::Result<Vec<Step>> {
    let mut steps = Vec::new();
    if leaves == Leaves::AsOurs {
        steps.push(Step::Write(rows.insert(
            "customers",
            "SELECT b.batch, c.* FROM customers c JOIN (SELECT customer_id, MIN(batch) AS batch FROM orders \
             JOIN batches USING (id) GROUP BY 1) b ON b.customer_id = c.id ORDER BY c.id",
        )?));
    }
    // Products are few and made once; they are there when the first batch comes.
    steps.push(Step::Write(rows.insert("products", "SELECT 0, p.* FROM products p ORDER BY p.id")?));
    steps.push(Step::Write(
        rows.insert("orders", "SELECT batch, o.* FROM orders o JOIN batches USING (id) ORDER BY id")?,
    ));
    steps.push(Step::Write(rows.insert(
        "order_lines",
        "SELECT batch, l.* FROM order_lines l JOIN batches ON id = order_id ORDER BY order_id, line_no",
    )?));
    steps.push(event(rows, 1)?);
    steps.push(job(rows, "stock", "reserve_stock", 0)?);
    Ok(steps)
}

fn reserve(rows: &Reference) -> anyhow::Result<Vec<Step>> {
    Ok(vec![
        Step::Claim("stock"),
        Step::Write(rows.each(
            "UPDATE orders SET version = 2, status = 2, payment = 1 WHERE id = ?",
            "SELECT batch, id FROM batches ORDER BY id",
        )?),
        Step::Write(rows.insert(
            "stock_movements",
            "SELECT batch, m.* FROM stock_movements m JOIN batches ON id = cause_id \
             JOIN order_lines l ON l.order_id = cause_id AND l.line_no = cause_line WHERE cause_line > 0 \
             ORDER BY cause_kind, cause_id, cause_line, kind",
        )?),
        Step::Write(rows.each(
            "UPDATE products SET on_hand = on_hand + 1, reserved = reserved + 1 WHERE id = ?",
            "SELECT batch, product_id FROM order_lines JOIN batches ON id = order_id GROUP BY 1, 2 ORDER BY 1, 2",
        )?),
        event(rows, 2)?,
        Step::Write(rows.insert(
            "payments",
            "SELECT batch, p.* FROM payments p JOIN batches ON id = order_id ORDER BY order_id",
        )?),
        job(rows, "payments", "take_payment", 1)?,
        Step::Complete,
    ])
}

fn pay(rows: &Reference, leaves: Leaves) -> anyhow::Result<Vec<Step>> {
    let mut steps = vec![
        Step::Claim(if leaves == Leaves::AsOurs { "callbacks" } else { "payments" }),
        Step::Write(rows.insert(
            "webhook_events",
            "SELECT batch, w.* FROM webhook_events w JOIN batches b ON b.id = order_id ORDER BY w.id",
        )?),
        Step::Write(rows.insert(
            "webhook_deliveries",
            "SELECT batch, d.* FROM webhook_deliveries d JOIN webhook_events w ON w.id = event_id \
             JOIN batches b ON b.id = w.order_id ORDER BY d.id",
        )?),
        Step::Write(rows.each(
            "UPDATE payments SET status = ?, captured = ?, decided_at = ? WHERE order_id = ? AND attempt = 1",
            "SELECT batch, status, captured, decided_at, order_id FROM payments JOIN batches ON id = order_id \
             ORDER BY order_id",
        )?),
        Step::Write(rows.each(
            "UPDATE orders SET version = version + 1, status = ?, payment = ?, captured = ?, confirmed_at = ? WHERE id = ?",
            "SELECT batch, status, payment, captured, confirmed_at, o.id FROM orders o JOIN batches USING (id) \
             ORDER BY o.id",
        )?),
        event(rows, 4)?,
        Step::Write(rows.insert(
            "notifications",
            "SELECT batch, n.id, order_id, kind, cause, channel, recipient, 1 AS status, 0 AS attempts, \
             possible_duplicate, created_at FROM notifications n JOIN batches b ON b.id = order_id ORDER BY n.id",
        )?),
    ];
    steps.extend(count(rows, leaves)?);
    steps.push(job(rows, "notifications", "send_notification", 3)?);
    steps.push(Step::Complete);
    Ok(steps)
}

/// The simulated gateway's side, and what our side keeps until it calls back.
fn charge(rows: &Reference) -> anyhow::Result<Vec<Step>> {
    Ok(vec![
        Step::Claim("payments"),
        Step::Write(rows.insert(
            "simulated_charges",
            "SELECT (row_number() OVER (ORDER BY charge_key) - 1) / 500, s.* FROM simulated_charges s \
             ORDER BY charge_key",
        )?),
        Step::Write(rows.each(
            "UPDATE orders SET version = version + 1 WHERE id = ?",
            "SELECT batch, id FROM batches ORDER BY id",
        )?),
        Step::Write(rows.insert(
            "payment_deadlines",
            "SELECT batch, decided_at + 900000000 AS deadline, order_id, attempt FROM payments \
             JOIN batches ON id = order_id ORDER BY order_id",
        )?),
        Step::Write(rows.each(
            "DELETE FROM payment_deadlines WHERE deadline = ? AND order_id = ? AND attempt = ?",
            "SELECT batch, decided_at + 900000000, order_id, attempt FROM payments \
             JOIN batches ON id = order_id ORDER BY order_id",
        )?),
        event(rows, 3)?,
        job(rows, "callbacks", "deliver_callback", 2)?,
        Step::Complete,
    ])
}

/// KPIs, once a day in the batch, and scores: of customers by day, month and all time, of products by day (and month).
fn count(rows: &Reference, leaves: Leaves) -> anyhow::Result<Vec<Step>> {
    let day = "(placed_at / 86400000000)";
    let add = |key: &str, first: &str| {
        format!(
            "ON CONFLICT ({key}) DO UPDATE SET {first} = {first} + excluded.{first}, net = net + excluded.net, \
             reached_at = MAX(reached_at, excluded.reached_at)"
        )
    };
    let customers = |span: &str| {
        format!(
            "SELECT batch, 1 AS series, {span} customer_id, COUNT(*) AS orders, SUM(total) AS net, \
             MAX(placed_at) AS reached_at {} FROM orders JOIN batches USING (id) GROUP BY batch, series, {span} customer_id",
            if span.contains("month") { ", 1 AS order_days" } else { "" }
        )
    };
    let spanned = |sql: String, name: &str, value: &str| {
        sql.replacen(&format!("{name},"), &format!("{value} AS {name},"), 1)
    };
    let products = |name: &str, value: &str| {
        format!(
            "SELECT batch, 1 AS series, {value} AS {name}, product_id, SUM(quantity) AS units, SUM(l.total) AS net, \
             MAX(placed_at) AS reached_at FROM order_lines l JOIN orders o ON o.id = l.order_id JOIN batches b \
             ON b.id = o.id GROUP BY batch, series, {name}, product_id"
        )
    };
    let month = format!("({day} / 30)");
    let mut steps = vec![
        Step::Write(rows.upsert(
            "kpi_periods",
            &format!(
                "SELECT batch, 1 AS series, 1 AS period, {day} AS start_day, COUNT(*) AS orders, SUM(units) AS units, \
                 SUM(total) AS gross, 0 AS refunds, 0 AS failed, 0 AS declined, 0 AS expired, 0 AS cancelled, \
                 0 AS customers, 0 AS new_customers FROM orders JOIN batches USING (id) GROUP BY batch, start_day"
            ),
            "ON CONFLICT (series, period, start_day) DO UPDATE SET orders = orders + excluded.orders, \
             units = units + excluded.units, gross = gross + excluded.gross",
        )?),
        Step::Write(rows.upsert(
            "customer_days",
            &spanned(customers("day,"), "day", day),
            &add("series, day, customer_id", "orders"),
        )?),
        Step::Write(rows.upsert(
            "customer_months",
            &spanned(customers("month,"), "month", &month),
            &add("series, month, customer_id", "orders"),
        )?),
        Step::Write(rows.upsert("customer_totals", &customers(""), &add("series, customer_id", "orders"))?),
        Step::Write(rows.upsert("product_days", &products("day", day), &add("series, day, product_id", "units"))?),
    ];
    if leaves == Leaves::AsOurs {
        let month = products("month", &month);
        steps.push(Step::Write(rows.upsert(
            "product_months",
            &month,
            &add("series, month, product_id", "units"),
        )?));
    }
    Ok(steps)
}

fn event(rows: &Reference, version: u8) -> anyhow::Result<Step> {
    let select = format!(
        "SELECT batch, e.* FROM order_events e JOIN batches ON id = order_id WHERE version = {version} ORDER BY order_id"
    );
    Ok(Step::Write(rows.insert("order_events", &select)?))
}

/// A job an order; `step` is its place in the order's life.
fn job(rows: &Reference, queue: &str, kind: &str, step: u8) -> anyhow::Result<Step> {
    let select = format!(
        "SELECT batch, id * 4 + {step} AS id, '{queue}' AS queue, 1 AS state, id AS due, '{kind}' AS kind, \
         100 AS priority, NULL AS max_attempts, 0 AS enqueued_at, '{{\"order\":' || id || ',\"attempt\":1}}' AS args \
         FROM batches ORDER BY id"
    );
    Ok(Step::Write(rows.insert("jobs", &select)?))
}
