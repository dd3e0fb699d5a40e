//! Lists of orders: along an index that is there for other reasons, or among few that are found by a text.

use std::fmt;
use std::str::FromStr;

use domain::{CustomerId, ImportId, OrderId, OrderStatus};
use jiff::Timestamp;
use sql::{Tx, Value};

use super::view::{OrderRow, ROW, read};
use crate::named::{Named, named_in_sources};
use crate::walk::{Part, walk};
use crate::{Error, Result, customers, rows};

/// Orders that can be sorted in memory.
const SORTED_AT_MOST: u32 = 1_000;
/// Customers whose orders one text finds.
const CUSTOMERS_AT_MOST: u32 = 100;

/// What a list of orders is sorted by. Each ends with the id, so that no two orders share a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// What came last first.
    Newest,
    /// What came first first.
    Oldest,
    /// What was placed last first.
    PlacedNewest,
    /// What was placed first first.
    PlacedOldest,
    /// The highest total first.
    TotalHighest,
    /// The lowest total first.
    TotalLowest,
}

impl Sort {
    /// Each with how it is written.
    pub const ALL: [(Sort, &'static str); 6] = [
        (Sort::Newest, "newest"),
        (Sort::Oldest, "oldest"),
        (Sort::PlacedNewest, "placed_newest"),
        (Sort::PlacedOldest, "placed_oldest"),
        (Sort::TotalHighest, "total_highest"),
        (Sort::TotalLowest, "total_lowest"),
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(sort, _)| *sort == self).map_or("", |(_, word)| word)
    }

    fn place(self, row: &OrderRow) -> Place {
        let key = match self {
            Sort::Newest | Sort::Oldest => 0,
            Sort::PlacedNewest | Sort::PlacedOldest => row.placed_at.as_microsecond(),
            Sort::TotalHighest | Sort::TotalLowest => row.total.amount,
        };
        Place { sort: self, key, id: row.id.get() }
    }

    fn descends(self) -> bool {
        matches!(self, Sort::Newest | Sort::PlacedNewest | Sort::TotalHighest)
    }

    fn is_by_arrival(self) -> bool {
        matches!(self, Sort::Newest | Sort::Oldest)
    }
}

/// A place in a sorted list of orders. As text it is a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    sort: Sort,
    key: i64,
    id: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.sort.as_str(), self.key, self.id)
    }
}

impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut parts = text.splitn(3, ':');
        let mut part = || parts.next().unwrap_or_default();
        let (word, key, id) = (part(), part().parse().ok(), part().parse().ok());
        let sort = Sort::ALL.iter().find(|(_, known)| *known == word).map(|(sort, _)| *sort);
        match (sort, key, id) {
            (Some(sort), Some(key), Some(id)) => Ok(Place { sort, key, id }),
            _ => Err(Error::missing("place in a list of orders like", text)),
        }
    }
}

/// Which orders, and in which order.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Only those that stand as one of these; all, where none is named.
    pub statuses: Vec<OrderStatus>,
    /// Only those of this customer.
    pub customer: Option<CustomerId>,
    /// Only those with a line of this SKU, as it was sold.
    pub sku: Option<String>,
    /// Only those placed from this instant on.
    pub from: Option<Timestamp>,
    /// Only those placed before this instant.
    pub to: Option<Timestamp>,
    /// Only those of this import.
    pub import: Option<ImportId>,
    /// Only those of this source.
    pub source: Option<String>,
    /// Only those that a person means by this text: the order's id, the beginning of its id in its source, or that of its
    /// customer's e-mail or id there. Where too many begin with it, only those that equal it.
    pub text: Option<String>,
    /// What comes first; where it is not told, what was placed last if `from` or `to` is all that an index can serve, and
    /// what came last otherwise.
    pub sort: Option<Sort>,
    /// Where the page before ended.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: u32,
}

/// Where the rows of a list come from.
enum Source {
    /// Along the primary key.
    Ids,
    /// Along the index of customers' orders.
    Customer(CustomerId),
    /// Along the index of when orders were placed.
    Placed,
    /// Among few.
    Few(Vec<i64>),
}

/// A page of orders.
pub fn search(tx: &mut Tx<'_>, search: &Search) -> Result<Part<OrderRow, Place>> {
    let sort = search.sort();
    if search.after.is_some_and(|place| place.sort != sort) {
        return Err(Error::TooBroad(format!(
            "the cursor is of a list that is not sorted by `{}`; begin without it",
            sort.as_str()
        )));
    }
    let from = search.source(tx, sort)?;
    if let Source::Few(ids) = from {
        return among(tx, search, sort, &ids);
    }
    let read = |tx: &mut Tx<'_>, after, count| {
        let rows = along(tx, search, &from, sort, after, count)?;
        Ok(rows.into_iter().map(|row| (sort.place(&row), row)).collect())
    };
    let keep = search.is_narrowed(&from).then_some(|tx: &mut Tx<'_>, rows| search.keep(tx, rows));
    walk(tx, (search.after, search.limit), read, keep)
}

