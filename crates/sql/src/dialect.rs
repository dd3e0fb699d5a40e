use std::fmt::Write as _;

use crate::tx::{Conflict, Insert};

/// The engine, and the few places where its SQL differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3.35 or later.
    Sqlite,
    /// MySQL 8.0.17 or MariaDB 10.6, or later.
    Mysql(Server),
}

/// Who speaks MySQL's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// MySQL.
    Mysql,
    /// MariaDB.
    MariaDb,
}

impl Server {
    /// The collation that tells texts apart by their bytes, also by spaces at their ends.
    pub(crate) const fn collation(self) -> &'static str {
        match self {
            Server::Mysql => "utf8mb4_0900_bin",
            Server::MariaDb => "utf8mb4_nopad_bin",
        }
    }
}

impl Dialect {
    /// The suffix that locks the rows a `SELECT` reads until the transaction ends. SQLite has one writer, who holds
    /// the whole database already.
    pub const fn for_update(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Mysql(_) => " FOR UPDATE",
        }
    }

    /// The suffix that locks the rows a `SELECT` reads and passes over those that another holds.
    pub const fn skip_locked(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Mysql(_) => " FOR UPDATE SKIP LOCKED",
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
            // InnoDB keeps every table's rows in its primary key. Two keys of 255 letters fit an index.
            Dialect::Mysql(_) => &[
                ("{id}", "BIGINT"),
                ("{int}", "BIGINT"),
                ("{text}", "MEDIUMTEXT"),
                ("{key}", "VARCHAR(255)"),
                ("{blob}", "MEDIUMBLOB"),
                ("{clustered}", ""),
            ],
        };
        let ddl = tokens.iter().fold(ddl.to_owned(), |ddl, (token, word)| ddl.replace(token, word));
        match self {
            Dialect::Mysql(server) if ddl.trim_start().starts_with("CREATE TABLE") => format!(
                "{} ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE={}",
                ddl.trim_end(),
                server.collation()
            ),
            _ => ddl,
        }
    }

    /// How an insert begins. A statement that fails undoes its own rows by itself, for which SQLite copies each page
    /// that it touches; as the whole transaction is undone then, `OR FAIL` spares that.
    const fn insert_into(self) -> &'static str {
        match self {
            Dialect::Sqlite => "INSERT OR FAIL INTO",
            Dialect::Mysql(_) => "INSERT INTO",
        }
    }

    /// What stands before the rows of a multi-row insert.
    pub(crate) fn insert_head(self, insert: &Insert<'_>) -> String {
        format!("{} {} ({}) VALUES ", self.insert_into(), insert.table, insert.columns.join(", "))
    }

    /// The text of a multi-row insert with parameters.
    pub(crate) fn insert(self, insert: &Insert<'_>, rows: usize) -> String {
        let columns = insert.columns.len();
        let mut row = String::with_capacity(columns * 2 + 2);
        for index in 0..columns {
            row.push_str(if index == 0 { "(?" } else { ",?" });
        }
        row.push(')');
        let mut text = self.insert_head(insert);
        text.reserve(rows * (row.len() + 1) + 64);
        for index in 0..rows {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&row);
        }
        self.on_conflict(&mut text, insert);
        text
    }

    /// What stands after the rows of an insert. MySQL's `INSERT IGNORE` would also pass over values that the schema
    /// refuses, so a row that is to be left alone is given the value that it has.
    pub(crate) fn on_conflict(self, text: &mut String, insert: &Insert<'_>) {
        match (self, &insert.conflict) {
            (_, Conflict::Error) => {}
            (Dialect::Sqlite, Conflict::Ignore) => text.push_str(" ON CONFLICT DO NOTHING"),
            (Dialect::Sqlite, Conflict::Update { key, set }) => {
                let set = set.join(", ").replace("new.", "excluded.");
                let _ = write!(text, " ON CONFLICT ({}) DO UPDATE SET {set}", key.join(", "));
            }
            (Dialect::Mysql(_), Conflict::Ignore) => {
                let column = insert.columns[0];
                let _ = write!(text, " ON DUPLICATE KEY UPDATE {column} = {}.{column}", insert.table);
            }
            (Dialect::Mysql(_), Conflict::Update { set, .. }) => {
                let _ = write!(text, " ON DUPLICATE KEY UPDATE {}", with_values(&set.join(", ")));
            }
        }
    }
}

/// `new.column` as `VALUES(column)`: the one form that MySQL and MariaDB share.
fn with_values(set: &str) -> String {
    replace_new(set, |column| format!("VALUES({column})"))
}

/// Assignments with something in the place of each `new.column`.
pub(crate) fn replace_new(set: &str, mut with: impl FnMut(&str) -> String) -> String {
    let mut text = String::with_capacity(set.len() + 16);
    let mut pieces = set.split("new.");
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let end = piece.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let (column, rest) = piece.split_at(end.unwrap_or(piece.len()));
        text.push_str(&with(column));
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARIADB: Dialect = Dialect::Mysql(Server::MariaDb);

    #[test]
    fn what_a_row_would_have_been_is_named_as_mysql_wants_it() {
        let set = &["net = net + new.net", "at = CASE WHEN new.at > at THEN new.at ELSE at END"];
        let conflict = Conflict::Update { key: &["id"], set };
        let insert = Insert { table: "t", columns: &["id", "net", "at"], conflict };
        assert_eq!(
            MARIADB.insert(&insert, 2),
            "INSERT INTO t (id, net, at) VALUES (?,?,?),(?,?,?) ON DUPLICATE KEY UPDATE net = net + VALUES(net), \
             at = CASE WHEN VALUES(at) > at THEN VALUES(at) ELSE at END"
        );
    }

    #[test]
    fn a_table_tells_texts_apart_by_their_bytes() {
        let ddl = MARIADB.translate_ddl("CREATE TABLE t (name {key} NOT NULL PRIMARY KEY) {clustered}");
        assert!(ddl.contains("VARCHAR(255)") && ddl.ends_with("COLLATE=utf8mb4_nopad_bin"), "{ddl}");
    }
}
