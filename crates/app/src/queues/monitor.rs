use jiff::Timestamp;
use queue::backend::Pausable;
use queue::{QueueDepth, SupervisorRecord};
use schemars::JsonSchema;
use serde::Serialize;

use super::Trouble;
use crate::{App, Result};

/// Jobs of a state that are counted; beyond it, "more" is said.
pub const COUNTED: usize = 10_000;

/// The queues, and who works on them, as they stand now.
#[derive(Debug)]
pub struct Monitor {
    /// The queues with what they hold.
    pub queues: Vec<QueueStanding>,
    /// The supervisors of all processes that were heard of lately.
    pub supervisors: Vec<SupervisorRecord>,
    /// The names of supervisors that are paused.
    pub paused_supervisors: Vec<String>,
    /// What a person should look at.
    pub troubles: Vec<Trouble>,
}

/// A queue.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QueueStanding {
    /// What it holds.
    #[serde(flatten)]
    pub depth: QueueDepth,
    /// How long the oldest job that could run has waited, in seconds.
    pub wait: Option<f64>,
}

/// How queues and workers stand.
pub async fn monitor(app: &App) -> Result<Monitor> {
    let (queue, now) = (app.queue(), app.now());
    let wait = |since: Timestamp| now.duration_since(since).as_secs_f64().max(0.0);
    let queues = queue.depths(Some(COUNTED)).await?;
    let queues: Vec<QueueStanding> = queues
        .into_iter()
        .map(|depth| QueueStanding { wait: depth.oldest_waiting.map(wait), depth })
        .collect();
    let supervisors = queue.supervisors().await?;
    let paused_supervisors = queue.paused(Pausable::Supervisor).await?;
    let troubles = Trouble::find(&queue.settings().alerts, &queues, &supervisors, &paused_supervisors);
    Ok(Monitor { queues, supervisors, paused_supervisors, troubles })
}
