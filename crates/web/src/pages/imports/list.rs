//! The imports there were, and those that run.

use app::imports::{self as cases, Status};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ImportId;

use super::Drop;
use crate::ApiError;
use crate::access::SignedIn;
use crate::pages::asked::{Asked, Filled};
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, Pager, When};
use crate::pages::words::number;
use crate::pages::{IMPORTS, page};
use crate::query::{Page, Paging};
use crate::server::Web;

#[derive(Template)]
#[template(path = "imports/list.html")]
struct ImportsPage<'p> {
    drop: Option<Drop>,
    frame: Frame<'p>,
    rows: Vec<Row>,
    pager: Pager,
    filled: Filled,
}

struct Row {
    id: ImportId,
    file: String,
    source: String,
    status: Badge,
    done: u8,
    is_over: bool,
    rows: String,
    imported: String,
    duplicate: String,
    rejected: String,
    begun: When,
}

/// `GET /imports`: newest first.
pub(in crate::pages) async fn list(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    asked: Asked<Paging>,
) -> Result<Response, ApiError> {
    let (Paging { limit, cursor }, filled) = asked.parts();
    let before = cursor.map(|cursor| cursor.parse()).transpose()?;
    let found = cases::list(&web.app, before, limit.and_one()).await?;
    let Page { data, next } = Page::of(found, limit, |status| status.import.id.to_string());
    let frame = Frame::new(&web.app, &session, IMPORTS);
    page(
        StatusCode::OK,
        &ImportsPage {
            drop: frame.operates().then(|| Drop::new(&frame, None)),
            frame,
            rows: data.into_iter().map(|status| Row::new(&web.app, status)).collect(),
            pager: Pager::new(IMPORTS, &filled, next.as_deref()),
            filled,
        },
    )
}

impl Row {
    fn new(app: &app::App, status: Status) -> Self {
        let (done, counts) = (status.percent(), status.progress.counts);
        let import = status.import;
        Row {
            id: import.id,
            file: import.file_name,
            source: import.source,
            status: Badge::new(import.status.as_str()),
            done,
            is_over: import.status.is_final(),
            rows: number(import.rows_total),
            imported: number(counts.orders_imported),
            duplicate: number(counts.orders_duplicate),
            rejected: number(counts.orders_rejected),
            begun: When::new(app, import.created_at),
        }
    }
}
