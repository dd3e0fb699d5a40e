//! A refund with its lines, and what happens next.

use app::App;
use app::refunds::{self, RefundView, Story};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Money, RefundId, RefundStatus};
use queue::{JobRecord, State as JobState};
use store::orders::LineView;
use store::refunds::RefundLine;

use crate::ApiError;
use crate::access::SignedIn;
use crate::address::Path;
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, When};
use crate::pages::words::{number, priced};
use crate::pages::{REFUNDS, links, page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "refunds/show.html")]
struct RefundPage<'p> {
    frame: Frame<'p>,
    refund: RefundView,
    order_name: String,
    status: Badge,
    amount: String,
    shipping: String,
    requested: When,
    settled: Option<When>,
    next: &'static str,
    lines: Vec<Line>,
    job: Option<Job>,
}

struct Line {
    line_no: i64,
    product: String,
    sku: String,
    name: String,
    units: String,
    amount: String,
    restocks: bool,
}

struct Job {
    id: i64,
    state: Badge,
    failures: u32,
    due_told: &'static str,
    due: When,
    error: String,
}

/// `GET /refunds/{id}`
pub(in crate::pages) async fn show(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path(id): Path<RefundId>,
) -> Result<Response, ApiError> {
    let Story { refund, order, lines, job } = refunds::story(&web.app, id).await?;
    let line = |line: RefundLine| {
        let sold = order.lines.iter().find(|sold| sold.line_no == line.line_no);
        Line::new(line, sold, refund.amount)
    };
    page(
        StatusCode::OK,
        &RefundPage {
            frame: Frame::new(&web.app, &session, REFUNDS),
            order_name: format!("{}/{}", order.row.source, order.row.external_id),
            status: Badge::new(refund.status),
            amount: priced(refund.amount),
            shipping: priced(refund.shipping),
            requested: When::new(&web.app, refund.requested_at),
            settled: refund.settled_at.map(|at| When::new(&web.app, at)),
            next: next(refund.status.parse().ok()),
            lines: lines.into_iter().map(line).collect(),
            job: job.map(|job| Job::new(&web.app, job)),
            refund,
        },
    )
}

/// What happens next, and what somebody can do about it.
fn next(status: Option<RefundStatus>) -> &'static str {
    match status {
        Some(RefundStatus::Requested) => {
            "Its money and units are held already, so nobody can refund them twice. A worker asks the payment gateway \
             next; nothing need be done."
        }
        Some(RefundStatus::Processing) => {
            "The gateway has been asked, or is about to be. While it gives no answer it is asked again with the same \
             key, for as long as it takes: it never pays twice."
        }
        Some(RefundStatus::Succeeded) => {
            "The money went back. Stock, figures and the customer's notification followed in the same step; nothing \
             is left to do."
        }
        Some(RefundStatus::Failed) => {
            "The gateway refused it for good. Its money and units are free again: ask for another refund at the order \
             once the cause is mended."
        }
        None => "",
    }
}

impl Line {
    fn new(line: RefundLine, sold: Option<&LineView>, of: Money) -> Self {
        let (sku, name) = sold.map(|sold| (sold.sku.clone(), sold.name.clone())).unwrap_or_default();
        Line {
            line_no: line.line_no,
            product: links::product(&sku),
            sku,
            name,
            units: number(line.quantity),
            amount: priced(Money::new(line.amount, of.currency)),
            restocks: line.restock,
        }
    }
}

impl Job {
    fn new(app: &App, job: JobRecord) -> Self {
        Job {
            id: job.id.0,
            state: Badge::new(job.state.name()),
            failures: job.failures,
            due_told: match job.state {
                JobState::Scheduled | JobState::Retryable => "Tried again",
                JobState::Available => "Waits since",
                JobState::Executing => "Leased until",
                JobState::Completed | JobState::Discarded | JobState::Cancelled => "Kept until",
            },
            due: When::new(app, job.due_at),
            error: job.errors.into_iter().next_back().map(|error| error.message).unwrap_or_default(),
        }
    }
}
