//! The settings in force, as `ordermill config` shows them.

use app::config::Shown;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use crate::ApiError;
use crate::access::SignedIn;
use crate::pages::frame::Frame;
use crate::pages::{SYSTEM, page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "system/settings.html")]
struct SettingsPage<'p> {
    frame: Frame<'p>,
    settings: Vec<Setting<'p>>,
}

struct Setting<'p> {
    name: &'static str,
    value: String,
    origin: &'p str,
    is_set: bool,
}

/// `GET /system/settings`
pub(in crate::pages) async fn settings(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
) -> Result<Response, ApiError> {
    let settings = web.app.shown().iter().map(Setting::new).collect();
    page(StatusCode::OK, &SettingsPage { frame: Frame::new(&web.app, &session, SYSTEM), settings })
}

impl<'p> Setting<'p> {
    fn new(shown: &'p Shown) -> Self {
        Setting {
            name: shown.name,
            value: written(&shown.value),
            origin: &shown.origin,
            is_set: shown.origin != "default",
        }
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(written).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
