use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::ImportId;
use queue::{Backoff, Batch, BoxError, Handler, Limits, Outcome};
use serde::{Deserialize, Serialize};
use sql::Tx;
use store::imports::ImportStatus;

use super::import::{give_up, has_status};
use super::outlook::{self, About, Foresight, Outlook};
use super::{Payload, land, payloads};
use crate::imports::{self, Fetched};
use crate::{App, Result};

/// Fetches the file of an import from a folder or an object store.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct FetchImport {
    /// The import.
    pub import: ImportId,
}

impl Payload for FetchImport {
    const KIND: &'static str = "fetch_import";
    const QUEUE: &'static str = "imports";
}

pub(super) struct Run(pub(super) App);

#[async_trait]
impl Handler for Run {
    fn kind(&self) -> &'static str {
        FetchImport::KIND
    }

    /// It gives its place away after some minutes by itself; then the file is read once more.
    fn limits(&self) -> Limits {
        let backoff = Backoff { longest: Duration::from_mins(10), ..Backoff::default() };
        let timeout = Duration::from_hours(1);
        Limits { attempts: imports::ATTEMPTS, batch: 1, timeout, backoff, ..Limits::default() }
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        let payload: FetchImport = payloads(batch.jobs())?.remove(0);
        let fetched = match imports::fetch_file(&self.0, batch, payload.import).await? {
            Fetched::Later(outcome) => return Ok(vec![outcome]),
            fetched => Arc::new(fetched),
        };
        let (app, came) = (self.0.clone(), Arc::clone(&fetched));
        let is_planned = Arc::new(Mutex::new(false));
        let told = Arc::clone(&is_planned);
        let effect = move |tx: &mut Tx<'_>, kept: &[usize]| -> Result<Vec<(usize, Outcome)>> {
            let planned = match &*came {
                Fetched::Arrived(import, received) if !kept.is_empty() => {
                    imports::arrive(&app, tx, import, received)?
                }
                Fetched::Failed(reason) if !kept.is_empty() => {
                    imports::fail(&app, tx, payload.import, reason)?;
                    false
                }
                _ => false,
            };
            *told.lock().unwrap_or_else(PoisonError::into_inner) = planned;
            Ok(Vec::new())
        };
        let outcomes = land(&self.0, "fetch_import", batch.jobs(), effect).await?;
        let is_planned = *is_planned.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Fetched::Arrived(_, received), false) = (&*fetched, is_planned) {
            received.remove().await?;
        }
        imports::remove_spool(&self.0, payload.import).await?;
        Ok(outcomes)
    }

    async fn give_up(&self, batch: &Batch, error: &str) -> Result<(), BoxError> {
        let FetchImport { import } = payloads(batch.jobs())?.remove(0);
        give_up(&self.0, batch, import, error, move |tx| has_status(tx, import, ImportStatus::Fetching)).await
    }
}

impl Foresight for Run {
    fn foresee(&self, tx: &mut Tx<'_>, args: &str) -> Result<Outlook> {
        let FetchImport { import: id } = outlook::read(args)?;
        let status = store::imports::get_status(tx, id)?;
        let why = "What is fetched is kept, and read on from there. The file is taken over once, in the commit that ends \
                   the job.";
        let about = vec![About::Import(id)];
        Ok(if status == ImportStatus::Fetching {
            Outlook::open(
                about,
                format!("The file of import {id} has not come whole: it would be fetched on."),
                why,
            )
        } else {
            let status = status.as_str();
            Outlook::settled(about, format!("Import {id} is {status}: nothing would be fetched."), why)
        })
    }
}
