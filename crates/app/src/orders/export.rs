use std::io::{self, Write};

use importer::neutralise;
use store::customers::Customer;
use store::orders::{OrderRow, Search};

use super::list;
use crate::{App, Error, Result};

/// Orders that are read at a time.
const PIECE: u32 = 1_000;

/// The columns of an export. What a file of orders calls the same is called so here too.
const COLUMNS: [&str; 16] = [
    "id",
    "source",
    "order_id",
    "placed_at",
    "customer",
    "email",
    "status",
    "fail_reason",
    "payment",
    "fulfilment",
    "units",
    "currency",
    "total",
    "captured",
    "refunded",
    "refund_pending",
];

/// Writes all orders that a search finds as CSV, a line each; amounts in the units of their currency. Cells that a
/// spreadsheet would run carry an apostrophe. Returns how many there were.
pub async fn export(app: &App, search: Search, out: impl Write) -> Result<u64> {
    let failed = |error: csv::Error| Error::Internal(format!("the orders could not be written: {error}"));
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS).map_err(failed)?;
    let (mut search, mut count) = (Search { limit: PIECE, ..search }, 0);
    loop {
        let part = list(app, search.clone()).await?;
        count += part.rows.len() as u64;
        for (order, customer) in &part.rows {
            write(&mut writer, order, customer.as_ref()).map_err(failed)?;
        }
        let Some(next) = part.next else { break };
        search.after = Some(next);
    }
    writer.flush().map_err(|error: io::Error| failed(error.into()))?;
    Ok(count)
}

fn write<W: Write>(
    writer: &mut csv::Writer<W>,
    order: &OrderRow,
    customer: Option<&Customer>,
) -> csv::Result<()> {
    let email = customer.and_then(|one| one.email.clone()).unwrap_or_default();
    let cells: [String; 16] = [
        order.id.to_string(),
        order.source.clone(),
        order.external_id.clone(),
        order.placed_at.to_string(),
        customer.map(Customer::called).unwrap_or_default(),
        email,
        order.status.to_owned(),
        order.fail_reason.unwrap_or_default().to_owned(),
        order.payment.to_owned(),
        order.fulfilment.to_owned(),
        order.units.to_string(),
        order.total.currency.to_string(),
        order.total.decimal(),
        order.captured.decimal(),
        order.refunded.decimal(),
        order.refund_pending.decimal(),
    ];
    writer.write_record(cells.iter().map(|cell| neutralise(cell).into_owned()))
}
