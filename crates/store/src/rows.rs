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

/// Changes rows, of which one may be changed several times: what follows finds what came before. `keys` names the row that
/// each set of values is for. Returns how many matched.
pub(crate) fn update_in_turn<K: Copy + Eq + Hash>(
    tx: &mut Tx<'_>,
    update: &Update<'_>,
    keys: impl Iterator<Item = K>,
    values: &[Value<'_>],
) -> sql::Result<u64> {
    let width = update.columns.len();
    let (mut matched, mut start, mut changed) = (0, 0, HashSet::new());
    for (index, key) in keys.enumerate() {
        if !changed.insert(key) {
            matched += tx.update_rows(update, &values[start * width..index * width])?;
            start = index;
            changed.clear();
            changed.insert(key);
        }
    }
    Ok(matched + tx.update_rows(update, &values[start * width..])?)
}
