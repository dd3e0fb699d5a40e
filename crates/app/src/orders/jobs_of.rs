use queue::{Filter, JobRecord, PageRequest};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::Story;
use crate::{App, Result};

/// Jobs that are looked at; no index tells which order a job is about, and one would cost every job.
const SEEN_AT_MOST: usize = 10_000;
const PAGE: usize = 500;

/// The jobs of an order that the queue still holds.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OrderJobs {
    /// The jobs, newest first.
    pub data: Vec<JobRecord>,
    /// Whether all jobs of the queue were looked at. Of a long queue only the newest 10,000 are.
    pub complete: bool,
}

/// The jobs of an order, its refunds and its notifications.
pub async fn jobs_of(app: &App, story: &Story) -> Result<OrderJobs> {
    let (mut data, mut after, mut seen) = (Vec::new(), None, 0);
    while seen < SEEN_AT_MOST {
        let page = app.queue().list(Filter::default(), PageRequest { after, limit: PAGE }).await?;
        seen += PAGE;
        data.extend(page.jobs.into_iter().filter(|job| is_about(&job.args, story)));
        after = page.next;
        if after.is_none() {
            return Ok(OrderJobs { data, complete: true });
        }
    }
    Ok(OrderJobs { data, complete: false })
}

fn is_about(args: &str, story: &Story) -> bool {
    let Ok(args) = serde_json::from_str::<Value>(args) else { return false };
    let id = |name: &str| args.get(name).and_then(Value::as_i64);
    id("order") == Some(story.order.row.id.get())
        || id("refund").is_some_and(|id| story.refunds.iter().any(|refund| refund.id.get() == id))
        || id("notification").is_some_and(|id| story.notifications.iter().any(|one| one.id.get() == id))
}
