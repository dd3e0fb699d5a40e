use jiff::Timestamp;

use crate::{Dialect, Error, Result, Tx};

/// The schema history of one crate.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// Its name in `schema_history`.
    pub history: &'static str,
    /// The steps, in the order of their versions.
    pub steps: &'static [Migration],
}

/// One step of a schema history. Never changed once released: the checksum is kept.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// From 1, without gaps.
    pub version: u32,
    /// What it does, in snake case.
    pub name: &'static str,
    /// Statements, each ended by `;` at the end of a line. Types are tokens: `{id} {int} {text} {key} {blob}`, and
    /// `{clustered}` after a table whose rows live in its composite primary key.
    pub sql: &'static str,
    /// Passages that MySQL wants said otherwise, each with what it is to be.
    pub on_mysql: &'static [(&'static str, &'static str)],
}

impl Migration {
    /// A step that is the same on every engine.
    pub const fn new(version: u32, name: &'static str, sql: &'static str) -> Self {
        Migration { version, name, sql, on_mysql: &[] }
    }

    fn statements(&self, dialect: Dialect) -> Vec<String> {
        let mut sql = self.sql.to_owned();
        if let Dialect::Mysql(_) = dialect {
            for (passage, other) in self.on_mysql {
                sql = sql.replace(passage, other);
            }
        }
        sql.split(";\n")
            .map(|statement| statement.trim().trim_end_matches(';'))
            .filter(|statement| !statement.is_empty())
            .map(|statement| dialect.translate_ddl(statement))
            .collect()
    }
}

/// The lock that keeps a second process waiting while one migrates. SQLite's writer holds the whole database already;
/// on MySQL each change of the schema commits by itself, so a lock of the connection is held over all of them.
pub(crate) fn one_at_a_time<T>(tx: &mut Tx<'_>, f: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    if tx.dialect() == Dialect::Sqlite {
        return f(tx);
    }
    let name = "CONCAT('ordermill ', CRC32(DATABASE()))";
    // A run that gave way to another could not give it back, and locks of one name are counted.
    tx.query_one("SELECT RELEASE_ALL_LOCKS()", &[], |_| Ok(()))?;
    let held = tx.query_one(&format!("SELECT GET_LOCK({name}, {LOCK_SECONDS})"), &[], |row| {
        row.get::<Option<i64>>(0)
    })?;
    if held != Some(1) {
        return Err(Error::Busy { waited_secs: LOCK_SECONDS });
    }
    let done = f(tx);
    // A connection that is lost gives its lock back by itself.
    let released = tx.query_one(&format!("SELECT RELEASE_LOCK({name})"), &[], |_| Ok(()));
    let done = done?;
    released.map(|()| done)
}

const LOCK_SECONDS: u64 = 60;

/// What this crate itself keeps in a database: id sequences.
pub(crate) const OWN: Migrations = Migrations {
    history: "sql",
    steps: &[Migration::new(
        1,
        "id_sequences",
        "CREATE TABLE id_sequences (name {key} NOT NULL PRIMARY KEY, next {int} NOT NULL) {clustered};\n",
    )],
};

const HISTORY_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_history (
  history {key} NOT NULL, version {int} NOT NULL, name {text} NOT NULL, checksum {int} NOT NULL,
  applied_at {int} NOT NULL, PRIMARY KEY (history, version)) {clustered}";

impl Migrations {
    /// Applies the steps that are missing; returns their names. Runs inside one transaction where the engine can.
    pub(crate) fn apply(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<String>> {
        let dialect = tx.dialect();
        tx.execute(&dialect.translate_ddl(HISTORY_TABLE), &[])?;
        let mut applied = Vec::new();
        for step in self.missing(tx)? {
            for statement in step.statements(dialect) {
                change_schema(tx, &statement)?;
            }
            tx.execute(
                "INSERT INTO schema_history (history, version, name, checksum, applied_at) VALUES (?, ?, ?, ?, ?)",
                &[
                    self.history.into(),
                    step.version.into(),
                    step.name.into(),
                    checksum(step.sql).into(),
                    now.into(),
                ],
            )?;
            applied.push(format!("{}/{:03}_{}", self.history, step.version, step.name));
        }
        Ok(applied)
    }

    /// The steps that the database lacks. Fails when it holds a step that this program does not know, or knows
    /// otherwise.
    pub(crate) fn missing(&self, tx: &mut Tx<'_>) -> Result<Vec<&'static Migration>> {
        let known = tx.query(
            "SELECT version, checksum FROM schema_history WHERE history = ? ORDER BY version",
            &[self.history.into()],
            |row| Ok((row.get::<u32>(0)?, row.get::<i64>(1)?)),
        )?;
        for (version, sum) in &known {
            let step = self.steps.iter().find(|step| step.version == *version).ok_or_else(|| {
                Error::Schema(format!(
                    "the database has schema step {}/{version}, which this program does not know; run the newer \
                     version that made it",
                    self.history
                ))
            })?;
            if checksum(step.sql) != *sum {
                return Err(Error::Schema(format!(
                    "schema step {}/{version} in the database is not the one in this program",
                    self.history
                )));
            }
        }
        Ok(self
            .steps
            .iter()
            .filter(|step| known.iter().all(|(version, _)| *version != step.version))
            .collect())
    }
}

/// Changes the schema. MySQL cannot undo that: a step that was interrupted before goes on where it stopped, so what is
/// there already is as it should be.
fn change_schema(tx: &mut Tx<'_>, statement: &str) -> Result<()> {
    match tx.execute(statement, &[]) {
        Err(Error::Statement { message, .. }) if is_there_already(tx.dialect(), &message) => Ok(()),
        done => done.map(drop),
    }
}

/// Codes of MySQL: a table, a column, an index of that name exists; a column or index of that name does not.
fn is_there_already(dialect: Dialect, message: &str) -> bool {
    let codes = ["(code 1050)", "(code 1060)", "(code 1061)", "(code 1091)"];
    matches!(dialect, Dialect::Mysql(_)) && codes.iter().any(|code| message.ends_with(code))
}

/// FNV-1a over the step's text, without its white space, so that reformatting is no change.
fn checksum(sql: &str) -> i64 {
    let hash = sql
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    hash.cast_signed()
}
