//! Who works: the supervisors of all processes, their pools, and what their workers are at.

use app::App;
use app::queues::{self, Monitor};
use askama::Template;
use axum::extract::State as From;
use axum::http::StatusCode;
use queue::{SupervisorRecord, WorkerStatus};

use super::{Answer, WORKERS};
use crate::access::SignedIn;
use crate::pages::frame::Frame;
use crate::pages::parts::When;
use crate::pages::words::{number, since};
use crate::pages::{QUEUES, page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "queues/workers.html")]
struct WorkersPage<'p> {
    frame: Frame<'p>,
    section: &'static str,
    names: Vec<Named>,
    supervisors: Vec<SupervisorCard>,
}

/// Supervisors of a name: they are paused, continued and stopped together.
struct Named {
    name: String,
    count: usize,
    is_paused: bool,
    address: String,
}

struct SupervisorCard {
    id: i64,
    name: String,
    process: String,
    started: When,
    seen: When,
    memory: String,
    is_paused: bool,
    is_stopping: bool,
    pools: Vec<PoolRow>,
}

struct PoolRow {
    queue: String,
    workers: usize,
    busy: Vec<String>,
}

/// `GET /queues/workers`
pub(in crate::pages) async fn workers(From(web): From<Web>, SignedIn(session): SignedIn) -> Answer {
    let monitor = queues::monitor(&web.app).await?;
    page(
        StatusCode::OK,
        &WorkersPage {
            frame: Frame::new(&web.app, &session, QUEUES),
            section: WORKERS,
            names: named(&monitor),
            supervisors: monitor
                .supervisors
                .iter()
                .map(|one| SupervisorCard::new(&web.app, &monitor, one))
                .collect(),
        },
    )
}

/// The names of those that work, and of those that would not because they are paused.
fn named(monitor: &Monitor) -> Vec<Named> {
    let mut names: Vec<&str> = monitor.supervisors.iter().map(|one| one.name.as_str()).collect();
    names.extend(monitor.paused_supervisors.iter().map(String::as_str));
    names.sort_unstable();
    names.dedup();
    let named = |name: &str| Named {
        count: monitor.supervisors.iter().filter(|one| one.name == name).count(),
        is_paused: monitor.paused_supervisors.iter().any(|paused| paused == name),
        address: form_urlencoded::Serializer::new(format!("{WORKERS}/terminate?"))
            .append_pair("supervisor", name)
            .finish(),
        name: name.to_owned(),
    };
    names.into_iter().map(named).collect()
}

impl SupervisorCard {
    fn new(app: &App, monitor: &Monitor, one: &SupervisorRecord) -> Self {
        let at = |worker: &WorkerStatus| {
            let ran = app.now().duration_since(worker.since).as_secs_f64();
            format!("{} {}, for {}", number(worker.jobs as i64), worker.kind, since(ran))
        };
        let pools = one.pools.iter().map(|pool| PoolRow {
            queue: pool.queue.clone(),
            workers: pool.workers,
            busy: pool.busy.iter().map(at).collect(),
        });
        SupervisorCard {
            id: one.id.0,
            name: one.name.clone(),
            process: format!("process {} on {}", one.pid, one.host),
            started: When::new(app, one.started_at),
            seen: When::new(app, one.seen_at),
            memory: one.memory_mib.map(|mib| format!("{} MiB", number(mib as i64))).unwrap_or_default(),
            is_paused: monitor.paused_supervisors.contains(&one.name),
            is_stopping: one.terminating,
            pools: pools.collect(),
        }
    }
}
