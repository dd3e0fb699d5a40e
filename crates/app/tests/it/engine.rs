//! What SQLite, MySQL and MariaDB want said in different words, where tests look behind the application or break it.

use sql::{Dialect, Server, Tx};

use crate::support::TestApp;

/// What the database does by itself, in the transaction that changes a row.
pub struct Trigger<'a> {
    pub name: &'a str,
    /// Such as `AFTER INSERT ON jobs`.
    pub event: &'a str,
    /// A condition over `NEW` and `OLD`.
    pub when: &'a str,
    /// One statement. On MySQL it cannot change the table that the event is of.
    pub does: &'a str,
}

impl TestApp {
    /// The tables there are.
    pub async fn tables(&self) -> Vec<String> {
        let sql = match self.app.database().dialect() {
            Dialect::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            }
            Dialect::Mysql(_) => {
                "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
            }
        };
        self.texts(sql).await
    }

    /// The columns of a table, in their order.
    pub async fn columns(&self, table: &str) -> Vec<String> {
        let (name, from) = self.columns_of(table);
        self.texts(format!("SELECT {name} FROM {from}")).await
    }

    /// For each column of a table what gives its value as a literal, also where there is none.
    pub async fn quoted_columns(&self, table: &str) -> Vec<String> {
        let (name, from) = self.columns_of(table);
        let quoted = match self.app.database().dialect() {
            Dialect::Sqlite => format!("'quote(' || {name} || ')'"),
            // `QUOTE` leaves bytes bytes, which no text can be joined with.
            Dialect::Mysql(_) => format!(
                "CASE WHEN data_type LIKE '%blob' THEN 'COALESCE(HEX(' || {name} || '), ''NULL'')' \
                 ELSE 'QUOTE(' || {name} || ')' END"
            ),
        };
        self.texts(format!("SELECT {quoted} FROM {from}")).await
    }

    fn columns_of(&self, table: &str) -> (&'static str, String) {
        match self.app.database().dialect() {
            Dialect::Sqlite => ("name", format!("pragma_table_info('{table}')")),
            Dialect::Mysql(_) => (
                "column_name",
                format!(
                    "information_schema.columns WHERE table_schema = DATABASE() AND table_name = '{table}' \
                     ORDER BY ordinal_position"
                ),
            ),
        }
    }

    /// The table that a job is in until it has ended.
    pub fn table_of_jobs(&self) -> &'static str {
        if self.app.redis().is_some() { "job_outbox" } else { "jobs" }
    }

    /// Whether a trigger may change the table whose change sets it off.
    pub fn triggers_change_their_own_table(&self) -> bool {
        self.app.database().dialect() == Dialect::Sqlite
    }

    /// Makes a trigger.
    pub async fn trigger(&self, Trigger { name, event, when, does }: Trigger<'_>) {
        match self.app.database().dialect() {
            Dialect::Sqlite => {
                self.execute(format!("CREATE TRIGGER {name} {event} WHEN {when} BEGIN {does}; END")).await;
            }
            Dialect::Mysql(_) => self.space().run_on_mysql(&format!(
                "CREATE TRIGGER {name} {event} FOR EACH ROW BEGIN IF {when} THEN {does}; END IF; END"
            )),
        }
    }

    /// Drops a trigger.
    pub async fn drop_trigger(&self, name: &str) {
        let drop = format!("DROP TRIGGER {name}");
        match self.app.database().dialect() {
            Dialect::Sqlite => self.execute(drop).await,
            Dialect::Mysql(_) => self.space().run_on_mysql(&drop),
        }
    }
}

/// Has the database take values that its own rules refuse, for what follows in this transaction at least.
pub fn lift_checks(tx: &mut Tx<'_>) -> sql::Result<()> {
    match tx.dialect() {
        Dialect::Sqlite => tx.execute("PRAGMA ignore_check_constraints = ON", &[])?,
        Dialect::Mysql(Server::MariaDb) => tx.execute("SET check_constraint_checks = 0", &[])?,
        Dialect::Mysql(Server::Mysql) => {
            let checks = "SELECT table_name, GROUP_CONCAT('ALTER CHECK ' || constraint_name || ' NOT ENFORCED') \
                          FROM information_schema.table_constraints WHERE constraint_schema = DATABASE() \
                          AND constraint_type = 'CHECK' AND enforced = 'YES' GROUP BY table_name";
            let alter = |row: &sql::Row<'_>| Ok(format!("ALTER TABLE {} {}", row.text(0)?, row.text(1)?));
            for alter in tx.query(checks, &[], alter)? {
                tx.execute(&alter, &[])?;
            }
            0
        }
    };
    Ok(())
}

/// The statement that drops an index.
pub fn drop_index(dialect: Dialect, table: &str, index: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("DROP INDEX {index}"),
        Dialect::Mysql(_) => format!("DROP INDEX {index} ON {table}"),
    }
}
