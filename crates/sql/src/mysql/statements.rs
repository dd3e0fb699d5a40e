use std::fmt::Write as _;
use std::ops::ControlFlow;

use mysql::consts::ColumnType;
use mysql::prelude::Queryable;
use mysql::{Conn, Error as Fault, Params, Value as Wire};

use super::connect::Connector;
use crate::dialect::{Server, replace_new};
use crate::tx::{Engine, Insert, Row, Update};
use crate::value::ValueRef;
use crate::{Dialect, Error, Result, Value};

/// Statements on a connection. Single ones are prepared and kept. Sets go as one text with the values written out,
/// because a round trip for each row would cost more than reading it.
pub(super) struct Statements<'c> {
    pub(super) connection: &'c mut Conn,
    pub(super) connector: &'c Connector,
    pub(super) dialect: Dialect,
}

/// The most that is sent as one text: far below `max_allowed_packet`, large enough to make a round trip cheap.
const LONGEST_TEXT: usize = 512 * 1024;
/// Rows of one statement.
const MOST_ROWS: usize = 1_000;
/// Rows that MySQL joins in one statement: it takes each for a query of its own while it reads the text.
const MOST_QUERIES: usize = 250;

impl Statements<'_> {
    fn failed(&self, sql: &str) -> impl Fn(Fault) -> Error + use<'_> {
        let (connector, sql) = (self.connector, sql.to_owned());
        move |fault| connector.error(&fault, &sql)
    }

    /// Sends rows in sets: what stands before them, between them and after them, how many at most, and how one is
    /// written. Returns the rows matched in all.
    fn send_sets(
        &mut self,
        (head, between, tail): (&str, &str, &str),
        most: usize,
        values: &[Value<'_>],
        width: usize,
        write: fn(&mut String, &[Value<'_>]),
    ) -> Result<u64> {
        let (mut text, mut rows, mut matched) = (String::new(), 0, 0);
        for row in values.chunks_exact(width) {
            text.push_str(if rows == 0 { head } else { between });
            write(&mut text, row);
            rows += 1;
            if rows == most || text.len() > LONGEST_TEXT {
                text.push_str(tail);
                matched += self.send(&text).map_err(self.failed(head))?;
                text.clear();
                rows = 0;
            }
        }
        if rows > 0 {
            text.push_str(tail);
            matched += self.send(&text).map_err(self.failed(head))?;
        }
        Ok(matched)
    }

    /// Sends statements that join a table to rows of values: what stands before these and after them. Their columns have
    /// names of their own, so that a name alone is the table's.
    fn send_joined(&mut self, verb: &str, columns: &[&str], tail: &str, values: &[Value<'_>]) -> Result<u64> {
        let names: Vec<String> = columns.iter().map(|name| format!("NULL AS new_{name}")).collect();
        let names = names.join(",");
        // MySQL and MariaDB share no short way to write rows, and MySQL has none before 8.0.19.
        let (rows, between, end, most) = match self.dialect {
            Dialect::Mysql(Server::MariaDb) => ("VALUES (", "),(", ")", MOST_ROWS),
            _ => ("SELECT ", " UNION ALL SELECT ", "", MOST_QUERIES),
        };
        let head = format!("{verb} (SELECT {names} WHERE 1 = 0 UNION ALL {rows}");
        let tail = format!("{end}) AS new_rows {tail}");
        self.send_sets((&head, between, &tail), most, values, columns.len(), write_values)
    }

    /// Runs a text that may hold several statements; returns the rows matched in all.
    fn send(&mut self, text: &str) -> std::result::Result<u64, Fault> {
        let mut result = self.connection.query_iter(text)?;
        let mut matched = 0;
        while let Some(set) = result.iter() {
            matched += set.affected_rows();
            set.for_each(drop);
        }
        Ok(matched)
    }
}

impl Engine for Statements<'_> {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn wrote(&self) -> bool {
        true
    }

    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        let done = self.connection.exec_drop(sql, wire(params));
        done.map(|()| self.connection.affected_rows()).map_err(self.failed(sql))
    }

    fn execute_each(&mut self, sql: &str, width: usize, values: &[Value<'_>]) -> Result<u64> {
        let pieces: Vec<&str> = sql.split('?').collect();
        debug_assert_eq!(pieces.len(), width + 1, "{sql}");
        let (mut text, mut matched) = (String::new(), 0);
        for row in values.chunks_exact(width) {
            if !text.is_empty() {
                text.push(';');
            }
            text.push_str(pieces[0]);
            for (value, piece) in row.iter().zip(&pieces[1..]) {
                write_literal(&mut text, value);
                text.push_str(piece);
            }
            if text.len() > LONGEST_TEXT {
                matched += self.send(&text).map_err(self.failed(sql))?;
                text.clear();
            }
        }
        if !text.is_empty() {
            matched += self.send(&text).map_err(self.failed(sql))?;
        }
        Ok(matched)
    }

    fn insert(&mut self, insert: &Insert<'_>, values: &[Value<'_>]) -> Result<()> {
        let head = self.dialect.insert_head(insert);
        let mut tail = String::new();
        self.dialect.on_conflict(&mut tail, insert);
        self.send_sets((&head, ",", &tail), MOST_ROWS, values, insert.columns.len(), write_row)?;
        Ok(())
    }

    /// Joins the table to the new values.
    fn update(&mut self, update: &Update<'_>, values: &[Value<'_>]) -> Result<u64> {
        let Update { table, columns, key, only_if, set } = update;
        let set = replace_new(&set.join(", "), |column| format!("new_rows.new_{column}"));
        let on = matching(table, key, only_if);
        self.send_joined("UPDATE", columns, &format!("STRAIGHT_JOIN {table} ON {on} SET {set}"), values)
    }

    /// Joins the table to the keys. Of a small table, a list of them would have the server read all rows, and wait for
    /// those that others have changed.
    fn delete(&mut self, table: &str, key: &[&str], values: &[Value<'_>]) -> Result<u64> {
        let joined = format!("STRAIGHT_JOIN {table} ON {}", matching(table, key, ""));
        self.send_joined(&format!("DELETE {table} FROM"), key, &joined, values)
    }

    fn for_each(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        row: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let failed = self.connector;
        let failed = |fault: Fault| failed.error(&fault, sql);
        let found = self.connection.exec_iter(sql, wire(params)).map_err(failed)?;
        for one in found {
            let one = one.map_err(failed)?;
            if row(&Row::of_mysql(&one))?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// The condition under which a row of the table is the one that a row of values is for.
fn matching(table: &str, key: &[&str], only_if: &str) -> String {
    let mut on: Vec<String> =
        key.iter().map(|name| format!("{table}.{name} = new_rows.new_{name}")).collect();
    on.extend((!only_if.is_empty()).then(|| only_if.to_owned()));
    on.join(" AND ")
}

fn wire(params: &[Value<'_>]) -> Params {
    if params.is_empty() {
        return Params::Empty;
    }
    let one = |value: &Value<'_>| match value {
        Value::Null => Wire::NULL,
        Value::Int(value) => Wire::Int(*value),
        Value::Text(text) => Wire::Bytes(text.as_bytes().to_vec()),
        Value::Blob(bytes) => Wire::Bytes(bytes.to_vec()),
    };
    Params::Positional(params.iter().map(one).collect())
}

fn write_row(text: &mut String, row: &[Value<'_>]) {
    text.push('(');
    write_values(text, row);
    text.push(')');
}

fn write_values(text: &mut String, row: &[Value<'_>]) {
    for (index, value) in row.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_literal(text, value);
    }
}

/// Writes a value as the server reads it back. The session's `sql_mode` leaves the backslash its meaning.
fn write_literal(text: &mut String, value: &Value<'_>) {
    match value {
        Value::Null => text.push_str("NULL"),
        Value::Int(value) => {
            let _ = write!(text, "{value}");
        }
        Value::Text(value) => {
            text.push('\'');
            for letter in value.chars() {
                match letter {
                    '\'' => text.push_str("''"),
                    '\\' => text.push_str("\\\\"),
                    '\0' => text.push_str("\\0"),
                    other => text.push(other),
                }
            }
            text.push('\'');
        }
        Value::Blob(bytes) => {
            text.reserve(bytes.len() * 2 + 3);
            text.push_str("X'");
            for byte in bytes.iter() {
                let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value)]);
                text.push(digit(byte >> 4));
                text.push(digit(byte & 15));
            }
            text.push('\'');
        }
    }
}

/// The character set of bytes that are no text.
const BINARY: u16 = 63;

/// The value at `column` of a row. Sums come as decimals, and are whole.
pub(crate) fn value(row: &mysql::Row, column: usize) -> Result<ValueRef<'_>> {
    let missing = || Error::Column { column, expected: "a column", found: "no such column".to_owned() };
    let (found, about) = row.as_ref(column).zip(row.columns_ref().get(column)).ok_or_else(missing)?;
    let unreadable = |found: String| Error::Column { column, expected: "a whole number", found };
    Ok(match found {
        Wire::NULL => ValueRef::Null,
        Wire::Int(value) => ValueRef::Int(*value),
        Wire::UInt(value) => ValueRef::Int(i64::try_from(*value).map_err(|_| unreadable(value.to_string()))?),
        Wire::Float(value) => ValueRef::Real(f64::from(*value)),
        Wire::Double(value) => ValueRef::Real(*value),
        Wire::Bytes(bytes) => match about.column_type() {
            ColumnType::MYSQL_TYPE_NEWDECIMAL | ColumnType::MYSQL_TYPE_DECIMAL => {
                let text = String::from_utf8_lossy(bytes);
                ValueRef::Int(text.parse().map_err(|_| unreadable(text.into_owned()))?)
            }
            _ if about.character_set() == BINARY => ValueRef::Blob(bytes),
            _ => ValueRef::Text(bytes),
        },
        other => return Err(unreadable(format!("{other:?}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_text_holds_stays_inside_its_quotes() {
        let mut text = String::new();
        write_row(
            &mut text,
            &[Value::from("o'hara\\\0?;"), Value::Null, Value::Int(-5), vec![0, 255].into()],
        );
        assert_eq!(text, "('o''hara\\\\\\0?;',NULL,-5,X'00FF')");
    }
}
