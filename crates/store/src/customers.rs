//! Customers: who they are, by their id in the shop's source and by e-mail.

use std::collections::HashMap;

use domain::{CustomerId, Email, ExternalId};
use jiff::Timestamp;
use sql::{Conflict, Insert, Row, Tx, Value};

use crate::named::{Named, named, named_in_sources};
use crate::{Error, Part, Result, rows};

/// A customer as an order names them.
#[derive(Debug, Clone, Copy)]
pub struct CustomerRef<'a> {
    /// Their id in the source.
    pub external_id: Option<&'a ExternalId>,
    /// Their e-mail.
    pub email: Option<&'a Email>,
    /// Their name.
    pub name: Option<&'a str>,
}

impl<'a> CustomerRef<'a> {
    /// What no other customer has: the id in the source, and the e-mail.
    fn keys(&self) -> (Option<&'a str>, Option<&'a str>) {
        (self.external_id.map(ExternalId::as_str), self.email.map(Email::as_str))
    }
}

/// A customer.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Customer {
    /// Our id.
    pub id: CustomerId,
    /// The source that `external_id` belongs to.
    pub source: Option<String>,
    /// Their id in the source.
    pub external_id: Option<String>,
    /// Their e-mail.
    pub email: Option<String>,
    /// Their name.
    pub name: Option<String>,
}

impl Customer {
    /// What people call them: the most telling of what is known.
    pub fn called(&self) -> String {
        let known = self.name.as_ref().or(self.email.as_ref()).or(self.external_id.as_ref());
        known.cloned().unwrap_or_else(|| format!("customer {}", self.id))
    }
}

const COLUMNS: &[&str] = &["id", "source", "external_id", "email", "name", "created_at"];

/// The ids of the customers that orders of `source` name, in their order; those not known yet are inserted.
pub fn find_or_insert(
    tx: &mut Tx<'_>,
    source: &str,
    wanted: &[CustomerRef<'_>],
    at: Timestamp,
) -> Result<Vec<CustomerId>> {
    loop {
        let found = find(tx, source, wanted)?;
        if found.insert(tx, at)? {
            return Ok(found.ids);
        }
    }
}

/// Whom orders of a source name.
#[derive(Debug)]
pub struct Found<'a> {
    /// Their ids, in the order of those who were looked up.
    pub ids: Vec<CustomerId>,
    source: &'a str,
    /// Those that are not known yet, in the order of their keys.
    fresh: Vec<(CustomerId, CustomerRef<'a>)>,
}

/// Finds customers; those not known yet get an id, and are to be [inserted](Found::insert).
///
/// The external id decides; then the e-mail. What is already recorded of a customer is not overwritten. An e-mail
/// that another customer has is not given to a second one.
pub fn find<'a>(tx: &mut Tx<'_>, source: &'a str, wanted: &[CustomerRef<'a>]) -> Result<Found<'a>> {
    let mut known = Known::load(tx, source, wanted)?;
    let missing = wanted.iter().filter(|customer| known.find(customer).is_none()).count() as u64;
    let mut fresh_ids = tx.next_ids("customers", missing)?;
    let (mut fresh, mut ids) = (Vec::new(), Vec::with_capacity(wanted.len()));
    for customer in wanted {
        let id = known.find(customer).unwrap_or_else(|| {
            let id = CustomerId::from_ledger(fresh_ids.next().expect("one id for each missing customer"));
            let email = customer.email.filter(|email| known.is_free(email));
            fresh.push((id, CustomerRef { email, ..*customer }));
            known.add(customer, id);
            id
        });
        ids.push(id);
    }
    fresh.sort_unstable_by(|(_, a), (_, b)| a.keys().cmp(&b.keys()));
    Ok(Found { ids, source, fresh })
}

impl Found<'_> {
    /// Inserts those that were not known; tells whether nobody else has inserted one of them since they were looked up, and
    /// otherwise leaves out those that have no key to be found by. Keys are taken in one order, so that of two who insert
    /// the same customers one waits until the other has ended.
    pub fn insert(&self, tx: &mut Tx<'_>, at: Timestamp) -> Result<bool> {
        let is_nameless = |(_, customer): &(_, CustomerRef<'_>)| customer.keys() == (None, None);
        let (nameless, named) = self.fresh.split_at(self.fresh.partition_point(is_nameless));
        let into = Insert { table: "customers", columns: COLUMNS, conflict: Conflict::Ignore };
        tx.insert_rows(&into, &values(self.source, named, at))?;
        let mut ids: Vec<CustomerId> = named.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        let sql = "SELECT COUNT(*) FROM customers WHERE id IN ({in})";
        let counts = tx.query_in(sql, &[], &rows::keys(ids), |row| row.get::<i64>(0))?;
        if counts.iter().sum::<i64>() < named.len() as i64 {
            return Ok(false);
        }
        let into = Insert { conflict: Conflict::Error, ..into };
        tx.insert_rows(&into, &values(self.source, nameless, at))?;
        Ok(true)
    }
}

