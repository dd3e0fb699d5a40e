use domain::ImportId;
use sql::Tx;
use store::imports::ImportStatus;

use super::start::cannot;
use crate::{App, Result};

/// Ends an import whose chunks are all done. One that was paused or ended in the meantime is left as it is.
pub(crate) fn finish(app: &App, tx: &mut Tx<'_>, id: ImportId) -> Result<()> {
    let import = store::imports::lock(tx, id)?;
    if import.status == ImportStatus::Running && !store::imports::has_open_chunk(tx, id, 0)? {
        store::imports::mark_status(tx, id, ImportStatus::Completed, None, app.now())?;
        tx.after_commit(|| count("completed"));
    }
    Ok(())
}

/// Ends an import that cannot go on. One that was ended in the meantime is left as it is.
pub(crate) fn fail(app: &App, tx: &mut Tx<'_>, id: ImportId, reason: &str) -> Result<()> {
    let import = store::imports::lock(tx, id)?;
    if !import.status.is_final() {
        store::imports::mark_status(tx, id, ImportStatus::Failed, Some(reason), app.now())?;
        tx.after_commit(|| count("failed"));
    }
    Ok(())
}

fn count(outcome: &'static str) {
    metrics::counter!("ordermill_imports_total", "outcome" => outcome).increment(1);
}

/// Removes the decoded copy of an import that has ended. The rejects keep their rows.
pub(crate) async fn remove_spool(app: &App, id: ImportId) -> Result<()> {
    let import = app.read("get_import", move |tx| store::imports::get(tx, id)).await?;
    if !import.spooled || !import.status.is_final() {
        return Ok(());
    }
    let path = std::path::PathBuf::from(&import.path);
    match tokio::fs::remove_file(&path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(cannot("remove", &path, error)),
        _ => Ok(()),
    }
}
