//! What operators did.

use app::{App, access, queues};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ActionId;
use serde::Deserialize;
use serde_json::Value;
use store::operator_actions::{RecordedAction, Search};

use super::asked::{Asked, Filled};
use super::frame::Frame;
use super::parts::{Pager, When};
use super::{AUDIT, page};
use crate::ApiError;
use crate::access::SignedIn;
use crate::query::{Cursor, Limit, Page};
use crate::server::Web;

/// Which actions a list shows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    /// With this text in who, what or to what.
    text: Option<String>,
    about: Option<About>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// What actions are about.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum About {
    Queues,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage<'p> {
    frame: Frame<'p>,
    rows: Vec<Row>,
    pager: Pager,
    filled: Filled,
}

struct Row {
    at: When,
    actor: String,
    kind: String,
    subject: String,
    before: String,
    after: String,
}

/// `GET /audit`
pub(super) async fn show(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    asked: Asked<Listed>,
) -> Result<Response, ApiError> {
    let (Listed { text, about, limit, cursor }, filled) = asked.parts();
    let search = Search {
        text,
        kinds: match about {
            Some(About::Queues) => queues::ACTIONS,
            None => &[],
        },
        before: cursor.map(|cursor| cursor.parse::<ActionId>()).transpose()?,
        limit: limit.0,
    };
    let Page { data, next } = Page::of_part(access::actions(&web.app, search).await?);
    page(
        StatusCode::OK,
        &AuditPage {
            frame: Frame::new(&web.app, &session, AUDIT),
            rows: data.into_iter().map(|action| Row::new(&web.app, action)).collect(),
            pager: Pager::new(AUDIT, &filled, next.as_deref()),
            filled,
        },
    )
}

impl Row {
    fn new(app: &App, action: RecordedAction) -> Self {
        Row {
            at: When::new(app, action.at),
            actor: action.actor,
            kind: action.kind.replace('_', " "),
            subject: action.subject,
            before: action.before.as_ref().map(told).unwrap_or_default(),
            after: action.after.as_ref().map(told).unwrap_or_default(),
        }
    }
}

/// What is recorded of an action as people read it: what there is, by its name.
fn told(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let known = fields.iter().filter(|(_, value)| !value.is_null());
            let field =
                |(name, value): (&String, &Value)| format!("{} {}", name.replace('_', " "), told(value));
            known.map(field).collect::<Vec<_>>().join(", ")
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::told;

    #[test]
    fn what_is_recorded_reads_without_braces_and_without_what_is_not_there() {
        let filter = json!({ "filter": { "kind": "send_notification", "tag": null }, "at_most": 3 });
        assert_eq!(told(&filter), "at most 3, filter kind send_notification");
        assert_eq!(told(&json!([[1, 2]])), "[[1,2]]");
        assert_eq!(told(&json!(5)), "5");
    }
}
