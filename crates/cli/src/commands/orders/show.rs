use anyhow::Result;
use app::App;
use app::orders::{Story, story};
use store::customers::Customer;
use store::orders::OrderView;

use super::{add, listing};
use crate::commands::notifications;
use crate::commands::refund;
use crate::output::{Out, cell, maybe, money, plain, status, time};
use crate::session::Exit;
use crate::words;

pub async fn run(app: &App, out: Out, name: &str) -> Result<Exit> {
    let story = story(app, words::order(app, name).await?).await?;
    if out.is_json() {
        out.json(&story)?;
    } else {
        print(out, &story)?;
    }
    Ok(Exit::Done)
}

fn print(out: Out, story: &Story) -> Result<()> {
    let mut head = listing(out);
    add(&mut head, &story.order.row);
    out.table(&head, "")?;
    let Customer { id, external_id, email, name, .. } = &story.customer;
    let known = [name, email, external_id].into_iter().flatten().map(|text| plain(text)).collect::<Vec<_>>();
    out.line(format_args!("customer {id}: {}", known.join(", ")))?;
    if let (Some(import), Some(line)) = (story.order.row.import_id, story.order.row.import_line) {
        out.line(format_args!("from line {line} of import {import}"))?;
    }
    lines(out, &story.order)?;
    money_matters(out, story)?;
    if !story.shipments.is_empty() {
        out.heading("Shipments")?;
        let mut table = out.listing(&["id", "status", "carrier", "tracking", "shipped", "delivered"]);
        for one in &story.shipments {
            let (carrier, tracking) = (maybe(one.carrier.as_ref()), maybe(one.tracking.as_ref()));
            let delivered = one.delivered_at.map_or_else(|| cell("–"), time);
            table.row([cell(one.id), status(one.status), carrier, tracking, time(one.shipped_at), delivered]);
        }
        out.table(&table, "")?;
    }
    if !story.notifications.is_empty() {
        out.heading("Notifications")?;
        out.table(&notifications::listing(out, &story.notifications), "")?;
    }
    out.heading("Timeline")?;
    let mut table = out.listing(&["", "at", "event", "by", ""]).right(&[0]);
    for event in &story.timeline {
        let data = event.data.as_ref().map(ToString::to_string).unwrap_or_default();
        table.row([cell(event.version), time(event.at), cell(event.kind), cell(&event.actor), cell(data)]);
    }
    Ok(out.table(&table, "")?)
}

fn lines(out: Out, order: &OrderView) -> Result<()> {
    out.heading("Lines")?;
    let columns = ["line", "SKU", "name", "units", "price", "total", "shipped", "refunded"];
    let mut table = out.listing(&columns).right(&[0, 3, 4, 5, 6, 7]);
    for line in &order.lines {
        let refunded = match line.refund_pending {
            0 => line.refunded.to_string(),
            pending => format!("{} (+{pending})", line.refunded),
        };
        table.row([
            cell(line.line_no),
            cell(&line.sku),
            cell(&line.name),
            cell(line.quantity),
            money(line.unit_price),
            money(line.total),
            cell(line.shipped),
            cell(refunded),
        ]);
    }
    Ok(out.table(&table, "it has none")?)
}

fn money_matters(out: Out, story: &Story) -> Result<()> {
    if !story.payments.is_empty() {
        out.heading("Payments")?;
        let columns = ["attempt", "status", "amount", "captured", "reference", "at", "remark"];
        let mut table = out.listing(&columns).right(&[0, 2, 3]);
        for payment in &story.payments {
            table.row([
                cell(payment.attempt),
                status(payment.status),
                money(payment.amount),
                money(payment.captured),
                maybe(payment.reference.as_ref()),
                time(payment.created_at),
                maybe(payment.reason.as_ref()),
            ]);
        }
        out.table(&table, "")?;
    }
    if !story.refunds.is_empty() {
        out.heading("Refunds")?;
        let mut table = refund::listing(out);
        for one in &story.refunds {
            refund::add(&mut table, one);
        }
        out.table(&table, "")?;
    }
    Ok(())
}