fn values<'a>(source: &'a str, customers: &[(CustomerId, CustomerRef<'a>)], at: Timestamp) -> Vec<Value<'a>> {
    let mut values = Vec::with_capacity(customers.len() * COLUMNS.len());
    for (id, customer) in customers {
        let (external_id, email) = customer.keys();
        let source = external_id.map(|_| source);
        let row = [
            id.get().into(),
            source.into(),
            external_id.into(),
            email.into(),
            customer.name.into(),
            at.into(),
        ];
        values.extend(row);
    }
    values
}

/// Who is known by what, while a set of orders is looked up.
struct Known {
    by_external_id: HashMap<String, CustomerId>,
    by_email: HashMap<String, CustomerId>,
}

impl Known {
    fn load(tx: &mut Tx<'_>, source: &str, wanted: &[CustomerRef<'_>]) -> Result<Self> {
        let pair = |row: &Row<'_>| Ok((row.get(0)?, CustomerId::from_ledger(row.get(1)?)));
        let external_ids = distinct(wanted.iter().filter_map(|c| c.external_id.map(ExternalId::as_str)));
        let by_external_id: HashMap<String, CustomerId> = tx
            .query_in(
                "SELECT external_id, id FROM customers WHERE source = ? AND external_id IN ({in})",
                &[source.into()],
                &external_ids,
                pair,
            )?
            .into_iter()
            .collect();
        // Whose id is known needs no e-mail to be found by, and gets none.
        let is_known = |id: &ExternalId| by_external_id.contains_key(id.as_str());
        let unknown = wanted.iter().filter(|c| !c.external_id.is_some_and(is_known));
        let emails = distinct(unknown.filter_map(|c| c.email.map(Email::as_str)));
        let by_email = tx
            .query_in("SELECT email, id FROM customers WHERE email IN ({in})", &[], &emails, pair)?
            .into_iter()
            .collect();
        Ok(Known { by_external_id, by_email })
    }

    fn find(&self, customer: &CustomerRef<'_>) -> Option<CustomerId> {
        let by_external_id = customer.external_id.and_then(|id| self.by_external_id.get(id.as_str()));
        let by_email = || customer.email.and_then(|email| self.by_email.get(email.as_str()));
        by_external_id.or_else(by_email).copied()
    }

    fn is_free(&self, email: &Email) -> bool {
        !self.by_email.contains_key(email.as_str())
    }

    fn add(&mut self, customer: &CustomerRef<'_>, id: CustomerId) {
        if let Some(external_id) = customer.external_id {
            self.by_external_id.insert(external_id.as_str().to_owned(), id);
        }
        if let Some(email) = customer.email {
            self.by_email.entry(email.as_str().to_owned()).or_insert(id);
        }
    }
}

/// Sorted, so that locks are taken in one order, and without repetition.
pub(crate) fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Value<'a>> {
    let mut texts: Vec<&str> = texts.collect();
    texts.sort_unstable();
    texts.dedup();
    texts.into_iter().map(Value::from).collect()
}

/// The customers with these ids, in no order.
pub fn list(tx: &mut Tx<'_>, ids: &[CustomerId]) -> Result<Vec<Customer>> {
    let sql = format!("{SELECTED} WHERE id IN ({{in}})");
    Ok(tx.query_in(&sql, &[], &rows::keys(ids.iter().copied()), read)?)
}

const SELECTED: &str = "SELECT id, source, external_id, email, name FROM customers";

fn read(row: &Row<'_>) -> sql::Result<Customer> {
    Ok(Customer {
        id: CustomerId::from_ledger(row.get(0)?),
        source: row.get(1)?,
        external_id: row.get(2)?,
        email: row.get(3)?,
        name: row.get(4)?,
    })
}

/// Customers that one text finds.
const FOUND_AT_MOST: u32 = 1_000;

/// Customers, newest first, before `before`. With a text only those whose e-mail or id in their source begins with it;
/// where too many do, those where it is equal.
pub fn search(
    tx: &mut Tx<'_>,
    text: Option<&str>,
    before: Option<CustomerId>,
    limit: u32,
) -> Result<Part<Customer, CustomerId>> {
    let before = before.map_or(i64::MAX, CustomerId::get);
    let Some(text) = text else {
        let sql = format!("{SELECTED} WHERE id < ? ORDER BY id DESC LIMIT ?");
        return Ok(first(tx.query(&sql, &[before.into(), (limit + 1).into()], read)?, limit));
    };
    let Named { mut ids, is_cut } = meant(tx, None, text, FOUND_AT_MOST)?;
    if ids.is_empty() && is_cut {
        return Err(Error::TooBroad(format!(
            "more than {FOUND_AT_MOST} customers fit `{text}`; write more of it"
        )));
    }
    ids.retain(|id| *id < before);
    ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
    ids.dedup();
    ids.truncate(limit as usize + 1);
    let ids: Vec<CustomerId> = ids.into_iter().map(CustomerId::from_ledger).collect();
    let mut found = list(tx, &ids)?;
    found.sort_unstable_by_key(|customer| std::cmp::Reverse(customer.id));
    Ok(first(found, limit))
}

/// The first `limit` of customers that are one more where there is a next page.
fn first(mut rows: Vec<Customer>, limit: u32) -> Part<Customer, CustomerId> {
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| has_more).map(|customer| customer.id);
    Part { rows, next }
}

/// The customers that a person means by a text.
pub(crate) fn meant(tx: &mut Tx<'_>, source: Option<&str>, text: &str, at_most: u32) -> Result<Named> {
    let by_email = named(tx, ("customers", "email"), None, &text.to_lowercase(), at_most)?;
    let mut found = named_in_sources(tx, "customers", source, text, at_most)?;
    found.add(by_email);
    Ok(found)
}

/// The customer with this id.
pub fn get(tx: &mut Tx<'_>, id: CustomerId) -> Result<Customer> {
    list(tx, &[id])?.pop().ok_or_else(|| Error::missing("customer", id))
}