impl Search {
    fn sort(&self) -> Sort {
        let by_day = self.from.is_some() || self.to.is_some();
        let is_few = self.customer.is_some() || self.text.is_some();
        self.sort.unwrap_or(if by_day && !is_few { Sort::PlacedNewest } else { Sort::Newest })
    }

    fn source(&self, tx: &mut Tx<'_>, sort: Sort) -> Result<Source> {
        match (&self.text, self.customer) {
            (Some(text), _) => meant(tx, self.source.as_deref(), text).map(Source::Few),
            (None, Some(customer)) if sort.is_by_arrival() => Ok(Source::Customer(customer)),
            (None, Some(customer)) => {
                let ids = of_customer(tx, customer.get(), SORTED_AT_MOST + 1)?;
                if ids.len() > SORTED_AT_MOST as usize {
                    return Err(Error::TooBroad(format!(
                        "customer {customer} has more than {SORTED_AT_MOST} orders; they are listed by `newest` and `oldest` only"
                    )));
                }
                Ok(Source::Few(ids))
            }
            (None, None) if sort.is_by_arrival() => Ok(Source::Ids),
            (None, None) if matches!(sort, Sort::PlacedNewest | Sort::PlacedOldest) => Ok(Source::Placed),
            (None, None) => Err(Error::TooBroad(format!(
                "`{}` sorts the orders of a `customer`, or those that a `text` finds; all orders are sorted by when they \
                 came or were placed",
                sort.as_str()
            ))),
        }
    }

    /// Whether some rows along the index are left out.
    fn is_narrowed(&self, from: &Source) -> bool {
        let by_day = self.from.is_some() || self.to.is_some();
        !self.statuses.is_empty()
            || self.sku.is_some()
            || self.import.is_some()
            || self.source.is_some()
            || (by_day && !matches!(from, Source::Placed))
    }

    fn fits(&self, row: &OrderRow) -> bool {
        (self.statuses.is_empty() || self.statuses.iter().any(|status| status.as_str() == row.status))
            && self.customer.is_none_or(|customer| customer.get() == row.customer_id)
            && self.from.is_none_or(|from| from <= row.placed_at)
            && self.to.is_none_or(|to| row.placed_at < to)
            && self.import.is_none_or(|import| row.import_id == Some(import.get()))
            && self.source.as_ref().is_none_or(|source| *source == row.source)
    }

    fn keep(&self, tx: &mut Tx<'_>, rows: Vec<(Place, OrderRow)>) -> Result<Vec<(Place, OrderRow)>> {
        let mut kept: Vec<(Place, OrderRow)> = rows.into_iter().filter(|(_, row)| self.fits(row)).collect();
        if let Some(sku) = &self.sku {
            let with_it = with_sku(tx, sku, &kept)?;
            kept.retain(|(_, row)| with_it.contains(&row.id.get()));
        }
        Ok(kept)
    }
}

/// Those of these orders that have a line of this SKU.
fn with_sku(
    tx: &mut Tx<'_>,
    sku: &str,
    orders: &[(Place, OrderRow)],
) -> Result<std::collections::HashSet<i64>> {
    let ids = rows::keys(orders.iter().map(|(_, row)| row.id));
    Ok(tx.query_in(WITH_SKU, &[sku.into()], &ids, |row| row.get(0))?.into_iter().collect())
}

pub(crate) const WITH_SKU: &str = "SELECT order_id FROM order_lines WHERE sku = ? AND order_id IN ({in})";

/// The statement that goes on along an index, from the place after another.
pub(crate) fn by_arrival(sort: Sort, of_customer: bool) -> String {
    let (past, direction) = if sort.descends() { ("<", " DESC") } else { (">", "") };
    let customer = if of_customer { "customer_id = ? AND " } else { "" };
    format!("{ROW} WHERE {customer}id {past} ? ORDER BY id{direction} LIMIT ?")
}

/// The two statements that go on along the index of when orders were placed: at the instant of the last one, and past it.
/// One statement for both would look again at all that share the instant, and files tell days only.
pub(crate) fn by_placed(sort: Sort) -> [String; 2] {
    let (past, direction) = if sort.descends() { ("<", " DESC") } else { (">", "") };
    [
        format!("{ROW} WHERE placed_at = ? AND id {past} ? ORDER BY id{direction} LIMIT ?"),
        format!(
            "{ROW} WHERE placed_at >= ? AND placed_at < ? ORDER BY placed_at{direction}, id{direction} LIMIT ?"
        ),
    ]
}

