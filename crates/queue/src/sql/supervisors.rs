//! Supervisors, and what is paused.

use jiff::Timestamp;
use sql::{Conflict, Insert, Row, Tx, Value};

use crate::backend::{Orders, Pausable};
use crate::supervisor::{SupervisorId, SupervisorRecord};
use crate::{Error, Result};

pub(super) const fn code(what: Pausable) -> &'static str {
    match what {
        Pausable::Queue => "queue",
        Pausable::Supervisor => "supervisor",
    }
}

pub(super) fn set_paused(
    tx: &mut Tx<'_>,
    what: Pausable,
    name: &str,
    paused: bool,
    at: Timestamp,
) -> Result<()> {
    if paused {
        let insert = Insert {
            table: "job_pauses",
            columns: &["what", "name", "paused_at"],
            conflict: Conflict::Ignore,
        };
        tx.insert_rows(&insert, &[code(what).into(), name.into(), at.into()])?;
    } else {
        let text = "DELETE FROM job_pauses WHERE what = ? AND name = ?";
        tx.execute(text, &[code(what).into(), name.into()])?;
    }
    Ok(())
}

pub(super) fn paused(tx: &mut Tx<'_>, what: &str) -> Result<Vec<String>> {
    let text = "SELECT name FROM job_pauses WHERE what = ? ORDER BY name";
    Ok(tx.query(text, &[what.into()], |row| row.get(0))?)
}

pub(super) fn register(tx: &mut Tx<'_>, record: &SupervisorRecord) -> Result<SupervisorId> {
    let id = SupervisorId(tx.next_ids("job_supervisors", 1)?.start);
    tx.execute(
        "INSERT INTO job_supervisors (id, name, host, pid, started_at, seen_at, memory_mib, pools) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        &[
            id.0.into(),
            Value::from(&record.name),
            Value::from(&record.host),
            record.pid.into(),
            record.started_at.into(),
            record.seen_at.into(),
            memory(record),
            pools(record)?.into(),
        ],
    )?;
    Ok(id)
}

pub(super) fn report(tx: &mut Tx<'_>, record: &SupervisorRecord) -> Result<()> {
    tx.execute(
        "UPDATE job_supervisors SET seen_at = ?, memory_mib = ?, pools = ? WHERE id = ?",
        &[record.seen_at.into(), memory(record), pools(record)?.into(), record.id.0.into()],
    )?;
    Ok(())
}

pub(super) fn orders(tx: &mut Tx<'_>, id: SupervisorId, name: &str) -> Result<Orders> {
    let text = "SELECT terminating FROM job_supervisors WHERE id = ?";
    let terminate = tx.query_opt(text, &[id.0.into()], |row| row.get(0))?.unwrap_or_default();
    let text = "SELECT 1 FROM job_pauses WHERE what = 'supervisor' AND name = ?";
    let paused = tx.query_opt(text, &[name.into()], |row| row.get::<i64>(0))?.is_some();
    Ok(Orders { paused, terminate })
}

fn memory(record: &SupervisorRecord) -> Value<'static> {
    record.memory_mib.and_then(|mib| i64::try_from(mib).ok()).into()
}

fn pools(record: &SupervisorRecord) -> Result<String> {
    serde_json::to_string(&record.pools).map_err(|error| corrupt(record.id.0, &error))
}

fn corrupt(id: i64, error: &serde_json::Error) -> Error {
    Error::Corrupt { what: "supervisor", id, reason: error.to_string() }
}

pub(super) fn unregister(tx: &mut Tx<'_>, id: SupervisorId) -> Result<()> {
    tx.execute("DELETE FROM job_supervisors WHERE id = ?", &[id.0.into()])?;
    Ok(())
}

pub(super) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<()> {
    tx.execute("DELETE FROM job_supervisors WHERE seen_at < ?", &[before.into()])?;
    Ok(())
}

pub(super) fn list(tx: &mut Tx<'_>, since: Timestamp) -> Result<Vec<SupervisorRecord>> {
    let rows = tx.query(
        "SELECT id, name, host, pid, started_at, seen_at, memory_mib, terminating, pools FROM job_supervisors \
         WHERE seen_at >= ? ORDER BY id",
        &[since.into()],
        |row| Ok((read(row)?, row.get::<String>(8)?)),
    )?;
    rows.into_iter()
        .map(|(record, pools)| {
            let pools = serde_json::from_str(&pools).map_err(|error| corrupt(record.id.0, &error))?;
            Ok(SupervisorRecord { pools, ..record })
        })
        .collect()
}

fn read(row: &Row<'_>) -> sql::Result<SupervisorRecord> {
    Ok(SupervisorRecord {
        id: SupervisorId(row.get(0)?),
        name: row.get(1)?,
        host: row.get(2)?,
        pid: row.get(3)?,
        started_at: row.get(4)?,
        seen_at: row.get(5)?,
        memory_mib: row.get(6)?,
        terminating: row.get(7)?,
        pools: Vec::new(),
    })
}

pub(super) fn terminate(tx: &mut Tx<'_>, name: Option<&str>) -> Result<usize> {
    let told = match name {
        Some(name) => {
            tx.execute("UPDATE job_supervisors SET terminating = 1 WHERE name = ?", &[name.into()])?
        }
        None => tx.execute("UPDATE job_supervisors SET terminating = 1", &[])?,
    };
    Ok(told as usize)
}
