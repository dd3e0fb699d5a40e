use anyhow::Result;
use app::App;
use clap::Args;
use queue::{Cursor, Filter, JobId, JobRecord, PageRequest, State};
use serde_json::json;

use crate::output::{Listing, Out, cell, maybe, plain, second, status, time};

/// List jobs, all or those that you look for
#[derive(Debug, Args)]
pub struct List {
    /// Only those in this state: scheduled, available, executing, retryable, completed, discarded, cancelled
    #[arg(long)]
    state: Option<State>,
    /// Only those of this queue
    #[arg(long)]
    queue: Option<String>,
    /// Only those of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Only those with this tag
    #[arg(long)]
    tag: Option<String>,
    /// Only those with this text in their arguments
    #[arg(long, value_name = "TEXT")]
    args: Option<String>,
    /// Only those with this text in an error
    #[arg(long, value_name = "TEXT")]
    error: Option<String>,
    /// Where the page before ended
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    after: Option<Cursor>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
}

impl List {
    pub async fn run(self, app: &App, out: Out) -> Result<()> {
        let filter = Filter {
            state: self.state,
            queue: self.queue,
            kind: self.kind,
            tag: self.tag,
            batch: None,
            args: self.args,
            error: self.error,
        };
        let request = PageRequest { after: self.after, limit: usize::from(self.limit) };
        let page = app.queue().list(filter, request).await?;
        let next = page.next.map(|cursor| cursor.to_string());
        if out.is_json() {
            return Ok(out.json(&json!({ "jobs": page.jobs, "next": next }))?);
        }
        out.table(&listing(out, &page.jobs), "there are no such jobs")?;
        if let Some(next) = next {
            out.line(out.dim(format_args!("more: --after={next}")))?;
        }
        Ok(())
    }
}

fn listing(out: Out, jobs: &[JobRecord]) -> Listing {
    let columns = ["id", "queue", "kind", "arguments", "state", "attempt", "failures", "due", "last error"];
    let mut listing = out.listing(&columns).right(&[0, 5, 6]);
    for job in jobs {
        listing.row([
            cell(job.id),
            cell(&job.queue),
            cell(&job.kind),
            cell(&job.args),
            status(job.state.name()),
            cell(job.attempt),
            cell(job.failures),
            time(job.due_at),
            maybe(job.errors.last().map(|error| &error.message)),
        ]);
    }
    listing
}

pub async fn show(app: &App, out: Out, id: JobId) -> Result<()> {
    let job = app.queue().get(id).await?;
    if out.is_json() {
        return Ok(out.json(&job)?);
    }
    out.table(&listing(out, std::slice::from_ref(&job)), "")?;
    for error in &job.errors {
        let text = format!("attempt {} at {}: {}", error.attempt, second(error.at), plain(&error.message));
        out.line(out.bad(text))?;
    }
    Ok(())
}

pub async fn failed(app: &App, out: Out) -> Result<()> {
    let groups = app.queue().failure_groups().await?;
    if out.is_json() {
        return Ok(out.json(&json!({ "failures": groups }))?);
    }
    let mut listing = out.listing(&["jobs", "kind", "state", "error", "last", "for instance"]).right(&[0, 5]);
    for group in &groups {
        let (message, last) = (cell(&group.message), time(group.last_at));
        let state = status(group.state.name());
        listing.row([cell(group.count), cell(&group.kind), state, message, last, cell(group.example)]);
    }
    out.table(&listing, "nothing has failed")?;
    if !groups.is_empty() {
        out.line(
            out.dim("`ordermill queue show ID` tells more; `ordermill queue retry ID` runs a job once more"),
        )?;
    }
    Ok(())
}
