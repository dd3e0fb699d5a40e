//! An import: how far it is, what became of its rows, and which were rejected.

use app::imports::{self as cases, ImportOptions, Status};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ImportId;
use serde_json::Value;
use store::imports::{Import, ImportStatus};

use super::Drop;
use super::rejects::{self, RejectRow};
use crate::ApiError;
use crate::access::SignedIn;
use crate::address::Path;
use crate::pages::asked::{Asked, Filled};
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, Pager, When};
use crate::pages::words::{number, since};
use crate::pages::{IMPORTS, page};
use crate::query::{Cursor, Page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "imports/show.html")]
struct ImportPage<'p> {
    drop: Option<Drop>,
    frame: Frame<'p>,
    import: View,
    rejects: Vec<RejectRow>,
    pager: Pager,
    filled: Filled,
}

/// An import as people read of it.
struct View {
    id: ImportId,
    file: String,
    status: Badge,
    stands: ImportStatus,
    is_over: bool,
    error: String,
    origin: String,
    same_as: Option<ImportId>,
    corrects: Option<ImportId>,
    facts: Vec<(&'static str, String)>,
    options: Vec<(String, String)>,
    begun: When,
    ended: Option<When>,
    done: u8,
    told: String,
    tiles: Vec<(&'static str, String, String)>,
    has_rejects: bool,
    has_orders: bool,
}

/// Which part of the rejects.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Part {
    cursor: Option<Cursor>,
}

/// `GET /imports/{id}`
pub(in crate::pages) async fn show(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path(id): Path<ImportId>,
    asked: Asked<Part>,
) -> Result<Response, ApiError> {
    let (Part { cursor }, filled) = asked.parts();
    let status = cases::status(&web.app, id).await?;
    let Page { data, next } = rejects::list(&web.app, id, cursor.as_ref()).await?;
    let path = format!("{IMPORTS}/{id}");
    let import = View::new(&web.app, status)?;
    let frame = Frame::new(&web.app, &session, IMPORTS);
    page(
        StatusCode::OK,
        &ImportPage {
            drop: corrected(&frame, &import),
            frame,
            import,
            rejects: data.into_iter().map(RejectRow::new).collect(),
            pager: Pager::new(&path, &filled, next.as_deref()),
            filled,
        },
    )
}

/// Where the corrected rejects are sent, once there will be no more.
fn corrected(frame: &Frame<'_>, import: &View) -> Option<Drop> {
    (frame.operates() && import.is_over && import.has_rejects).then(|| Drop::new(frame, Some(import.id)))
}

impl View {
    fn new(app: &app::App, status: Status) -> app::Result<Self> {
        let counts = status.progress.counts;
        let (done, told, options) = (status.percent(), progress(&status), options(&status.import)?);
        let import = status.import;
        let tile = |name, count, beside: String| (name, number(count), beside);
        Ok(View {
            id: import.id,
            status: Badge::new(import.status.as_str()),
            stands: import.status,
            is_over: import.status.is_final(),
            error: import.error.unwrap_or_default(),
            origin: import.origin.unwrap_or_default(),
            same_as: import.same_as,
            corrects: import.rejects_of,
            facts: vec![
                ("Source", import.source),
                ("Profile", import.profile),
                ("Size", format!("{} bytes", number(import.file_bytes))),
            ],
            options,
            begun: When::new(app, import.created_at),
            ended: import.finished_at.map(|at| When::new(app, at)),
            done,
            told,
            tiles: vec![
                tile("Orders imported", counts.orders_imported, rows(counts.rows_imported)),
                tile("There already", counts.orders_duplicate, differing(counts.orders_differ)),
                tile("Orders rejected", counts.orders_rejected, rows(counts.rows_rejected)),
                tile("Rows passed over", counts.rows_skipped, String::new()),
            ],
            has_rejects: counts.rows_rejected > 0,
            has_orders: counts.orders_imported > 0,
            file: import.file_name,
        })
    }
}

fn rows(rows: i64) -> String {
    format!("{} rows", number(rows))
}

fn differing(orders: i64) -> String {
    if orders == 0 { String::new() } else { format!("{} of them with another content", number(orders)) }
}

/// How far it is, in a sentence.
fn progress(status: &Status) -> String {
    let import = &status.import;
    let (done, total) = (number(status.progress.counts.rows()), number(import.rows_total));
    match import.status {
        ImportStatus::Fetching if import.file_bytes > 0 => {
            let (came, all) = (number(import.bytes_fetched), number(import.file_bytes));
            format!("The file is on its way: {came} of {all} bytes.")
        }
        ImportStatus::Fetching => "The file is on its way.".to_owned(),
        ImportStatus::Planning => "The file is read for the first time, to find its orders.".to_owned(),
        ImportStatus::Running => {
            let pace = status.rows_per_second.map(|pace| format!(", {} rows/s", number(pace.round() as i64)));
            let left = status.seconds_left.map(|left| format!(", {} left", since(left as f64)));
            format!("{done} of {total} rows{}{}", pace.unwrap_or_default(), left.unwrap_or_default())
        }
        ImportStatus::Duplicate => "Nothing of it was read.".to_owned(),
        _ => format!("{done} of {total} rows"),
    }
}

/// The options that are not the usual ones.
fn options(import: &Import) -> app::Result<Vec<(String, String)>> {
    let unreadable = |error: serde_json::Error| app::Error::Internal(error.to_string());
    let given = serde_json::to_value(cases::options_of(import)?).map_err(unreadable)?;
    let usual = serde_json::to_value(ImportOptions::default()).map_err(unreadable)?;
    let fields = given.as_object().into_iter().flatten();
    // What its source and its profile are is told anyhow.
    let fields = fields.filter(|(name, _)| !matches!(name.as_str(), "source" | "profile"));
    let changed = fields.filter(|(name, value)| usual.get(name) != Some(*value));
    Ok(changed.map(|(name, value)| (name.replace('_', " "), written(value))).collect())
}

fn written(value: &Value) -> String {
    match value {
        Value::Null => "as usual".to_owned(),
        Value::String(text) => text.replace('_', " "),
        Value::Array(parts) => parts.iter().map(written_part).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A column, or what one means.
fn written_part(part: &Value) -> String {
    match part.as_array().map(Vec::as_slice) {
        Some([Value::String(column), Value::String(field)]) => {
            format!("“{column}” is {}", field.replace('_', " "))
        }
        _ => format!("“{}”", part.as_str().unwrap_or_default()),
    }
}
