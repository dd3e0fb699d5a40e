mod jobs;
mod stats;

use anyhow::{Result, bail};
use app::jobs::QUEUES;
use app::queues::{self, Deed};
use app::{Actor, App};
use clap::{Args, Subcommand};
use queue::{Filter, JobId, Selection, State};
use serde_json::json;

use crate::output::Out;
use crate::session::{Exit, Session};
use crate::words;

const CLI: Actor = Actor::CLI;

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
        match self {
            Queue::List(list) => list.run(&app, out).await?,
            Queue::Show { id } => jobs::show(&app, out, JobId(id)).await?,
            Queue::Failed => jobs::failed(&app, out).await?,
            Queue::Retry(which) => {
                tell(out, "retried", queues::change(&app, &CLI, Deed::Retry, which.selection()).await?)?;
            }
            Queue::Forget(which) => {
                tell(out, "deleted", queues::change(&app, &CLI, Deed::Delete, which.selection()).await?)?;
            }
            Queue::Cancel(which) => {
                tell(out, "cancelled", queues::change(&app, &CLI, Deed::Cancel, which.selection()).await?)?;
            }
            Queue::Flush => {
                let failed = Selection::Matching(Filter::state(State::Discarded));
                tell(out, "deleted", queues::change(&app, &CLI, Deed::Delete, failed).await?)?;
            }
            Queue::Pause(target) => target.set(&app, out, true).await?,
            Queue::Continue(target) => target.set(&app, out, false).await?,
            Queue::Terminate { name } => {
                let told = queues::terminate(&app, &CLI, name.as_deref()).await?;
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
        let names = if self.all { QUEUES.map(str::to_owned).to_vec() } else { self.queues };
        let known = queues::names(app);
        if let Some(name) = names.iter().find(|name| !known.contains(name)) {
            bail!("there is no queue `{name}`; the queues are {}", known.join(", "));
        }
        for name in &names {
            if paused {
                queues::pause_queue(app, &CLI, name).await?;
            } else {
                queues::continue_queue(app, &CLI, name).await?;
            }
        }
        if let Some(name) = &self.supervisor {
            if paused {
                queues::pause_supervisor(app, &CLI, name).await?;
            } else {
                queues::continue_supervisor(app, &CLI, name).await?;
            }
        }
        if out.is_json() {
            return Ok(out.json(&json!({
                "queues": names, "supervisor": self.supervisor, "paused": paused,
            }))?);
        }
        let done = if paused { "paused" } else { "continued" };
        let supervisor = self.supervisor.map(|name| format!("the supervisors called {name}"));
        let names: Vec<String> = names.into_iter().chain(supervisor).collect();
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
