use std::time::Duration;

use domain::{ImportId, OrderId, OrderStatus};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use sql::Tx;
use store::imports::{Import, ImportStatus, Progress};

use super::plan::lanes;
use super::remove_spool;
use crate::access::record_in;
use crate::jobs::{FetchImport, Payload as _, PlanImport};
use crate::{Actor, App, Error, Result};

/// Where an import stands.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ImportView")]
pub struct Status {
    /// The import.
    #[serde(flatten)]
    pub import: Import,
    /// What became of its rows so far.
    #[serde(flatten)]
    pub progress: Progress,
    /// Rows that no chunk has reached.
    pub rows_not_reached: i64,
    /// Rows a second of the last half minute, while it runs.
    pub rows_per_second: Option<f64>,
    /// Seconds until its last row at that pace.
    pub seconds_left: Option<u64>,
}

/// How far back is looked to tell the pace of an import.
const PACE_OF: SignedDuration = SignedDuration::from_secs(30);

impl Status {
    fn of(tx: &mut Tx<'_>, import: Import, now: Timestamp) -> Result<Self> {
        let progress = store::imports::get_progress(tx, import.id)?;
        let rows_not_reached = import.rows_total - progress.counts.rows();
        let rows_per_second = pace(tx, &import, now)?;
        let seconds_left = rows_per_second
            .filter(|pace| *pace > 0.0)
            .map(|pace| (rows_not_reached.max(0) as f64 / pace).ceil() as u64);
        Ok(Status { import, progress, rows_not_reached, rows_per_second, seconds_left })
    }

    /// How much of it is done, of a hundred: of its bytes while they come, of its rows from then on.
    pub fn percent(&self) -> u8 {
        let (done, all) = match self.import.status {
            ImportStatus::Fetching => (self.import.bytes_fetched, self.import.file_bytes),
            _ => (self.progress.counts.rows(), self.import.rows_total),
        };
        let share = done.max(0).saturating_mul(100).checked_div(all).unwrap_or_default();
        u8::try_from(share.min(100)).unwrap_or_default()
    }
}

fn pace(tx: &mut Tx<'_>, import: &Import, now: Timestamp) -> Result<Option<f64>> {
    let (ImportStatus::Running, Some(started_at)) = (import.status, import.started_at) else {
        return Ok(None);
    };
    let since = started_at.max(now.saturating_sub(PACE_OF).unwrap_or(started_at));
    let seconds = now.duration_since(since).as_secs_f64();
    if seconds <= 0.0 {
        return Ok(None);
    }
    let rows = store::imports::rows_done_since(tx, import.id, since)?;
    Ok(Some(rows as f64 / seconds))
}

/// Where an import stands.
pub async fn status(app: &App, id: ImportId) -> Result<Status> {
    let now = app.now();
    app.read("import_status", move |tx| {
        let import = store::imports::get(tx, id)?;
        Status::of(tx, import, now)
    })
    .await
}

/// Where imports stand, newest first; only those before `before`, where it is told.
pub async fn list(app: &App, before: Option<ImportId>, limit: u32) -> Result<Vec<Status>> {
    let now = app.now();
    app.read("list_imports", move |tx| {
        let imports = store::imports::list_newest(tx, before, limit)?;
        imports.into_iter().map(|import| Status::of(tx, import, now)).collect()
    })
    .await
}

/// Where the imports stand that have not ended, and the `newest` ones.
pub async fn current(app: &App, newest: u32) -> Result<Vec<Status>> {
    let now = app.now();
    app.read("current_imports", move |tx| {
        let mut imports = store::imports::list_newest(tx, None, newest)?;
        let unfinished = store::imports::list_unfinished(tx)?;
        let is_new = |import: &Import| !imports.iter().any(|other| other.id == import.id);
        let older: Vec<Import> = unfinished.into_iter().filter(is_new).collect();
        imports.extend(older);
        imports.into_iter().map(|import| Status::of(tx, import, now)).collect()
    })
    .await
}

/// Stops an import before its next chunk; those that run are finished.
pub async fn pause(app: &App, who: &Actor, id: ImportId) -> Result<()> {
    change(app, who, id, ("pause", "import_paused"), ImportStatus::can_pause, ImportStatus::Paused).await
}

/// Ends an import before its next chunk. What was imported stays.
pub async fn cancel(app: &App, who: &Actor, id: ImportId) -> Result<()> {
    let to = ImportStatus::Cancelled;
    change(app, who, id, ("cancel", "import_cancelled"), ImportStatus::can_cancel, to).await?;
    remove_spool(app, id).await
}

async fn change(
    app: &App,
    who: &Actor,
    id: ImportId,
    (action, kind): (&'static str, &'static str),
    can: fn(ImportStatus) -> bool,
    to: ImportStatus,
) -> Result<()> {
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("change_import", move |tx| {
        let import = store::imports::lock(tx, id)?;
        if !can(import.status) {
            let status = import.status.as_str();
            return Err(Error::WrongState(format!("cannot {action} import {id}: it is {status}")));
        }
        store::imports::mark_status(tx, id, to, None, inner.now())?;
        let stands = |status: ImportStatus| Some(json!({ "status": status.as_str() }));
        record_in(&inner, tx, &who, kind, &subject(id), (stands(import.status), stands(to)))
    })
    .await
}

/// Goes on with an import that is paused, or whose jobs were lost. Jobs that exist already do no harm: a chunk is
/// imported once.
pub async fn resume(app: &App, who: &Actor, id: ImportId) -> Result<()> {
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("resume_import", move |tx| resume_in(&inner, tx, &who, id)).await
}

/// How the operators' log names an import.
pub(super) fn subject(id: ImportId) -> String {
    format!("import {id}")
}

pub(super) fn resume_in(app: &App, tx: &mut Tx<'_>, who: &Actor, id: ImportId) -> Result<()> {
    let import = store::imports::lock(tx, id)?;
    let jobs = match import.status {
        ImportStatus::Fetching => vec![FetchImport { import: id }.job()],
        ImportStatus::Planning => vec![PlanImport { import: id }.job()],
        ImportStatus::Running | ImportStatus::Paused => {
            store::imports::mark_status(tx, id, ImportStatus::Running, None, app.now())?;
            lanes(tx, id)?
        }
        ended => {
            let status = ended.as_str();
            return Err(Error::WrongState(format!("cannot continue import {id}: it is {status}")));
        }
    };
    app.push_in(tx, jobs)?;
    let before = json!({ "status": import.status.as_str() });
    record_in(app, tx, who, "import_continued", &subject(id), (Some(before), None))
}

/// How often the ledger is looked at while orders come to rest.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Waits until no order of an import is pending or reserved.
pub async fn wait_at_rest(app: &App, id: ImportId) -> Result<()> {
    let mut after = OrderId::from_ledger(0);
    loop {
        let next = move |tx: &mut Tx<'_>| {
            let open = [OrderStatus::Pending, OrderStatus::Reserved];
            store::orders::next_of_import(tx, id, after, &open)
        };
        match app.read("orders_at_rest", next).await? {
            None => return Ok(()),
            // Those before it are at rest: the next look begins here.
            Some(open) => after = OrderId::from_ledger(open.get() - 1),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
