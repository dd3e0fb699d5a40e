use std::ops::ControlFlow;

use mysql::consts::ColumnType;
use mysql::prelude::Queryable;
use mysql::{Conn, Error as Fault, Params, Value as Wire};

use super::connect::Connector;
use super::literals::{write_literal, write_row, write_values};
use super::reserving::Reserver;
use super::rows::{Form, PICKED, Place, Rows, sets};
use crate::dialect::{Server, replace_new};
use crate::engine::{Answer, Engine};
use crate::ids::Wanted;
use crate::row::Row;
use crate::tx::{Conflict, Insert, Update};
use crate::value::ValueRef;
use crate::{Dialect, Error, Result, Value};

/// Statements on a connection. Single ones are prepared and kept, and so are those for a fixed number of rows, of which a large
/// set is made: a server reads a text with the values written out in twice the time that it takes to write the rows. What is
/// left of a set, and a small one, goes as such a text all the same, because a round trip for each row would cost more. Texts
/// of which nobody asks for an answer wait for the next one, or the next statement.
pub(super) struct Statements<'c> {
    connection: &'c mut Conn,
    connector: &'c Connector,
    reserver: &'c Reserver,
    dialect: Dialect,
    waiting: Waiting,
    /// Whether a statement was sent, which opens the transaction.
    has_begun: bool,
}

/// Statements that are not sent yet.
#[derive(Default)]
struct Waiting {
    text: String,
    /// How each of them begins, to name it by.
    heads: Vec<String>,
}

/// The most that is sent as one text: far below `max_allowed_packet`, large enough to make a round trip cheap.
const LONGEST_TEXT: usize = 512 * 1024;
/// Rows of one text.
const MOST_ROWS: usize = 1_000;
/// Rows of one insert that is prepared. A server keeps 300 bytes for each of its values as long as it stays so.
const BOUND_ROWS: usize = 64;
/// Rows for which binding the values of a change is worth a round trip.
const WORTH_BINDING: usize = 8;
/// Rows that MySQL joins in one statement: it takes each for a query of its own while it reads the text.
const MOST_QUERIES: usize = 250;

/// How a text is sent, with what it is named by; returns the rows matched, where it was sent at once.
type Sending<'c> = fn(&mut Statements<'c>, &str, &str) -> Result<u64>;

impl<'c> Statements<'c> {
    pub(super) fn new(
        connection: &'c mut Conn,
        connector: &'c Connector,
        reserver: &'c Reserver,
        dialect: Dialect,
    ) -> Self {
        Statements { connection, connector, reserver, dialect, waiting: Waiting::default(), has_begun: false }
    }

