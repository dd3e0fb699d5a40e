//! What an import leaves behind, written by a bare loop: one transaction for as many orders as a chunk has.

use super::{Reference, Script, Step};
use crate::place::Home;

/// Reads the rows from a database that an import has filled.
pub fn script(filled: &Home) -> anyhow::Result<Script> {
    let (orders, chunks) = {
        let counts = Reference::open(filled, 1)?;
        (counts.batches, counts.number("SELECT COUNT(*) FROM import_chunks")?)
    };
    let reference = Reference::open(filled, orders.div_ceil(chunks))?;
    let rows = [
        reference.insert(
            "customers",
            "SELECT b.batch, c.* FROM customers c JOIN (SELECT customer_id, MIN(batch) AS batch FROM orders \
             JOIN batches USING (id) GROUP BY 1) b ON b.customer_id = c.id ORDER BY c.id",
        )?,
        reference.insert(
            "products",
            "SELECT b.batch, p.* FROM products p JOIN (SELECT product_id, MIN(batch) AS batch FROM order_lines \
             JOIN batches ON batches.id = order_id GROUP BY 1) b ON b.product_id = p.id ORDER BY p.id",
        )?,
        reference.insert(
            "stock_movements",
            "SELECT b.batch, m.* FROM stock_movements m JOIN (SELECT product_id, MIN(batch) AS batch FROM order_lines \
             JOIN batches ON batches.id = order_id GROUP BY 1) b USING (product_id) ORDER BY cause_kind, cause_id",
        )?,
        reference.insert("orders", "SELECT batch, o.* FROM orders o JOIN batches USING (id) ORDER BY id")?,
        reference.insert(
            "order_lines",
            "SELECT batch, l.* FROM order_lines l JOIN batches ON id = order_id ORDER BY order_id, line_no",
        )?,
        reference.insert(
            "order_events",
            "SELECT batch, e.* FROM order_events e JOIN batches ON id = order_id ORDER BY order_id, version",
        )?,
        reference.insert(
            "import_chunks",
            "SELECT MIN(chunk, (SELECT MAX(batch) FROM batches)), c.* FROM import_chunks c ORDER BY chunk",
        )?,
    ];
    let mut transaction: Vec<Step> = rows.into_iter().map(Step::Write).collect();
    transaction.extend(jobs(&reference)?);
    Ok(Script { batches: reference.batches, transactions: vec![transaction] })
}

fn jobs(reference: &Reference) -> anyhow::Result<Vec<Step>> {
    let of_orders = |columns: &str, table: &str| {
        format!(
            "SELECT b.batch, {columns} FROM {table} j JOIN batches b ON b.id = json_extract(args, '$.order') \
             WHERE kind = 'reserve_stock' ORDER BY j.id"
        )
    };
    if reference.has_redis {
        let jobs = reference.rows(&of_orders("j.id, args", "job_outbox"))?;
        let outbox = reference.insert("job_outbox", &of_orders("j.*", "job_outbox"))?;
        return Ok(vec![Step::Write(outbox), Step::Push("stock", jobs)]);
    }
    let columns = "j.id, queue, state, due, kind, priority, max_attempts, enqueued_at, args";
    Ok(vec![Step::Write(reference.insert("jobs", &of_orders(columns, "jobs"))?)])
}
