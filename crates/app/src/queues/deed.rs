use queue::{Selection, State};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Actor, App, Result, access};

/// What can be done to jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Run them once more.
    Retry,
    /// Call them off.
    Cancel,
    /// Delete them with their errors.
    Delete,
}

impl Deed {
    /// All of them.
    pub const ALL: [Deed; 3] = [Deed::Retry, Deed::Cancel, Deed::Delete];

    /// Its word in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Deed::Retry => "retry",
            Deed::Cancel => "cancel",
            Deed::Delete => "delete",
        }
    }

    /// Whether a job in this state lets it be done.
    pub const fn fits(self, state: State) -> bool {
        match self {
            Deed::Retry => !matches!(state, State::Available | State::Executing),
            Deed::Cancel => !state.has_ended(),
            Deed::Delete => !matches!(state, State::Executing),
        }
    }

    /// Its word in the operators' log.
    const fn kind(self) -> &'static str {
        match self {
            Deed::Retry => "retry_jobs",
            Deed::Cancel => "cancel_jobs",
            Deed::Delete => "delete_jobs",
        }
    }
}

/// Does something to jobs, a bounded piece at a time. Returns how many it was done to: none of those whose state does not
/// allow it.
pub async fn change(app: &App, who: &Actor, deed: Deed, jobs: Selection) -> Result<usize> {
    let (subject, about) = match &jobs {
        Selection::Ids(ids) if ids.len() == 1 => (format!("job {}", ids[0]), None),
        Selection::Ids(ids) => (format!("{} jobs", ids.len()), Some(json!({ "ids": ids }))),
        Selection::Matching(filter) => ("jobs".to_owned(), Some(json!({ "filter": filter }))),
    };
    access::record(app, who, deed.kind(), &subject, about).await?;
    let queue = app.queue();
    Ok(match deed {
        Deed::Retry => queue.retry(jobs).await?,
        Deed::Cancel => queue.cancel(jobs, "called off by an operator").await?,
        Deed::Delete => queue.forget(jobs).await?,
    })
}