    fn failed(&self, sql: &str) -> impl Fn(Fault) -> Error + use<'_> {
        let (connector, sql) = (self.connector, sql.to_owned());
        move |fault| connector.error(&fault, &sql)
    }

    /// Sends rows in sets by `send`: what stands before them, between them and after them, how many at most, and how one is
    /// written. Returns the rows matched in all.
    fn send_sets(
        &mut self,
        (head, between, tail): (&str, &str, &str),
        most: usize,
        (values, width): (&[Value<'_>], usize),
        write: impl Fn(&mut String, &[Value<'_>]),
        send: Sending<'c>,
    ) -> Result<u64> {
        let (mut text, mut rows, mut matched) = (String::new(), 0, 0);
        for row in values.chunks_exact(width) {
            text.push_str(if rows == 0 { head } else { between });
            write(&mut text, row);
            rows += 1;
            if rows == most || text.len() > LONGEST_TEXT {
                text.push_str(tail);
                matched += send(self, head, &text)?;
                text.clear();
                rows = 0;
            }
        }
        if rows > 0 {
            text.push_str(tail);
            matched += send(self, head, &text)?;
        }
        Ok(matched)
    }

    /// Sends statements that change the rows of a table that rows of values are for. `words` are what stands before and
    /// after those, or the condition.
    ///
    /// What all rows share is written once. A table is joined to the rest only where there is no other way: a server then
    /// writes down what it has found before it changes anything, which doubles the cost of a row. The primary key is named,
    /// because without it a server reads all rows of a small table, and waits for those that others have changed.
    fn send_parts(
        &mut self,
        table: &str,
        (columns, key, only_if): (&[&str], &[&str], &str),
        (values, send): (&[Value<'_>], Sending<'c>),
        words: &dyn for<'v> Fn(&Rows<'v>, &Place<'_>, &mut Form<'v>) -> (String, String),
    ) -> Result<u64> {
        let mut matched = 0;
        let sets = sets(values, columns.len(), MOST_ROWS, LONGEST_TEXT);
        let parts = sets.flat_map(|set| Rows::new(columns, set).parts(key));
        for (place, rows) in parts.flat_map(|(place, rows)| rows.cut(place, PICKED)) {
            let is_bound = rows.picks(&place) && rows.len() >= WORTH_BINDING;
            let mut form = if is_bound { Form::Bound(Vec::new()) } else { Form::Written };
            let (before, after) = words(&rows, &place, &mut form);
            let on = rows.condition(self.dialect, table, key, only_if, &place, &mut form);
            matched += match (place, form) {
                (Place::Joined, _) => {
                    self.send_joined(&before, &rows, &format!("STRAIGHT_JOIN {table} ON {on} {after}"), send)?
                }
                (_, Form::Written) => send(self, &before, &format!("{before} WHERE {on}"))?,
                (_, Form::Bound(values)) => self.execute_behind(&format!("{before} WHERE {on}"), &values)?,
            };
        }
        Ok(matched)
    }

    /// [`execute`](Engine::execute) behind what waits.
    fn execute_behind(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.send_waiting()?;
        self.execute(sql, params)
    }

    /// Sends statements that join a table to what differs between rows: what stands before these and after them. Their
    /// columns have names of their own, so that a name alone is the table's.
    fn send_joined(&mut self, verb: &str, rows: &Rows<'_>, tail: &str, send: Sending<'c>) -> Result<u64> {
        let names: Vec<String> = rows.differing().map(|name| format!("NULL AS new_{name}")).collect();
        let names = names.join(",");
        // MySQL and MariaDB share no short way to write rows, and MySQL has none before 8.0.19.
        let (written, between, end, most) = match self.dialect {
            Dialect::Mysql(Server::MariaDb) => ("VALUES (", "),(", ")", MOST_ROWS),
            _ => ("SELECT ", " UNION ALL SELECT ", "", MOST_QUERIES),
        };
        let head = format!("{verb} (SELECT {names} WHERE 1 = 0 UNION ALL {written}");
        let tail = format!("{end}) AS new_rows {tail}");
        let write = |text: &mut String, row: &[Value<'_>]| write_values(text, rows.differing_of(row));
        self.send_sets((&head, between, &tail), most, rows.all(), write, send)
    }

    /// Runs a text that may hold several statements, behind those that wait. Returns the rows matched by its own.
    fn send(&mut self, sql: &str, text: &str) -> Result<u64> {
        let Waiting { text: mut all, heads } = std::mem::take(&mut self.waiting);
        if !all.is_empty() && !text.is_empty() {
            all.push(';');
        }
        all.push_str(text);
        self.has_begun = true;
        let (mut done, mut matched) = (0, 0);
        let ran = run(self.connection, &all, |rows| {
            matched += if done < heads.len() { 0 } else { rows };
            done += 1;
        });
        ran.map(|()| matched)
            .map_err(|fault| self.connector.error(&fault, heads.get(done).map_or(sql, |head| head)))
    }

    /// Inserts rows with their values written out. Columns that no row has a value for are left out: a server reads each word
    /// of each row.
    fn insert_written(&mut self, insert: &Insert<'_>, values: &[Value<'_>]) -> Result<()> {
        let rows = Rows::new(insert.columns, values);
        let names_values = matches!(insert.conflict, Conflict::Update { .. });
        let columns: Vec<&str> = if names_values {
            insert.columns.to_vec()
        } else {
            rows.filled(insert.columns).copied().collect()
        };
        let head = self.dialect.insert_head(&Insert { columns: &columns, ..*insert });
        let mut tail = String::new();
        self.dialect.on_conflict(&mut tail, insert);
        let write = |text: &mut String, row: &[Value<'_>]| {
            if names_values { write_row(text, row) } else { write_row(text, rows.filled(row)) }
        };
        self.send_sets((&head, ",", &tail), MOST_ROWS, rows.all(), write, Self::wait)?;
        Ok(())
    }

    /// Keeps a statement for when the next is sent.
    fn wait(&mut self, head: &str, text: &str) -> Result<u64> {
        if self.waiting.text.len() + text.len() > LONGEST_TEXT {
            self.send_waiting()?;
        }
        if !self.waiting.text.is_empty() {
            self.waiting.text.push(';');
        }
        self.waiting.text.push_str(text);
        self.waiting.heads.push(head.to_owned());
        Ok(0)
    }
}

/// Runs a text that may hold several statements; tells of each how many rows it matched.
fn run(connection: &mut Conn, text: &str, mut matched: impl FnMut(u64)) -> std::result::Result<(), Fault> {
    let mut result = connection.query_iter(text)?;
    while let Some(set) = result.iter() {
        let rows = set.affected_rows();
        // That a later statement failed comes as its first row. None of them has any other.
        for row in set {
            row?;
        }
        matched(rows);
    }
    Ok(())
}

impl Engine for Statements<'_> {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn era(&self) -> u64 {
        self.connector.era()
    }

    fn wrote(&self) -> bool {
        self.has_begun
    }

    fn reserve_ids(&mut self, wanted: Wanted) -> Result<()> {
        self.reserver.reserve(wanted)
    }

    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.has_begun = true;
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
                matched += self.send(sql, &text)?;
                text.clear();
            }
        }
        if !text.is_empty() {
            matched += self.send(sql, &text)?;
        }
        Ok(matched)
    }

    fn insert(&mut self, insert: &Insert<'_>, values: &[Value<'_>]) -> Result<()> {
        let (dialect, width) = (self.dialect, insert.columns.len());
        let (mut rest, mut text) = (values, None);
        let is_whole = |set: &&[Value<'_>]| set.len() == BOUND_ROWS * width;
        while let Some(set) = sets(rest, width, BOUND_ROWS, LONGEST_TEXT).next().filter(is_whole) {
            self.execute_behind(text.get_or_insert_with(|| dialect.insert(insert, BOUND_ROWS)), set)?;
            rest = &rest[set.len()..];
        }
        sets(rest, width, MOST_ROWS, LONGEST_TEXT).try_for_each(|set| self.insert_written(insert, set))
    }

    fn send_waiting(&mut self) -> Result<()> {
        if self.waiting.heads.is_empty() { Ok(()) } else { self.send("", "").map(drop) }
    }

    fn update(&mut self, update: &Update<'_>, values: &[Value<'_>], answer: Answer) -> Result<u64> {
        let Update { table, columns, key, only_if, set } = *update;
        let set = set.join(", ");
        let send = match answer {
            Answer::Wanted => Statements::send,
            Answer::Unasked => Statements::wait,
        };
        self.send_parts(table, (columns, key, only_if), (values, send), &|rows, place, form| {
            let set = replace_new(&set, |column| rows.value(table, column, place, form));
            match place {
                Place::Joined => ("UPDATE".to_owned(), format!("SET {set}")),
                _ => (format!("UPDATE {table} FORCE INDEX (PRIMARY) SET {set}"), String::new()),
            }
        })
    }

    fn delete(&mut self, table: &str, key: &[&str], values: &[Value<'_>]) -> Result<()> {
        let words = |_: &Rows<'_>, place: &Place<'_>, _: &mut Form<'_>| match place {
            Place::Joined => (format!("DELETE {table} FROM"), String::new()),
            _ => (format!("DELETE {table} FROM {table} FORCE INDEX (PRIMARY)"), String::new()),
        };
        self.send_parts(table, (key, key, ""), (values, Statements::wait), &words).map(drop)
    }

    fn for_each(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        row: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        self.has_begun = true;
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
