use std::collections::HashMap;

use domain::{Calendar, CustomerId, Period};
use sql::{Tx, Value};

use super::generation::{Generation, Series};
use super::source::{Source, Standing};
use crate::board::{Board, BoardOf, BoardQuery, CustomerScores, Scored, rank};
use crate::{CurrencyChoice, Result, Score};

/// Reads the best of a period. Everybody with an order or a refund in it is on the board.
pub fn leaderboard(tx: &mut Tx<'_>, calendar: &Calendar, query: &BoardQuery) -> Result<Board<i64>> {
    let generation = Generation::live(tx, calendar)?;
    let chosen = query.currency.choose(generation.iter().flat_map(Generation::currencies));
    let series = generation.as_ref().and_then(|one| one.series(chosen.currency));
    let rows = match series {
        Some(series) => best(tx, series, query)?,
        None => Vec::new(),
    };
    Ok(rank(query, chosen, 0, 1, rows))
}

/// Reads where a customer stands: `query.limit` entries above, the customer, and as many below. None if the customer
/// has neither order nor refund in the period.
pub fn rank_of(
    tx: &mut Tx<'_>,
    calendar: &Calendar,
    customer: CustomerId,
    query: &BoardQuery,
) -> Result<Option<Board<i64>>> {
    let query = BoardQuery { of: BoardOf::Customers, ..*query };
    let generation = Generation::live(tx, calendar)?;
    let chosen = query.currency.choose(generation.iter().flat_map(Generation::currencies));
    let Some(series) = generation.as_ref().and_then(|one| one.series(chosen.currency)) else {
        return Ok(None);
    };
    let everybody = Source::new(series, &query);
    let Some(own) = everybody.score(tx, customer.get())? else { return Ok(None) };
    let leaders = Source::leaders(series);
    let among_leaders =
        query.period == Period::All && series.floor.is_none_or(|floor| floor.admits(customer.get(), &own));
    let mut standing = None;
    if among_leaders {
        standing = Some(leaders.around(tx, customer.get(), own, query.limit)?)
            .filter(|standing| series.floor.is_none() || standing.below == u64::from(query.limit));
    }
    let Standing { ahead, first_rank, rows, .. } = match standing {
        Some(standing) => standing,
        None => everybody.around(tx, customer.get(), own, query.limit)?,
    };
    Ok(Some(rank(&query, chosen, ahead, first_rank, rows)))
}

/// Reads what these customers have reached over all time.
pub fn customer_scores(
    tx: &mut Tx<'_>,
    calendar: &Calendar,
    customers: &[CustomerId],
    currency: CurrencyChoice,
) -> Result<CustomerScores> {
    let generation = Generation::live(tx, calendar)?;
    let chosen = currency.choose(generation.iter().flat_map(Generation::currencies));
    let mut scores = HashMap::new();
    if let Some(series) = generation.as_ref().and_then(|one| one.series(chosen.currency)) {
        let ids: Vec<Value<'_>> = customers.iter().map(|customer| Value::Int(customer.get())).collect();
        let sql = "SELECT customer_id, orders, net, reached_at FROM customer_totals \
                   WHERE series = ? AND customer_id IN ({in})";
        let found = tx.query_in(sql, &[series.id.into()], &ids, |row| {
            Ok((row.get(0)?, Score { count: row.get(1)?, net: row.get(2)?, reached_at: row.get(3)? }))
        })?;
        scores.extend(found);
    }
    Ok(CustomerScores { currency: chosen.currency, scores, other_currencies: chosen.others })
}

fn best(tx: &mut Tx<'_>, series: &Series, query: &BoardQuery) -> Result<Vec<Scored>> {
    if query.of == BoardOf::Customers && query.period == Period::All {
        let rows = Source::leaders(series).best(tx, query.limit)?;
        if series.floor.is_none() || rows.len() as u64 == u64::from(query.limit) {
            return Ok(rows);
        }
    }
    Source::new(series, query).best(tx, query.limit)
}
