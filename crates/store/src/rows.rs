//! Reading the ledger's own values back: codes, currencies, ids.

use std::collections::HashSet;
use std::hash::Hash;

use domain::{Currency, Email};
use sql::{Row, Tx, Update, Value};

fn unreadable(column: usize, expected: &'static str, found: impl ToString) -> sql::Error {
    sql::Error::Column { column, expected, found: found.to_string() }
}

/// The variant whose code stands at `column`.
pub(crate) fn code<T>(
    row: &Row<'_>,
    column: usize,
    expected: &'static str,
    from_code: impl Fn(i64) -> Option<T>,
) -> sql::Result<T> {
    let code = row.get::<i64>(column)?;
    from_code(code).ok_or_else(|| unreadable(column, expected, code))
}

/// The variant whose code stands at `column`, or none.
pub(crate) fn code_opt<T>(
    row: &Row<'_>,
    column: usize,
    expected: &'static str,
    from_code: impl Fn(i64) -> Option<T>,
) -> sql::Result<Option<T>> {
    row.get::<Option<i64>>(column)?
        .map(|code| from_code(code).ok_or_else(|| unreadable(column, expected, code)))
        .transpose()
}

/// The currency whose code stands at `column`.
pub(crate) fn currency(row: &Row<'_>, column: usize) -> sql::Result<Currency> {
    let text = row.text(column)?;
    Currency::parse(text).map_err(|_| unreadable(column, "a currency code", text))
}

/// The e-mail that stands at `column`.
pub(crate) fn email(row: &Row<'_>, column: usize) -> sql::Result<Email> {
    let text = row.text(column)?;
    Email::parse(text).map_err(|_| unreadable(column, "an e-mail", text))
}

/// Ids as the keys of a bound list.
pub(crate) fn keys<T: Copy + Into<i64>>(ids: impl IntoIterator<Item = T>) -> Vec<Value<'static>> {
    ids.into_iter().map(|id| Value::Int(id.into())).collect()
}

/// Values of rows to be changed, `width` for each, in sets: none names a row twice, so that whoever changes one set after the
/// other finds what came before. `keys` names the row that each `width` values are for.
pub(crate) fn in_turns<'v, K: Copy + Eq + Hash>(
    keys: impl Iterator<Item = K>,
    values: &'v [Value<'v>],
    width: usize,
) -> Vec<&'v [Value<'v>]> {
    let (mut sets, mut start, mut named) = (Vec::new(), 0, HashSet::new());
    for (index, key) in keys.enumerate() {
        if !named.insert(key) {
            sets.push(&values[start * width..index * width]);
            start = index;
            named.clear();
            named.insert(key);
        }
    }
    sets.push(&values[start * width..]);
    sets
}

/// Changes rows, of which one may be changed several times.
pub(crate) fn update_in_turns<K: Copy + Eq + Hash>(
    tx: &mut Tx<'_>,
    update: &Update<'_>,
    keys: impl Iterator<Item = K>,
    values: &[Value<'_>],
) -> sql::Result<()> {
    in_turns(keys, values, update.columns.len()).into_iter().try_for_each(|set| tx.update_rows(update, set))
}
