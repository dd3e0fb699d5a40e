use std::time::Duration;

use anyhow::Result;
use jiff::SignedDuration;
use queue::{Filter, JobId, NewJob, PageRequest, Selection, State};
use serde_json::json;

use super::lab::Lab;

/// How often a state is looked at that must come.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long it may take to come, beside its delay.
const PATIENCE: Duration = Duration::from_secs(20);

pub async fn run(lab: &mut Lab, delay: Duration) -> Result<()> {
    slow_payment(lab, delay).await?;
    delayed_job(lab, delay).await?;
    paused_queue(lab).await?;
    failing_job(lab).await?;
    let told = lab.app.queue().supervisors().await?;
    lab.same("the supervisor is known to all processes", told.len(), 1);
    Ok(())
}

/// The gateway of this part takes its time.
async fn slow_payment(lab: &mut Lab, delay: Duration) -> Result<()> {
    let order = lab.place(1, None).await?;
    if !delay.is_zero() {
        let reserved = async || Ok(lab.story(order).await?.order.row.status == "reserved");
        let came = comes(reserved, PATIENCE).await?;
        lab.check("an order holds its stock while its payment is undecided", came, "reserved");
    }
    lab.settle().await?;
    let row = lab.story(order).await?.order.row;
    lab.same("a slow payment confirms its order", (row.status, row.payment), ("confirmed", "paid"));
    Ok(())
}

async fn delayed_job(lab: &mut Lab, delay: Duration) -> Result<()> {
    let order = lab.place(1, None).await?;
    lab.settle().await?;
    let before = lab.story(order).await?.timeline.len();
    let at = lab.app.now().saturating_add(SignedDuration::try_from(delay + Duration::from_millis(300))?)?;
    let job = NewJob::new("stock", "reserve_stock", json!({ "order": order }).to_string()).run_at(at);
    let id = lab.app.queue().push(vec![job]).await?[0].id();
    let state = lab.app.queue().find(id).await?.map(|job| job.state);
    lab.same("a delayed job waits for its time", state, Some(State::Scheduled));
    let gone = async || Ok(lab.app.queue().find(id).await?.is_none());
    let ran = comes(gone, delay + PATIENCE).await?;
    lab.check("then it runs", ran, "done");
    lab.same("a job that comes twice does nothing twice", lab.story(order).await?.timeline.len(), before);
    Ok(())
}

async fn paused_queue(lab: &mut Lab) -> Result<()> {
    lab.app.queue().pause_queue("stock").await?;
    let order = lab.place(1, None).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    lab.same("a paused queue hands out nothing", lab.story(order).await?.order.row.status, "pending");
    lab.app.queue().continue_queue("stock").await?;
    let confirmed = async || Ok(lab.story(order).await?.order.row.status == "confirmed");
    let came = comes(confirmed, PATIENCE * 2).await?;
    lab.check("once continued, its jobs run", came, "confirmed");
    Ok(())
}

async fn failing_job(lab: &mut Lab) -> Result<()> {
    let job = NewJob::new("stock", "reserve_stock", json!({ "nonsense": true }).to_string()).max_attempts(1);
    let id = lab.app.queue().push(vec![job]).await?[0].id();
    let discarded = async || Ok(state(lab, id).await? == Some(State::Discarded));
    let came = comes(discarded, PATIENCE).await?;
    let error =
        lab.app.queue().find(id).await?.and_then(|job| job.errors.last().map(|error| error.message.clone()));
    lab.check(
        "a job that cannot succeed is kept as dead, with its error",
        came && error.is_some(),
        error.unwrap_or_default(),
    );
    let groups = lab.app.queue().failure_groups().await?;
    lab.check("failures are grouped by error", groups.iter().any(|group| group.example == id), groups.len());
    let retried = lab.app.queue().retry(Selection::Ids(vec![id])).await?;
    lab.same("it can be run once more", retried, 1);
    let again = async || {
        let job = lab.app.queue().find(id).await?;
        Ok(job.is_some_and(|job| job.state == State::Discarded && job.errors.len() > 1))
    };
    let came = comes(again, PATIENCE).await?;
    lab.check("and fails once more", came, "discarded");
    let forgotten = lab.app.queue().flush_failed().await?;
    let request = PageRequest { after: None, limit: 1 };
    let left = lab.app.queue().list(Filter::state(State::Discarded), request).await?.jobs.len();
    lab.same("dead jobs can be deleted", (forgotten, left), (1, 0));
    Ok(())
}

async fn state(lab: &Lab, id: JobId) -> Result<Option<State>> {
    Ok(lab.app.queue().find(id).await?.map(|job| job.state))
}

/// Whether something comes true in time.
async fn comes(look: impl AsyncFn() -> Result<bool>, within: Duration) -> Result<bool> {
    let wait = async {
        loop {
            if look().await? {
                return Ok(true);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(within, wait).await.unwrap_or(Ok(false))
}
