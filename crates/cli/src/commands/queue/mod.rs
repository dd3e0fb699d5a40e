mod jobs;
mod stats;

use anyhow::{Result, bail};
use app::App;
use app::jobs::QUEUES;
use clap::{Args, Subcommand};
use queue::{Filter, JobId, Selection, State};
use serde_json::json;

use crate::output::Out;
use crate::session::{Exit, Session};
use crate::words;

/// See the jobs, and steer queues and supervisors
#[derive(Debug, Subcommand)]
pub enum Queue {
    List(jobs::List),
    /// Show a job with its arguments and its errors
    Show {
        /// Its id
        id: i64,
    },
    /// Show what fails, grouped by error, the most frequent first
    Failed,
    /// Run jobs once more; nothing happens twice, whatever they had done already
    Retry(Which),
    /// Delete jobs that are not executing
    Forget(Which),
    /// Call jobs off
    Cancel(Which),
    /// Delete all failed jobs
    Flush,
    /// Stop handing out jobs of a queue, or to a supervisor, in every process; kept across restarts
    Pause(Target),
    /// Hand them out again
    Continue(Target),
    /// Tell supervisors to finish what they run and stop
    Terminate {
        /// Those of this name [default: all]
        name: Option<String>,
    },
    WorkStats(stats::WorkStats),
}

/// Which jobs
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("jobs").required(true).multiple(true))]
pub struct Which {
    /// Their ids
    #[arg(group = "jobs", conflicts_with_all = ["all", "queue", "kind", "error"])]
    ids: Vec<i64>,
    /// All that failed
    #[arg(long, group = "jobs")]
    all: bool,
    /// Those that failed in this queue
    #[arg(long, group = "jobs")]
    queue: Option<String>,
    /// Those of this kind that failed
    #[arg(long, group = "jobs")]
    kind: Option<String>,
    /// Those that failed with this text in an error
    #[arg(long, group = "jobs", value_name = "TEXT")]
    error: Option<String>,
    /// Those in this state instead of those that failed
    #[arg(long, default_value = "discarded")]
    state: State,
}

/// A queue or a supervisor
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("target").required(true).multiple(true))]
pub struct Target {
    /// The queues
    #[arg(group = "target")]
    queues: Vec<String>,
    /// Every queue
    #[arg(long, group = "target", conflicts_with = "queues")]
    all: bool,
    /// The supervisors of this name
    #[arg(long, group = "target", value_name = "NAME")]
    supervisor: Option<String>,
}

impl Queue {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let (app, out) = (session.open().await?, session.out);
        let queue = app.queue();
        match self {
            Queue::List(list) => list.run(&app, out).await?,
            Queue::Show { id } => jobs::show(&app, out, JobId(id)).await?,
            Queue::Failed => jobs::failed(&app, out).await?,
            Queue::Retry(which) => tell(out, "retried", queue.retry(which.selection()).await?)?,
            Queue::Forget(which) => tell(out, "deleted", queue.forget(which.selection()).await?)?,
            Queue::Cancel(which) => {
                let called_off = queue.cancel(which.selection(), "called off by an operator").await?;
                tell(out, "cancelled", called_off)?;
            }
            Queue::Flush => tell(out, "deleted", queue.flush_failed().await?)?,
            Queue::Pause(target) => target.set(&app, out, true).await?,
            Queue::Continue(target) => target.set(&app, out, false).await?,
            Queue::Terminate { name } => {
                let told = queue.terminate(name.as_deref()).await?;
                if out.is_json() {
                    out.json(&json!({ "told": told }))?;
                } else {
                    out.line(words::count(
                        told as i64,
                        "supervisor was told to stop",
                        "supervisors were told to stop",
                    ))?;
                }
            }
            Queue::WorkStats(stats) => stats.run(&app, out).await?,
        }
        Ok(Exit::Done)
    }
}

impl Which {
    fn selection(self) -> Selection {
        if !self.ids.is_empty() {
            return Selection::Ids(self.ids.into_iter().map(JobId).collect());
        }
        let Which { queue, kind, error, state, .. } = self;
        Selection::Matching(Filter { queue, kind, error, ..Filter::state(state) })
    }
}

impl Target {
    async fn set(self, app: &App, out: Out, paused: bool) -> Result<()> {
        let queue = app.queue();
        let queues = if self.all { QUEUES.map(str::to_owned).to_vec() } else { self.queues };
        let configured = &queue.settings().supervisor.pools;
        for name in &queues {
            if !configured.iter().any(|pool| pool.queue == *name) && !QUEUES.contains(&name.as_str()) {
                bail!("there is no queue `{name}`; the queues are {}", QUEUES.join(", "));
            }
        }
        for name in &queues {
            if paused { queue.pause_queue(name).await? } else { queue.continue_queue(name).await? }
        }
        if let Some(name) = &self.supervisor {
            if paused { queue.pause_supervisor(name).await? } else { queue.continue_supervisor(name).await? }
        }
        if out.is_json() {
            return Ok(out.json(&json!({
                "queues": queues, "supervisor": self.supervisor, "paused": paused,
            }))?);
        }
        let done = if paused { "paused" } else { "continued" };
        let supervisor = self.supervisor.map(|name| format!("the supervisors called {name}"));
        let names: Vec<String> = queues.into_iter().chain(supervisor).collect();
        Ok(out.line(format_args!("{done}: {}", names.join(", ")))?)
    }
}

fn tell(out: Out, done: &str, jobs: usize) -> Result<()> {
    if out.is_json() {
        out.json(&json!({ done: jobs }))?;
    } else {
        out.line(format_args!("{done}: {}", words::count(jobs as i64, "job", "jobs")))?;
    }
    Ok(())
}
