//! Pausing, continuing and stopping: queues, and those who work on them.

use app::App;
use app::queues;
use askama::Template;
use axum::extract::State as From;
use axum::http::StatusCode;
use serde::Deserialize;

use super::{Answer, WORKERS};
use crate::ApiError;
use crate::access::{SignedForm, SignedIn};
use crate::pages::frame::Frame;
use crate::pages::{QUEUES, go_on, page};
use crate::query::Query;
use crate::server::Web;

/// Which queue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Queue {
    queue: String,
}

/// Which supervisors: those of this name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Supervisor {
    supervisor: String,
}

/// `POST /queues/pause`
pub(in crate::pages) async fn pause_queue(
    From(web): From<Web>,
    SignedForm { session, fields }: SignedForm<Queue>,
) -> Answer {
    queues::pause_queue(&web.app, &session.caller.actor, &fields.queue).await?;
    Ok(go_on(QUEUES))
}

/// `POST /queues/continue`
pub(in crate::pages) async fn continue_queue(
    From(web): From<Web>,
    SignedForm { session, fields }: SignedForm<Queue>,
) -> Answer {
    queues::continue_queue(&web.app, &session.caller.actor, &fields.queue).await?;
    Ok(go_on(QUEUES))
}

/// `POST /queues/workers/pause`
pub(in crate::pages) async fn pause_supervisor(
    From(web): From<Web>,
    SignedForm { session, fields }: SignedForm<Supervisor>,
) -> Answer {
    let name = known(&web.app, fields).await?;
    queues::pause_supervisor(&web.app, &session.caller.actor, &name).await?;
    Ok(go_on(WORKERS))
}

/// `POST /queues/workers/continue`
pub(in crate::pages) async fn continue_supervisor(
    From(web): From<Web>,
    SignedForm { session, fields }: SignedForm<Supervisor>,
) -> Answer {
    let name = known(&web.app, fields).await?;
    queues::continue_supervisor(&web.app, &session.caller.actor, &name).await?;
    Ok(go_on(WORKERS))
}

#[derive(Template)]
#[template(path = "queues/terminate.html")]
struct TerminatePage<'p> {
    frame: Frame<'p>,
    name: &'p str,
    processes: Vec<String>,
    others: usize,
}

/// `GET /queues/workers/terminate`: says what will happen, and asks.
pub(in crate::pages) async fn ask_to_terminate(
    From(web): From<Web>,
    SignedIn(session): SignedIn,
    Query(asked): Query<Supervisor>,
) -> Answer {
    let name = known(&web.app, asked).await?;
    let running = web.app.queue().supervisors().await.map_err(app::Error::from)?;
    let (stopped, others): (Vec<_>, Vec<_>) = running.into_iter().partition(|one| one.name == name);
    let frame = Frame::new(&web.app, &session, QUEUES);
    let processes = stopped.iter().map(|one| format!("process {} on {}", one.pid, one.host)).collect();
    page(StatusCode::OK, &TerminatePage { frame, name: &name, processes, others: others.len() })
}

/// `POST /queues/workers/terminate`
pub(in crate::pages) async fn terminate(
    From(web): From<Web>,
    SignedForm { session, fields }: SignedForm<Supervisor>,
) -> Answer {
    let name = known(&web.app, fields).await?;
    queues::terminate(&web.app, &session.caller.actor, Some(&name)).await?;
    Ok(go_on(WORKERS))
}

/// The name, if somebody has it or it is paused.
async fn known(app: &App, Supervisor { supervisor: name }: Supervisor) -> Result<String, ApiError> {
    let monitor = queues::monitor(app).await?;
    let is_known =
        monitor.supervisors.iter().any(|one| one.name == name) || monitor.paused_supervisors.contains(&name);
    if is_known { Ok(name) } else { Err(ApiError::Missing { what: "supervisor called", name }) }
}
