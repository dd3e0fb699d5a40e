use std::collections::BTreeSet;

use domain::{OrderId, RefundId};
use queue::State;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sql::{Row, Tx};
use store::audit::Unsettled;

use super::findings::{Findings, Rule, Thing};
use crate::jobs::{Payload, RefundPayment, ReserveStock, TakePayment};
use crate::{App, Result};

/// Orders whose jobs are looked for over one snapshot. Each time every job that waits or runs is read.
pub(super) const AT_ONCE: usize = 100_000;

/// Rule 4: what is not at rest has a job, or a payment whose deadline is watched. An order whose refund is under way is
/// not at rest either.
pub(super) async fn check(app: &App, orders: Vec<OrderId>) -> Result<Findings> {
    if orders.is_empty() {
        return Ok(Findings::default());
    }
    let count = orders.len() as u64;
    let forgotten = app
        .read("verify_jobs", move |tx| -> Result<_> {
            let mut unsettled = store::audit::list_unsettled(tx, &orders)?;
            settle(tx, &mut unsettled)?;
            Ok(unsettled)
        })
        .await?;
    let mut findings = Findings::default();
    findings.checked(Rule::Jobs, count);
    for unsettled in forgotten {
        let (thing, what, expected) = match unsettled {
            Unsettled::Stock(order) => {
                (Thing::Order(order), "pending", format!("a job {}", ReserveStock::KIND))
            }
            Unsettled::Payment(order) => {
                let expected = format!("a job {}, or a payment with a deadline", TakePayment::KIND);
                (Thing::Order(order), "reserved", expected)
            }
            Unsettled::Refund(order, refund) => {
                (Thing::Refund(order, refund), "under way", format!("a job {}", RefundPayment::KIND))
            }
        };
        findings.breach(Rule::Jobs, thing, what, expected, "none");
    }
    Ok(findings)
}

/// Takes out what a job goes on with.
///
/// Reads what the ledger's database itself knows of jobs, in its own snapshot: the table of the SQL queue, and the outbox
/// of jobs that are kept in Redis, whose row stays until its effect is there. The queue's public lists are pages, each of
/// another moment, between which an order may pass from one job to the next.
fn settle(tx: &mut Tx<'_>, unsettled: &mut BTreeSet<Unsettled>) -> Result<()> {
    if unsettled.is_empty() {
        return Ok(());
    }
    let refunds: std::collections::HashMap<RefundId, Unsettled> = unsettled
        .iter()
        .filter_map(|one| if let Unsettled::Refund(_, refund) = one { Some((*refund, *one)) } else { None })
        .collect();
    let waiting = [State::Scheduled, State::Available, State::Executing, State::Retryable];
    let marks = waiting.map(|_| "?").join(", ");
    let sql = format!(
        "SELECT kind, args FROM jobs WHERE state IN ({marks}) UNION ALL SELECT kind, args FROM job_outbox"
    );
    tx.for_each(&sql, &waiting.map(|state| (state as i64).into()), |row| {
        let named = match row.text(0)? {
            ReserveStock::KIND => args(row)?.map(|OfOrder { order }| Unsettled::Stock(order)),
            TakePayment::KIND => args(row)?.map(|OfOrder { order }| Unsettled::Payment(order)),
            RefundPayment::KIND => {
                args(row)?.and_then(|RefundPayment { refund }| refunds.get(&refund).copied())
            }
            _ => None,
        };
        if let Some(named) = named {
            unsettled.remove(&named);
        }
        Ok(())
    })?;
    Ok(())
}

#[derive(Deserialize)]
struct OfOrder {
    order: OrderId,
}

/// What a job carries; none if it cannot be read, and then no worker can go on with it.
fn args<T: DeserializeOwned>(row: &Row<'_>) -> sql::Result<Option<T>> {
    Ok(serde_json::from_str(row.text(1)?).ok())
}
