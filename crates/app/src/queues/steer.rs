use super::check_name;
use crate::{Actor, App, Result, access};

/// Stops handing out jobs of a queue, in every process, until it is continued.
pub async fn pause_queue(app: &App, who: &Actor, queue: &str) -> Result<()> {
    check_name(app, queue)?;
    access::record(app, who, "pause_queue", queue, None).await?;
    Ok(app.queue().pause_queue(queue).await?)
}

/// Hands out jobs of a queue again.
pub async fn continue_queue(app: &App, who: &Actor, queue: &str) -> Result<()> {
    check_name(app, queue)?;
    access::record(app, who, "continue_queue", queue, None).await?;
    Ok(app.queue().continue_queue(queue).await?)
}

/// Has supervisors of this name take no more jobs until they are continued, also those that start later.
pub async fn pause_supervisor(app: &App, who: &Actor, name: &str) -> Result<()> {
    access::record(app, who, "pause_supervisor", name, None).await?;
    Ok(app.queue().pause_supervisor(name).await?)
}

/// Lets supervisors of this name take jobs again.
pub async fn continue_supervisor(app: &App, who: &Actor, name: &str) -> Result<()> {
    access::record(app, who, "continue_supervisor", name, None).await?;
    Ok(app.queue().continue_supervisor(name).await?)
}

/// Tells supervisors, those of a name or all, to finish what they run and stop. Returns how many were told.
pub async fn terminate(app: &App, who: &Actor, name: Option<&str>) -> Result<usize> {
    access::record(app, who, "terminate_supervisor", name.unwrap_or("all"), None).await?;
    Ok(app.queue().terminate(name).await?)
}
