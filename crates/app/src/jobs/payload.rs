use std::sync::Arc;

use queue::{Job, NewJob, Outcome};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sql::Tx;

use crate::{App, Result};

/// What a job carries: ids.
pub(crate) trait Payload: Serialize + DeserializeOwned {
    /// Its kind, stored with the job.
    const KIND: &'static str;
    /// The queue it waits in.
    const QUEUE: &'static str;

    /// The job.
    fn job(&self) -> NewJob {
        let args = serde_json::to_string(self).expect("a payload is plain data");
        NewJob::new(Self::QUEUE, Self::KIND, args)
    }
}

/// The payloads of a batch. Arguments that cannot be read are an error: the engine then runs each job alone and
/// keeps the one at fault as dead.
pub(crate) fn payloads<T: Payload>(jobs: &[Job]) -> queue::Result<Vec<T>> {
    jobs.iter().map(Job::parse).collect()
}

/// Runs `effect` for the jobs of a batch that are still this worker's, and ends them in its transaction.
///
/// `effect` is given their positions in the batch and returns those that are not done by it, with what becomes of
/// them. Jobs that went to another worker in the meantime are left alone.
pub(crate) async fn land(
    app: &App,
    name: &'static str,
    jobs: &Arc<[Job]>,
    mut effect: impl FnMut(&mut Tx<'_>, &[usize]) -> Result<Vec<(usize, Outcome)>> + Send + 'static,
) -> Result<Vec<Outcome>> {
    let (queue, batch, count) = (app.queue().clone(), Arc::clone(jobs), jobs.len());
    let decided = app
        .transaction(name, move |tx| -> Result<_> {
            let kept = queue.keep_in(tx, &batch)?;
            let decided = effect(tx, &kept.positions)?;
            let open = |position: &usize| decided.iter().any(|(other, _)| other == position);
            let done: Vec<&Job> = kept
                .positions
                .iter()
                .filter(|position| !open(position))
                .map(|position| &batch[*position])
                .collect();
            queue.complete_in(tx, &done)?;
            Ok(decided)
        })
        .await?;
    let mut outcomes = vec![Outcome::Done; count];
    for (position, outcome) in decided {
        outcomes[position] = outcome;
    }
    Ok(outcomes)
}
