use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::status::SupervisorId;
use crate::handler::Registry;
use crate::run::{Watch, run_claim};
use crate::{Queue, Result, State};

/// Runs, here and one batch at a time, every job that is available or due by the engine's clock, and those that they
/// push, until none is left. Returns how many runs there were. Nothing else happens in the background, so a test
/// that moves its own clock knows what has been done.
pub async fn drain(queue: &Queue, registry: &Registry) -> Result<usize> {
    let stopping = CancellationToken::new();
    let mut ran = 0;
    loop {
        while queue.promote(queue.settings().step).await? > 0 {}
        let mut had = 0;
        for depth in queue.depths(Some(1)).await? {
            if depth.paused || depth.count(State::Available) == 0 {
                continue;
            }
            let name: Arc<str> = Arc::from(depth.queue);
            let lease = queue.settings().lease;
            let jobs = queue.claim(&name, registry.largest_batch(), NOBODY, lease).await?;
            had += run_claim(queue, registry, jobs, &stopping, &Unwatched).await;
        }
        if had == 0 {
            return Ok(ran);
        }
        ran += had;
    }
}

/// No supervisor has this id.
const NOBODY: SupervisorId = SupervisorId(0);

struct Unwatched;

impl Watch for Unwatched {
    fn begins(&self, _: &Arc<str>, _: usize) {}
}
