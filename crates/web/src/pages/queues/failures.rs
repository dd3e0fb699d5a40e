//! What fails, grouped by error.

use app::App;
use app::access::sessions::Session;
use app::queues::Deed;
use askama::Template;
use askama::filters::HtmlSafe;
use axum::extract::State as From;
use axum::http::StatusCode;
use queue::{FailureGroup, Filter};

use super::{Answer, change, list_of};
use crate::access::SignedIn;
use crate::pages::page;
use crate::pages::parts::{Badge, When};
use crate::pages::words::{clipped, number};
use crate::server::Web;

/// `GET /queues/failures`
pub(in crate::pages) async fn failures(From(web): From<Web>, SignedIn(session): SignedIn) -> Answer {
    page(StatusCode::OK, &Failures::read(&web.app, &session).await?)
}

/// Groups that are shown.
const SHOWN: usize = 20;
/// Letters of a message.
const LETTERS: usize = 160;

/// The part of the page.
#[derive(Template)]
#[template(path = "queues/failures.html")]
pub(super) struct Failures {
    operates: bool,
    groups: Vec<Group>,
    more: usize,
}

impl HtmlSafe for Failures {}

struct Group {
    count: String,
    kind: String,
    state: Badge,
    message: String,
    last: When,
    example: i64,
    jobs: String,
    retry: String,
    delete: String,
}

impl Failures {
    pub(super) async fn read(app: &App, session: &Session) -> app::Result<Self> {
        let mut groups = app.queue().failure_groups().await?;
        let more = groups.len().saturating_sub(SHOWN);
        groups.truncate(SHOWN);
        Ok(Failures {
            operates: session.caller.role.covers(domain::Role::Operator),
            groups: groups.into_iter().map(|group| Group::new(app, group)).collect(),
            more,
        })
    }
}

impl Group {
    fn new(app: &App, group: FailureGroup) -> Self {
        let filter = Filter {
            kind: Some(group.kind.clone()),
            error: Some(group.message.clone()),
            ..Filter::state(group.state)
        };
        Group {
            count: number(i64::try_from(group.count).unwrap_or(i64::MAX)),
            kind: group.kind,
            state: Badge::new(group.state.name()),
            message: clipped(&group.message, LETTERS),
            last: When::new(app, group.last_at),
            example: group.example.0,
            jobs: list_of(&filter),
            retry: change::all_matching(Deed::Retry, &filter),
            delete: change::all_matching(Deed::Delete, &filter),
        }
    }
}
