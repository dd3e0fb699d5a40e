use std::collections::HashMap;

use domain::Calendar;
use sql::{Tx, Value};

use crate::Result;
use crate::changes::Periods;
use crate::counting::{count as count_known, count_unsure, wanted_months};
use crate::customers::Customer;

/// Counts distinct and new customers, with a look at the stored months where nothing else tells.
pub(crate) fn count(
    tx: &mut Tx<'_>,
    series: i64,
    calendar: &Calendar,
    customers: &[Customer<'_>],
    periods: &mut Periods,
) -> Result<()> {
    let unsure = count_known(calendar, customers, periods)?;
    let mut days: HashMap<(i32, i64), u32> = HashMap::new();
    for (month, customers) in &wanted_months(&unsure) {
        let customers: Vec<Value<'_>> = customers.iter().map(|id| Value::Int(*id)).collect();
        let sql = "SELECT customer_id, order_days FROM customer_months \
                   WHERE series = ? AND month = ? AND customer_id IN ({in})";
        let found = tx.query_in(sql, &[series.into(), (*month).into()], &customers, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        days.extend(found.into_iter().map(|(customer, bits): (i64, u32)| ((*month, customer), bits)));
    }
    count_unsure(&unsure, &days, periods);
    Ok(())
}
