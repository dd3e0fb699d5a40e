use std::fmt::Write as _;

use crate::tx::{Conflict, Insert};

/// The engine, and the few places where its SQL differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3.35 or later.
    Sqlite,
}

impl Dialect {
    /// The suffix that locks the rows a `SELECT` reads until the transaction ends. SQLite has one writer, who holds
    /// the whole database already.
    pub const fn for_update(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
        }
    }

    /// The suffix that locks the rows a `SELECT` reads and passes over those that another holds.
    pub const fn skip_locked(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
        }
    }

    /// Rows a multi-row statement carries at most: enough to spread its cost, few enough that its text stays small.
    pub(crate) const fn rows_per_statement(self) -> usize {
        match self {
            Dialect::Sqlite => 32,
        }
    }

    /// The engine's words for the type tokens of a migration.
    pub(crate) fn translate_ddl(self, ddl: &str) -> String {
        let tokens: &[(&str, &str)] = match self {
            Dialect::Sqlite => &[
                ("{id}", "INTEGER"),
                ("{int}", "INTEGER"),
                ("{text}", "TEXT"),
                ("{key}", "TEXT"),
                ("{blob}", "BLOB"),
                ("{clustered}", "WITHOUT ROWID"),
            ],
        };
        tokens.iter().fold(ddl.to_owned(), |ddl, (token, word)| ddl.replace(token, word))
    }

    /// How an insert begins. A statement that fails undoes its own rows by itself, for which SQLite copies each page
    /// that it touches; as the whole transaction is undone then, `OR FAIL` spares that.
    const fn insert_into(self) -> &'static str {
        match self {
            Dialect::Sqlite => "INSERT OR FAIL INTO",
        }
    }

    /// The text of a multi-row insert.
    pub(crate) fn insert(self, insert: &Insert<'_>, rows: usize) -> String {
        let Insert { table, columns, conflict } = insert;
        let mut row = String::with_capacity(columns.len() * 2 + 2);
        for index in 0..columns.len() {
            row.push_str(if index == 0 { "(?" } else { ",?" });
        }
        row.push(')');
        let mut text = format!("{} {table} ({}) VALUES ", self.insert_into(), columns.join(", "));
        text.reserve(rows * (row.len() + 1) + 64);
        for index in 0..rows {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&row);
        }
        self.on_conflict(&mut text, conflict);
        text
    }

    fn on_conflict(self, text: &mut String, conflict: &Conflict<'_>) {
        match (self, conflict) {
            (_, Conflict::Error) => {}
            (Dialect::Sqlite, Conflict::Ignore) => text.push_str(" ON CONFLICT DO NOTHING"),
            (Dialect::Sqlite, Conflict::Update { key, set }) => {
                let set = set.join(", ").replace("new.", "excluded.");
                let _ = write!(text, " ON CONFLICT ({}) DO UPDATE SET {set}", key.join(", "));
            }
        }
    }
}
