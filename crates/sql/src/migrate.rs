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
}

/// What this crate itself keeps in a database: id sequences.
pub(crate) const OWN: Migrations = Migrations {
    history: "sql",
    steps: &[Migration {
        version: 1,
        name: "id_sequences",
        sql: "CREATE TABLE id_sequences (name {key} NOT NULL PRIMARY KEY, next {int} NOT NULL) {clustered};\n",
    }],
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
            for statement in statements(dialect, step.sql) {
                tx.execute(&statement, &[])?;
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

fn statements(dialect: Dialect, sql: &str) -> Vec<String> {
    dialect
        .translate_ddl(sql)
        .split(";\n")
        .map(|statement| statement.trim().trim_end_matches(';').to_owned())
        .filter(|statement| !statement.is_empty())
        .collect()
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
