//! What happens, told while it happens: server-sent events.

use app::orders::news::{self, Heard};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::ApiError;
use crate::access::Shown;
use crate::connections::Cut;
use crate::live::{Joining, Listener, Message, Topic, Topics};
use crate::openapi::Operation;
use crate::problem::kinds;
use crate::query::Query;
use crate::server::Web;

/// Where a client that comes back says what it has heard.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// When a client whose connection has ended comes back, in milliseconds. Not all at once.
const RETRY: std::ops::Range<u32> = 2_000..5_000;

/// What to listen to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Some of `kpis`, `imports`, `orders` and `queues`, with commas between them; all, where it is not told.
    topics: Option<String>,
}

impl Wanted {
    fn topics(&self) -> Result<Topics, ApiError> {
        let Some(names) = &self.topics else { return Ok(Topics::all()) };
        Topics::parse(names).map_err(|name| {
            let known = Topic::ALL.map(Topic::as_str).join(", ");
            let detail = format!("`{name}` is no topic; the topics are {known}");
            ApiError::wrong("?topics", detail)
        })
    }
}

/// `GET /api/events`
pub(crate) async fn listen(
    State(web): State<Web>,
    Query(wanted): Query<Wanted>,
    cut: Option<Extension<Cut>>,
    Extension(shown): Extension<Shown>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let topics = wanted.topics()?;
    let returns = headers.get(LAST_EVENT_ID).filter(|_| topics.has(Topic::Orders));
    let seen = returns.map(|id| id.to_str().ok().and_then(|id| id.parse::<i64>().ok()).unwrap_or(-1));
    // Before they join: whoever reads what is new begins there, if nobody did before.
    let (numbered, continues) = news::look(&web.app, seen).await?;
    let joining = Joining { topics, shown, cut: cut.map(|Extension(cut)| cut).unwrap_or_default(), numbered };
    let mut listener = web.hub.join(joining)?;
    match seen {
        Some(_) if !continues => {
            let number = listener.from();
            listener.begin_with(Listener::reset(number));
        }
        Some(seen) => catch_up(&web, &mut listener, seen).await?,
        None => {}
    }
    let ready = Message::render(seen.filter(|_| continues).or(Some(listener.from())), "ready", &json!({}));
    listener.begin_with(ready);
    listener.begin_with(format!("retry: {}\n\n", rand::random_range(RETRY)).into());
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // What stands between would hold events back otherwise.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, listener.into_body()).into_response())
}

/// Says what listening answers.
pub(crate) fn listening(operation: &mut Operation<'_>) {
    let description =
        "The last event that was heard: what orders did since is told first, if that is not too much.";
    operation
        .says("Server-sent events, for as long as both sides like.")
        .takes_header::<String>("Last-Event-ID", false, description)
        .answers_as(
            StatusCode::OK,
            "text/event-stream",
            "Events, one after the other.",
            json!({ "type": "string" }),
        )
        .refuses(&[kinds::TOO_MANY_LISTENERS]);
}

/// Tells a listener what others were told since they heard `seen`, if that is not too much.
async fn catch_up(web: &Web, listener: &mut Listener, seen: i64) -> Result<(), ApiError> {
    let from = listener.from();
    if seen < from {
        match news::hear_again(&web.app, seen).await? {
            Heard::Nothing => {}
            Heard::News(number, missed) if number >= from => {
                listener.begin_with(Message::render(Some(number), Topic::Orders.as_str(), &missed));
                listener.knows(number);
            }
            Heard::News(..) | Heard::Lost(_) => listener.begin_with(Listener::reset(from)),
        }
    }
    // Another process may have told them more than this one has read.
    listener.knows(seen);
    Ok(())
}