/// The next rows along an index, from the one after `after`.
fn along(
    tx: &mut Tx<'_>,
    search: &Search,
    from: &Source,
    sort: Sort,
    after: Option<Place>,
    count: u32,
) -> Result<Vec<OrderRow>> {
    let start = if sort.descends() { i64::MAX } else { 0 };
    let id = after.map_or(start, |place| place.id);
    match from {
        Source::Placed => along_placed(tx, search, sort, after, count),
        Source::Customer(customer) => {
            let params = [customer.get().into(), id.into(), count.into()];
            Ok(tx.query(&by_arrival(sort, true), &params, read)?)
        }
        Source::Ids | Source::Few(_) => {
            Ok(tx.query(&by_arrival(sort, false), &[id.into(), count.into()], read)?)
        }
    }
}

fn along_placed(
    tx: &mut Tx<'_>,
    search: &Search,
    sort: Sort,
    after: Option<Place>,
    count: u32,
) -> Result<Vec<OrderRow>> {
    let [at, past] = by_placed(sort);
    let mut from = search.from.map_or(i64::MIN, Timestamp::as_microsecond);
    let mut to = search.to.map_or(i64::MAX, Timestamp::as_microsecond);
    let mut found = Vec::new();
    if let Some(Place { key, id, .. }) = after {
        found = tx.query(&at, &[key.into(), id.into(), count.into()], read)?;
        if sort.descends() {
            to = to.min(key);
        } else {
            from = from.max(key.saturating_add(1));
        }
    }
    let left = count.saturating_sub(found.len() as u32);
    if left > 0 {
        found.extend(tx.query(&past, &[from.into(), to.into(), left.into()], read)?);
    }
    Ok(found)
}

/// A page of those of few orders that fit.
fn among(tx: &mut Tx<'_>, search: &Search, sort: Sort, ids: &[i64]) -> Result<Part<OrderRow, Place>> {
    let keys: Vec<Value<'_>> = ids.iter().map(|id| Value::Int(*id)).collect();
    let found = tx.query_in(&format!("{ROW} WHERE id IN ({{in}})"), &[], &keys, read)?;
    let placed = found.into_iter().map(|row| (sort.place(&row), row)).collect();
    let mut kept = search.keep(tx, placed)?;
    // Descending, the highest place comes first, as if its sign were turned.
    let rank = |place: &Place| {
        if sort.descends() {
            (-i128::from(place.key), -i128::from(place.id))
        } else {
            (place.key.into(), place.id.into())
        }
    };
    kept.retain(|(place, _)| search.after.is_none_or(|after| rank(place) > rank(&after)));
    kept.sort_unstable_by_key(|(place, _)| rank(place));
    let has_more = kept.len() > search.limit as usize;
    kept.truncate(search.limit as usize);
    let next = kept.last().filter(|_| has_more).map(|(place, _)| *place);
    Ok(Part { rows: kept.into_iter().map(|(_, row)| row).collect(), next })
}

/// The ids of the orders that a person means by a text.
fn meant(tx: &mut Tx<'_>, source: Option<&str>, text: &str) -> Result<Vec<i64>> {
    let Named { mut ids, mut is_cut } = named_in_sources(tx, "orders", source, text, SORTED_AT_MOST)?;
    ids.extend(text.parse::<OrderId>().ok().map(OrderId::get));
    let customers = customers::meant(tx, source, text, CUSTOMERS_AT_MOST)?;
    is_cut |= customers.is_cut;
    for customer in customers.ids {
        let left = (SORTED_AT_MOST + 1).saturating_sub(ids.len() as u32);
        ids.extend(of_customer(tx, customer, left)?);
    }
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > SORTED_AT_MOST as usize || (is_cut && ids.is_empty()) {
        return Err(Error::TooBroad(format!(
            "more than {SORTED_AT_MOST} orders fit `{text}`; write more of it, or name a `customer`"
        )));
    }
    Ok(ids)
}

pub(crate) const OF_CUSTOMER: &str = "SELECT id FROM orders WHERE customer_id = ? ORDER BY id DESC LIMIT ?";

fn of_customer(tx: &mut Tx<'_>, customer: i64, at_most: u32) -> Result<Vec<i64>> {
    Ok(tx.query(OF_CUSTOMER, &[customer.into(), at_most.into()], |row| row.get(0))?)
}
