//! What many pages show alike.

use std::borrow::Cow;

use app::App;
use askama::Template;
use askama::filters::HtmlSafe;
use jiff::Timestamp;

use super::asked::Filled;

/// A status as a word with a colour. The colour says nothing that the word does not.
#[derive(Template)]
#[template(source = r#"<span class="badge {{ self.tone() }}">{{ word }}</span>"#, ext = "html")]
pub(super) struct Badge {
    word: String,
}

impl HtmlSafe for Badge {}

impl Badge {
    pub(super) fn new(status: &str) -> Self {
        Badge { word: status.replace('_', " ") }
    }

    fn tone(&self) -> &'static str {
        match self.word.as_str() {
            "confirmed" | "completed" | "paid" | "captured" | "succeeded" | "sent" | "delivered"
            | "applied" | "ok" | "up" | "working" => "good",
            "failed" | "down" | "error" | "disabled" | "oversold" | "none left" | "declined"
            | "discarded" | "rejected" | "expired" | "out of stock" => "bad",
            "pending" | "reserved" | "requested" | "accepted" | "processing" | "running" | "executing"
            | "sending" | "planning" | "fetching" | "queued" | "shipped" | "available" => "busy",
            "paused" | "retryable" | "partially refunded" | "partially shipped" | "late" | "failing"
            | "unknown" | "few left" => "warn",
            _ => "quiet",
        }
    }
}

/// An instant in the shop's time zone, with the exact one to whoever asks.
#[derive(Template)]
#[template(source = r#"<time datetime="{{ exact }}" title="{{ exact }}">{{ told }}</time>"#, ext = "html")]
pub(super) struct When {
    exact: Timestamp,
    told: String,
}

impl HtmlSafe for When {}

impl When {
    pub(super) fn new(app: &App, at: Timestamp) -> Self {
        let local = at.to_zoned(app.calendar().zone().clone());
        When { exact: at, told: local.strftime("%Y-%m-%d %H:%M:%S").to_string() }
    }
}

/// The way to the other parts of a list.
#[derive(Template)]
#[template(path = "pager.html")]
pub(super) struct Pager {
    first: Option<String>,
    next: Option<String>,
}

impl HtmlSafe for Pager {}

impl Pager {
    /// Of the list at `path`, of which `next` is the cursor of the part that comes next.
    pub(super) fn new(path: &str, filled: &Filled, next: Option<&str>) -> Self {
        Pager {
            first: filled.goes_on().then(|| format!("{path}{}", filled.begun_again())),
            next: next.map(|cursor| format!("{path}{}", filled.at_cursor(cursor))),
        }
    }

    /// Whether there is a part that comes next.
    pub(super) fn goes_on(&self) -> bool {
        self.next.is_some()
    }
}

/// One of several things that can be chosen.
pub(super) struct Choice {
    pub(super) value: Cow<'static, str>,
    pub(super) told: String,
    pub(super) is_chosen: bool,
}

impl Choice {
    /// What can be chosen in the field `name`.
    pub(super) fn among(
        filled: &Filled,
        name: &str,
        values: impl IntoIterator<Item = &'static str>,
    ) -> Vec<Choice> {
        let choice = |value: &'static str| Choice {
            value: value.into(),
            told: value.replace('_', " "),
            is_chosen: filled.is(name, value),
        };
        values.into_iter().map(choice).collect()
    }

    /// The same of names, which are told as they are.
    pub(super) fn names(
        filled: &Filled,
        name: &str,
        values: impl IntoIterator<Item: Into<Cow<'static, str>>>,
    ) -> Vec<Choice> {
        let choice = |value: Cow<'static, str>| Choice {
            told: value.clone().into_owned(),
            is_chosen: filled.is(name, &value),
            value,
        };
        values.into_iter().map(Into::into).map(choice).collect()
    }

    /// The same, with what each of them is told as.
    pub(super) fn told(filled: &Filled, name: &str, values: &[(&'static str, &str)]) -> Vec<Choice> {
        let choice = |(value, told): &(&'static str, &str)| Choice {
            value: (*value).into(),
            told: (*told).to_owned(),
            is_chosen: filled.is(name, value),
        };
        values.iter().map(choice).collect()
    }
}

/// A list that somebody comes back to.
pub(super) struct View {
    pub(super) told: &'static str,
    pub(super) address: String,
    pub(super) is_shown: bool,
}

impl View {
    /// Those of the list at `path` that differ by what the field `name` holds.
    pub(super) fn among(
        path: &str,
        filled: &Filled,
        name: &str,
        views: &[(&'static str, &str)],
    ) -> Vec<View> {
        let view = |(told, value): &(&'static str, &str)| View {
            told,
            address: format!("{path}{}", filled.with(name, value)),
            is_shown: filled.is(name, value),
        };
        views.iter().map(view).collect()
    }
}
