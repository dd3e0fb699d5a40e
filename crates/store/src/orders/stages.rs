use domain::{FailReason, FulfilmentStatus, OrderStatus};
use sql::Tx;

use crate::{Result, rows};

/// How many of some orders came how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stages {
    /// All of them.
    pub placed: i64,
    /// Their stock was held. Of those cancelled before they were paid it is not known, and they are not counted.
    pub reserved: i64,
    /// They were paid.
    pub confirmed: i64,
    /// All of their units that were not refunded left.
    pub shipped: i64,
    /// They arrived.
    pub delivered: i64,
    /// They failed for want of stock.
    pub out_of_stock: i64,
    /// They failed because the last attempt to pay was declined.
    pub declined: i64,
    /// They failed because no payment came in time.
    pub expired: i64,
    /// Somebody called them off.
    pub cancelled: i64,
}

/// How far the newest orders came; at most `newest` are looked at.
pub fn stages_of_newest(tx: &mut Tx<'_>, newest: u32) -> Result<Stages> {
    let sql = "SELECT status, fail_reason, fulfilment, paid, COUNT(*) FROM (SELECT status, fail_reason, fulfilment, \
               CASE WHEN confirmed_at IS NULL THEN 0 ELSE 1 END AS paid FROM orders ORDER BY id DESC LIMIT ?) AS newest \
               GROUP BY status, fail_reason, fulfilment, paid";
    let groups = tx.query(sql, &[newest.into()], |row| {
        let status = rows::code(row, 0, "an order's status", OrderStatus::from_code)?;
        let reason = rows::code_opt(row, 1, "a reason of failure", FailReason::from_code)?;
        let fulfilment = rows::code(row, 2, "a fulfilment status", FulfilmentStatus::from_code)?;
        Ok((status, reason, fulfilment, row.get::<i64>(3)? == 1, row.get::<i64>(4)?))
    })?;
    let mut stages = Stages::default();
    for (status, reason, fulfilment, is_paid, count) in groups {
        stages.placed += count;
        let has_failed_later = matches!(reason, Some(FailReason::Declined | FailReason::Expired));
        if is_paid || status == OrderStatus::Reserved || has_failed_later {
            stages.reserved += count;
        }
        if is_paid {
            stages.confirmed += count;
        }
        match fulfilment {
            FulfilmentStatus::Shipped => stages.shipped += count,
            FulfilmentStatus::Delivered | FulfilmentStatus::Returned => {
                stages.shipped += count;
                stages.delivered += count;
            }
            FulfilmentStatus::Unfulfilled | FulfilmentStatus::PartiallyShipped => {}
        }
        match (status, reason) {
            (OrderStatus::Cancelled, _) => stages.cancelled += count,
            (_, Some(FailReason::OutOfStock)) => stages.out_of_stock += count,
            (_, Some(FailReason::Declined)) => stages.declined += count,
            (_, Some(FailReason::Expired)) => stages.expired += count,
            _ => {}
        }
    }
    Ok(stages)
}
