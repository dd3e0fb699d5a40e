//! Jobs that were pushed together, and how far they are.

use app::App;
use askama::Template;
use axum::extract::State as From;
use axum::http::StatusCode;
use queue::{BatchId, BatchProgress, Filter, PageRequest};

use super::jobs::JobTable;
use super::{Answer, BATCHES, list_of};
use crate::ApiError;
use crate::access::SignedIn;
use crate::address::Path;
use crate::pages::asked::Asked;
use crate::pages::frame::Frame;
use crate::pages::parts::{Pager, When};
use crate::pages::words::number;
use crate::pages::{QUEUES, page};
use crate::query::{Page, Paging};
use crate::server::Web;

#[derive(Template)]
#[template(path = "queues/batches.html")]
struct BatchesPage<'p> {
    frame: Frame<'p>,
    section: &'static str,
    batches: Vec<BatchRow>,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "queues/batch.html")]
struct BatchPage<'p> {
    frame: Frame<'p>,
    batch: BatchRow,
    table: JobTable,
    jobs: String,
}

struct BatchRow {
    id: i64,
    name: String,
    done: i64,
    counts: [(&'static str, String); 5],
    created: When,
    finished: Option<When>,
}

/// `GET /queues/batches`
pub(in crate::pages) async fn batches(
    From(web): From<Web>,
    SignedIn(session): SignedIn,
    asked: Asked<Paging>,
) -> Answer {
    let (Paging { limit, cursor }, filled) = asked.parts();
    let before = cursor.map(|cursor| cursor.parse().map(BatchId)).transpose()?;
    let found = web.app.queue().batches(before, limit.and_one() as usize).await.map_err(app::Error::from)?;
    let Page { data, next } = Page::of(found, limit, |batch| batch.id.to_string());
    page(
        StatusCode::OK,
        &BatchesPage {
            frame: Frame::new(&web.app, &session, QUEUES),
            section: BATCHES,
            batches: data.into_iter().map(|batch| BatchRow::new(&web.app, batch)).collect(),
            pager: Pager::new(BATCHES, &filled, next.as_deref()),
        },
    )
}

/// Jobs of a batch that are shown with it.
const SHOWN: usize = 20;

/// `GET /queues/batches/{id}`
pub(in crate::pages) async fn batch(
    From(web): From<Web>,
    SignedIn(session): SignedIn,
    Path(id): Path<i64>,
) -> Answer {
    let queue = web.app.queue();
    let found = queue.batch(BatchId(id)).await.map_err(app::Error::from)?;
    let batch = found.ok_or_else(|| ApiError::Missing { what: "batch", name: id.to_string() })?;
    let filter = Filter { batch: Some(batch.id), ..Filter::default() };
    let jobs = list_of(&filter);
    let listed = queue.list(filter, PageRequest { after: None, limit: SHOWN }).await;
    let listed = listed.map_err(app::Error::from)?;
    page(
        StatusCode::OK,
        &BatchPage {
            frame: Frame::new(&web.app, &session, QUEUES),
            batch: BatchRow::new(&web.app, batch),
            table: JobTable::new(&web.app, listed.jobs, false),
            jobs,
        },
    )
}

impl BatchRow {
    fn new(app: &App, batch: BatchProgress) -> Self {
        let count = |count: u64| number(i64::try_from(count).unwrap_or(i64::MAX));
        let ended = batch.total.saturating_sub(batch.pending);
        BatchRow {
            id: batch.id.0,
            name: batch.name,
            done: (ended * 100).checked_div(batch.total).map_or(100, |done| done as i64),
            counts: [
                ("Jobs", count(batch.total)),
                ("Pending", count(batch.pending)),
                ("Completed", count(batch.completed)),
                ("Discarded", count(batch.discarded)),
                ("Cancelled", count(batch.cancelled)),
            ],
            created: When::new(app, batch.created_at),
            finished: batch.finished_at.map(|at| When::new(app, at)),
        }
    }
}
