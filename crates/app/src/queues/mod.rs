//! Queues, jobs and supervisors as operators see and steer them. Whatever they do is in the operators' log.

mod deed;
mod monitor;
mod steer;
mod trouble;

pub use deed::{Deed, change};
pub use monitor::{COUNTED, Monitor, QueueStanding, monitor};
pub use steer::{continue_queue, continue_supervisor, pause_queue, pause_supervisor, terminate};
pub use trouble::Trouble;

use crate::jobs::QUEUES;
use crate::{App, Result};

/// The words by which the operators' log tells of queues, jobs and supervisors.
pub const ACTIONS: &[&str] = &[
    "pause_queue",
    "continue_queue",
    "retry_jobs",
    "cancel_jobs",
    "delete_jobs",
    "pause_supervisor",
    "continue_supervisor",
    "terminate_supervisor",
];

/// Every queue that there is: those of ours, and those that workers are configured for besides.
pub fn names(app: &App) -> Vec<String> {
    let mut names: Vec<String> = QUEUES.map(str::to_owned).into();
    for pool in &app.queue().settings().supervisor.pools {
        if !names.contains(&pool.queue) {
            names.push(pool.queue.clone());
        }
    }
    names
}

/// Refuses what is no queue.
pub fn check_name(app: &App, queue: &str) -> Result<()> {
    let is_known = names(app).iter().any(|name| name == queue);
    if is_known { Ok(()) } else { Err(store::Error::missing("queue", queue).into()) }
}
