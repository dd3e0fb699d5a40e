//! What a processed order leaves behind, written by a bare loop: four transactions for a batch of orders, as the four
//! steps of its life are.

use super::{BATCH, Reference, Script, Step};
use crate::place::{Home, Place};

/// Which rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaves {
    /// What `docs/performance.md` names.
    AsSpecified,
    /// Every row that ours leaves, or writes and deletes, on the way.
    AsOurs,
}

impl Leaves {
    pub fn what(self, place: &Place) -> &'static str {
        match (self, place.is_sqlite()) {
            (Leaves::AsSpecified, true) => {
                "order, 2 lines, 2 movements, 3 events, payment, webhook, 3 jobs, …"
            }
            (Leaves::AsOurs, true) => {
                "all rows of ours, also customer, 4 events, 4 jobs, the gateway's charge, …"
            }
            (Leaves::AsSpecified, false) => {
                "order, 2 lines, 2 movements, 3 events, payment, webhook, …; in Redis 3 jobs, KPIs, 4 scores"
            }
            (Leaves::AsOurs, false) => {
                "all rows of ours, also customer, 4 events, the gateway's charge, 4 rows of the outbox, …; in Redis 4 jobs, \
                 KPIs, 12 scores"
            }
        }
    }
}

/// Reads the rows from a database that holds processed orders.
pub fn script(filled: &Home, leaves: Leaves) -> anyhow::Result<Script> {
    let rows = &Reference::open(filled, BATCH)?;
    let mut transactions =
        vec![place(rows, leaves)?, reserve(rows, leaves)?, pay(rows, leaves)?, tell(rows, leaves)?];
    if leaves == Leaves::AsOurs {
        let charge = charge(rows, leaves)?;
        if rows.has_redis {
            // A job that is to be taken from Redis must have been committed before.
            transactions.insert(2, charge);
        } else {
            transactions[2].splice(0..0, charge);
        }
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
    steps.extend(job(rows, leaves, "stock", "reserve_stock", 0)?);
    Ok(steps)
}

fn reserve(rows: &Reference, leaves: Leaves) -> anyhow::Result<Vec<Step>> {
    let mut steps = vec![
        Step::Claim("stock"),
        Step::Write(rows.update(
            "orders",
            "version = 2, status = 2, payment = 1",
            &["id"],
            "SELECT batch, id FROM batches ORDER BY id",
        )?),
        Step::Write(rows.insert(
            "stock_movements",
            "SELECT batch, m.* FROM stock_movements m JOIN batches ON id = cause_id \
             JOIN order_lines l ON l.order_id = cause_id AND l.line_no = cause_line WHERE cause_line > 0 \
             ORDER BY cause_kind, cause_id, cause_line, kind",
        )?),
        Step::Write(rows.update(
            "products",
            "on_hand = on_hand + 1, reserved = reserved + 1",
            &["id"],
            "SELECT batch, product_id AS id FROM order_lines JOIN batches ON id = order_id GROUP BY 1, 2 ORDER BY 1, 2",
        )?),
        event(rows, 2)?,
        Step::Write(rows.insert(
            "payments",
            "SELECT batch, p.* FROM payments p JOIN batches ON id = order_id ORDER BY order_id",
        )?),
    ];
    steps.extend(job(rows, leaves, "payments", "take_payment", 1)?);
    steps.extend(ended(rows, leaves, "stock", 0)?);
    Ok(steps)
}

fn pay(rows: &Reference, leaves: Leaves) -> anyhow::Result<Vec<Step>> {
    let (queue, step) = if leaves == Leaves::AsOurs { ("callbacks", 2) } else { ("payments", 1) };
    let mut steps = vec![
        Step::Claim(queue),
        Step::Write(rows.insert(
            "webhook_events",
            "SELECT batch, w.* FROM webhook_events w JOIN batches b ON b.id = order_id ORDER BY w.id",
        )?),
        Step::Write(rows.insert(
            "webhook_deliveries",
            "SELECT batch, d.* FROM webhook_deliveries d JOIN webhook_events w ON w.id = event_id \
             JOIN batches b ON b.id = w.order_id ORDER BY d.id",
        )?),
        Step::Write(rows.update(
            "payments",
            "status = new.status, captured = new.captured, decided_at = new.decided_at",
            &["order_id", "attempt"],
            "SELECT batch, status, captured, decided_at, order_id, attempt FROM payments JOIN batches ON id = order_id \
             ORDER BY order_id",
        )?),
        Step::Write(rows.update(
            "orders",
            "version = version + 1, status = new.status, payment = new.payment, captured = new.captured, \
             confirmed_at = new.confirmed_at",
            &["id"],
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
    steps.extend(if rows.has_redis { put_figures(rows, leaves)? } else { count(rows, leaves)? });
    steps.extend(job(rows, leaves, "notifications", "send_notification", 3)?);
    steps.extend(ended(rows, leaves, queue, step)?);
    Ok(steps)
}

fn tell(rows: &Reference, leaves: Leaves) -> anyhow::Result<Vec<Step>> {
    let mut steps = vec![
        Step::Claim("notifications"),
        Step::Write(rows.update(
            "notifications",
            "status = new.status, subject = new.subject, body = new.body, attempts = 1, sent_at = new.sent_at",
            &["id"],
            "SELECT batch, status, subject, body, sent_at, n.id FROM notifications n \
             JOIN batches b ON b.id = order_id ORDER BY n.id",
        )?),
    ];
    steps.extend(ended(rows, leaves, "notifications", 3)?);
    Ok(steps)
}

/// The simulated gateway's side, and what our side keeps until it calls back.
fn charge(rows: &Reference, leaves: Leaves) -> anyhow::Result<Vec<Step>> {
    let mut steps = vec![
        Step::Claim("payments"),
        Step::Write(rows.insert(
            "simulated_charges",
            "SELECT (row_number() OVER (ORDER BY charge_key) - 1) / 500, s.* FROM simulated_charges s \
             ORDER BY charge_key",
        )?),
        Step::Write(rows.update(
            "orders",
            "version = version + 1",
            &["id"],
            "SELECT batch, id FROM batches ORDER BY id",
        )?),
        Step::Write(rows.insert(
            "payment_deadlines",
            "SELECT batch, decided_at + 900000000 AS deadline, order_id, attempt FROM payments \
             JOIN batches ON id = order_id ORDER BY order_id",
        )?),
        Step::Write(rows.delete(
            "payment_deadlines",
            "SELECT batch, decided_at + 900000000 AS deadline, order_id, attempt FROM payments \
             JOIN batches ON id = order_id ORDER BY order_id",
        )?),
        event(rows, 3)?,
    ];
    steps.extend(job(rows, leaves, "callbacks", "deliver_callback", 2)?);
    steps.extend(ended(rows, leaves, "payments", 1)?);
    Ok(steps)
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

/// The same in Redis: KPIs of the day, scores of customers by day, month and all time, of products by day; or both of every
/// period, each with its board and what it is told apart by, and the facts that the ledger keeps for them.
fn put_figures(rows: &Reference, leaves: Leaves) -> anyhow::Result<Vec<Step>> {
    let day = "(placed_at / 86400000000)";
    let all_periods = [
        ("day", day.to_owned()),
        ("week", format!("({day} / 7)")),
        ("month", format!("({day} / 30)")),
        ("all", "0".to_owned()),
    ];
    let as_ours = leaves == Leaves::AsOurs;
    let mut steps = Vec::new();
    for (period, start) in &all_periods {
        if as_ours || *period == "day" {
            let figures = ["COUNT(*)", "SUM(units)", "SUM(total)"].map(|sum| {
                format!(
                    "SELECT batch, 'bare:kpi:{period}:' || {start} AS name, '{sum}' AS field, {sum} FROM orders \
                     JOIN batches USING (id) GROUP BY 1, 2"
                )
            });
            steps.push(Step::Put(
                "HSET",
                rows.rows(&format!("{} ORDER BY 1, 2", figures.join(" UNION ALL ")))?,
            ));
        }
        let customers = "orders o JOIN batches USING (id)";
        let products = "order_lines l JOIN orders o ON o.id = l.order_id JOIN batches b ON b.id = o.id";
        let boards = [
            ("customer_id", "o.total", customers, as_ours || *period != "week"),
            ("product_id", "l.total", products, as_ours || *period == "day"),
        ];
        for (member, amount, from, _) in boards.into_iter().filter(|board| board.3) {
            let name = format!("'bare:{member}:{period}:' || {start}");
            let select = |name: &str, words: &str| {
                format!(
                    "SELECT batch, {name} AS name, {words} FROM {from} GROUP BY batch, name, {member} ORDER BY batch, name"
                )
            };
            steps.push(Step::Put("ZADD", rows.rows(&select(&name, &format!("SUM({amount}), {member}")))?));
            if as_ours {
                let score = format!("{member}, COUNT(*) || ':' || SUM({amount}) || ':' || MAX(placed_at)");
                steps.push(Step::Put("HSET", rows.rows(&select(&format!("{name} || ':scores'"), &score))?));
            }
        }
    }
    if as_ours {
        let facts = format!(
            "SELECT (row_number() OVER (ORDER BY id) - 1) * {} / COUNT(*) OVER (), f.* FROM kpi_feed f ORDER BY id",
            rows.batches
        );
        steps.push(Step::Write(rows.insert("kpi_feed", &facts)?));
    }
    Ok(steps)
}

/// A job an order; `step` is its place in the order's life.
fn job(
    rows: &Reference,
    leaves: Leaves,
    queue: &'static str,
    kind: &str,
    step: u8,
) -> anyhow::Result<Vec<Step>> {
    let args = "'{\"order\":' || id || ',\"attempt\":1}'";
    if !rows.has_redis {
        let select = format!(
            "SELECT batch, id * 4 + {step} AS id, '{queue}' AS queue, 1 AS state, id AS due, '{kind}' AS kind, \
             100 AS priority, NULL AS max_attempts, 0 AS enqueued_at, {args} AS args FROM batches ORDER BY id"
        );
        return Ok(vec![Step::Write(rows.insert("jobs", &select)?)]);
    }
    let told = format!("SELECT batch, id * 4 + {step}, '{kind}' || {args} FROM batches ORDER BY id");
    let mut steps = vec![Step::Push(queue, rows.rows(&told)?)];
    if leaves == Leaves::AsOurs {
        let select = format!(
            "SELECT batch, id * 4 + {step} AS id, '{queue}' AS queue, '{kind}' AS kind, {args} AS args, 100 AS priority, \
             1 AS fence, 0 AS enqueued_at FROM batches ORDER BY id"
        );
        steps.push(Step::Write(rows.insert("job_outbox", &select)?));
    }
    Ok(steps)
}

/// The end of the jobs that were taken.
fn ended(rows: &Reference, leaves: Leaves, queue: &'static str, step: u8) -> anyhow::Result<Vec<Step>> {
    let mut steps = vec![Step::Complete(queue)];
    if rows.has_redis && leaves == Leaves::AsOurs {
        let ids = format!("SELECT batch, id * 4 + {step} AS id FROM batches ORDER BY id");
        steps.push(Step::Write(rows.delete("job_outbox", &ids)?));
    }
    Ok(steps)
}
