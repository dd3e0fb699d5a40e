//! What customers are told with: the templates, tried with an order that nobody placed.

use app::notifications::{self as cases, Content, OwnTemplates, Sample, TemplateError, Templates};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use domain::NotificationKind;
use serde::Deserialize;

use super::framed;
use crate::ApiError;
use crate::access::SignedIn;
use crate::address::Path;
use crate::headers::FRAMES;
use crate::pages::frame::Frame;
use crate::pages::{NOTIFICATIONS, page};
use crate::query::Query;
use crate::server::Web;

#[derive(Template)]
#[template(path = "notifications/templates.html")]
struct TemplatesPage<'p> {
    frame: Frame<'p>,
    folder: Option<String>,
    /// Why the shop's own would not be used.
    mistake: Option<String>,
    kinds: Vec<Row>,
    shared: Vec<Row>,
}

/// A mail, or what several have in common, and where its two files come from.
struct Row {
    name: String,
    told: String,
    text: Option<String>,
    html: Option<String>,
}

/// `GET /notifications/templates`
pub(in crate::pages) async fn templates(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
) -> Result<Response, ApiError> {
    let own = cases::own_templates(&web.app).await?;
    let mistake = own.as_ref().and_then(|own| own.templates.as_ref().err()).map(told);
    let used = own.as_ref().and_then(|own| own.templates.as_ref().ok());
    let rows = rows(used.unwrap_or_else(|| web.app.notifier().templates()));
    let is_kind = |row: &Row| row.name.parse::<NotificationKind>().is_ok();
    let (kinds, shared) = rows.into_iter().partition(is_kind);
    page(
        StatusCode::OK,
        &TemplatesPage {
            frame: Frame::new(&web.app, &session, NOTIFICATIONS),
            folder: own.map(|own| own.folder.display().to_string()),
            mistake,
            kinds,
            shared,
        },
    )
}

/// Each with the files that take its place.
fn rows(templates: &Templates) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (file, own) in templates.sources() {
        let (name, form) = file.split_once('.').unwrap_or((file, ""));
        if rows.last().is_none_or(|row| row.name != name) {
            let told = name.replace('_', " ");
            rows.push(Row { name: name.to_owned(), told, text: None, html: None });
        }
        let own = own.map(|path| path.display().to_string());
        match rows.last_mut() {
            Some(row) if form == "txt" => row.text = own,
            Some(row) => row.html = own,
            None => {}
        }
    }
    rows
}

fn told(error: &TemplateError) -> String {
    queue::with_causes(error)
}

/// Which order a template is tried with.
#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Tried {
    #[serde(default)]
    order: Sample,
}

#[derive(Template)]
#[template(path = "notifications/preview.html")]
struct PreviewPage<'p> {
    frame: Frame<'p>,
    kind: &'static str,
    told: String,
    is_full: bool,
    /// Why the shop's own would not be used.
    mistake: Option<String>,
    /// Whether the files say something else than what customers are told until a restart.
    has_changed: bool,
    content: Content,
}

/// `GET /notifications/templates/{kind}`
pub(in crate::pages) async fn preview(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path(kind): Path<NotificationKind>,
    Query(Tried { order }): Query<Tried>,
) -> Result<Response, ApiError> {
    let Written { content, has_changed, mistake } = write(&web, kind, order).await?;
    let shown = page(
        StatusCode::OK,
        &PreviewPage {
            frame: Frame::new(&web.app, &session, NOTIFICATIONS),
            kind: kind.as_str(),
            told: kind.as_str().replace('_', " "),
            is_full: order == Sample::Full,
            mistake,
            has_changed,
            content,
        },
    )?;
    Ok((FRAMES, shown).into_response())
}

/// `GET /notifications/templates/{kind}/html`
pub(in crate::pages) async fn preview_html(
    State(web): State<Web>,
    Path(kind): Path<NotificationKind>,
    Query(Tried { order }): Query<Tried>,
) -> Result<Response, ApiError> {
    Ok(framed(write(&web, kind, order).await?.content.html))
}

/// A mail as the files write it now, or, where they cannot, as it is written until a restart.
struct Written {
    content: Content,
    has_changed: bool,
    mistake: Option<String>,
}

async fn write(web: &Web, kind: NotificationKind, sample: Sample) -> Result<Written, ApiError> {
    // Whatever is in use was tried at the start.
    let broken = |error: TemplateError| app::Error::Internal(told(&error));
    let used = web.app.notifier().templates().preview(kind, sample).map_err(broken)?;
    let own = cases::own_templates(&web.app).await?;
    let now = own.map(|OwnTemplates { templates, .. }| templates.and_then(|own| own.preview(kind, sample)));
    Ok(match now {
        None => Written { content: used, has_changed: false, mistake: None },
        Some(Ok(content)) => Written { has_changed: content != used, content, mistake: None },
        Some(Err(error)) => Written { content: used, has_changed: false, mistake: Some(told(&error)) },
    })
}
