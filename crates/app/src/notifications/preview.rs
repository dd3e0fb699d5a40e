use std::path::PathBuf;

use super::{TemplateError, Templates};
use crate::{App, Error, Result};

/// The shop's own templates as they lie in their folder now. Those in use were read at the start.
#[derive(Debug)]
pub struct OwnTemplates {
    /// The folder.
    pub folder: PathBuf,
    /// All templates with these in their places; or why they would not be used.
    pub templates: Result<Templates, TemplateError>,
}

/// Reads the shop's own templates anew; none where it has no folder of them.
pub async fn own_templates(app: &App) -> Result<Option<OwnTemplates>> {
    let Some(folder) = app.config().notifications.templates.clone() else { return Ok(None) };
    let read = move || OwnTemplates { templates: Templates::load(Some(&folder)), folder };
    let read = tokio::task::spawn_blocking(read).await;
    read.map(Some).map_err(|error| Error::Internal(format!("reading templates ended: {error}")))
}
