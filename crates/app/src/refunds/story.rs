use domain::RefundId;
use queue::{Filter, JobRecord, PageRequest, State};
use sql::Tx;
use store::orders::OrderView;
use store::refunds::RefundLine;

use super::RefundView;
use crate::jobs::{Payload as _, RefundPayment};
use crate::{App, Result};

/// A refund with everything that belongs to it.
#[derive(Debug)]
pub struct Story {
    /// The refund.
    pub refund: RefundView,
    /// The order that it is of.
    pub order: OrderView,
    /// What goes back of which line.
    pub lines: Vec<RefundLine>,
    /// The job that pays it back, where the queue still holds it.
    pub job: Option<JobRecord>,
}

/// A refund's whole story.
pub async fn story(app: &App, id: RefundId) -> Result<Story> {
    let read = move |tx: &mut Tx<'_>| -> Result<_> {
        let refund = store::refunds::get(tx, id)?;
        let lines = store::refunds::list_lines(tx, &[id])?.into_iter().map(|(_, line)| line).collect();
        Ok((store::orders::get_view(tx, refund.order)?, lines, refund))
    };
    let (order, lines, refund) = app.look_up("refund_story", read).await?;
    let job = if refund.status.is_final() { None } else { job_of(app, id).await? };
    Ok(Story { refund: refund.into(), order, lines, job })
}

/// The states of a job that still pays, or would once somebody retries it; the likeliest first.
const STATES: [State; 6] = [
    State::Executing,
    State::Retryable,
    State::Available,
    State::Scheduled,
    State::Discarded,
    State::Cancelled,
];

/// The job that pays a refund back. Of each state a bounded number is looked at.
async fn job_of(app: &App, id: RefundId) -> Result<Option<JobRecord>> {
    let job = RefundPayment { refund: id }.job();
    for state in STATES {
        let filter = Filter {
            state: Some(state),
            queue: Some(job.queue.clone()),
            kind: Some(job.kind.clone()),
            args: Some(job.args.clone()),
            ..Filter::default()
        };
        let page = app.queue().list(filter, PageRequest { after: None, limit: 1 }).await?;
        if let Some(found) = page.jobs.into_iter().next() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
