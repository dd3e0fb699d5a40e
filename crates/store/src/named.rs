//! Finding rows by how a text of theirs begins, along the index of that text.

use sql::{Tx, Value};

use crate::Result;

/// Sources that are looked through where none is named.
const SOURCES: usize = 50;

/// Rows whose text begins with what was asked for.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) ids: Vec<i64>,
    /// Whether more begin with it than are worth a list, and `ids` are those that equal it.
    pub(crate) is_cut: bool,
}

impl Named {
    /// Adds what another text of theirs finds.
    pub(crate) fn add(&mut self, other: Named) {
        self.ids.extend(other.ids);
        self.is_cut |= other.is_cut;
    }
}

/// The statement that finds ids by the beginning of a text.
pub(crate) fn by_prefix(table: &str, column: &str, in_source: bool) -> String {
    let scope = if in_source { "source = ? AND " } else { "" };
    format!("SELECT id FROM {table} WHERE {scope}{column} >= ? AND {column} < ? LIMIT ?")
}

/// The statement that finds the source after another.
pub(crate) fn next_source(table: &str) -> String {
    format!("SELECT source FROM {table} WHERE source > ? ORDER BY source LIMIT 1")
}

/// Rows of `table` whose `column` begins with `text`; where that is more than `at_most`, those that equal it. `source`
/// narrows the choice where the index begins with it.
pub(crate) fn named(
    tx: &mut Tx<'_>,
    (table, column): (&str, &str),
    source: Option<&str>,
    text: &str,
    at_most: u32,
) -> Result<Named> {
    let id = |row: &sql::Row<'_>| row.get::<i64>(0);
    // No character sorts after this one.
    let end = format!("{text}\u{10ffff}");
    let scope: Vec<Value<'_>> = source.map(Value::from).into_iter().collect();
    let sql = by_prefix(table, column, source.is_some());
    let params = [&scope[..], &[text.into(), end.as_str().into(), (at_most + 1).into()]].concat();
    let ids = tx.query(&sql, &params, id)?;
    if ids.len() <= at_most as usize {
        return Ok(Named { ids, is_cut: false });
    }
    let scoped = if source.is_some() { "source = ? AND " } else { "" };
    let sql = format!("SELECT id FROM {table} WHERE {scoped}{column} = ?");
    Ok(Named { ids: tx.query(&sql, &[&scope[..], &[text.into()]].concat(), id)?, is_cut: true })
}

/// The same with the id that rows have in their source, within one source or all.
pub(crate) fn named_in_sources(
    tx: &mut Tx<'_>,
    table: &str,
    source: Option<&str>,
    text: &str,
    at_most: u32,
) -> Result<Named> {
    let sources = match source {
        Some(source) => vec![source.to_owned()],
        None => sources(tx, table)?,
    };
    let mut found = Named { is_cut: sources.len() > SOURCES, ..Named::default() };
    for source in sources.iter().take(SOURCES) {
        found.add(named(tx, (table, "external_id"), Some(source), text, at_most)?);
    }
    Ok(found)
}

/// The sources that rows of `table` have, one more than are looked through: a step along the index for each.
fn sources(tx: &mut Tx<'_>, table: &str) -> Result<Vec<String>> {
    let sql = next_source(table);
    let mut found: Vec<String> = Vec::new();
    while found.len() <= SOURCES {
        let after = found.last().map_or("", String::as_str);
        let Some(next) = tx.query_opt(&sql, &[after.into()], |row| row.get(0))? else { break };
        found.push(next);
    }
    Ok(found)
}
