//! Reading the ledger's own values back: codes, currencies, ids.

use domain::Currency;
use sql::{Row, Value};

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

/// Ids as the keys of a bound list.
pub(crate) fn keys<T: Copy + Into<i64>>(ids: impl IntoIterator<Item = T>) -> Vec<Value<'static>> {
    ids.into_iter().map(|id| Value::Int(id.into())).collect()
}
