//! What customers were told: found, seen, and told again; and what they are told with.

mod list;
mod resend;
mod show;
mod templates;

use axum::response::{Html, IntoResponse as _, Response};
pub(super) use list::{enable, list};
pub(super) use resend::{ask, resend};
pub(super) use show::{html, show};
pub(super) use templates::{preview, preview_html, templates};

use crate::headers::FRAMED;

/// A mail as it is shown in a frame of its own.
fn framed(html: String) -> Response {
    (FRAMED, Html(html)).into_response()
}
