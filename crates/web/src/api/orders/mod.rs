//! Orders: found, seen, placed, and moved on.

mod list;
mod moves;
mod place;
mod show;

pub(crate) use list::{Listed, list, listed};
pub(crate) use moves::{cancel, deliver, moved, ship};
pub(crate) use place::{place, placed};
pub(crate) use show::{show, shown};

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::OrderId;
use serde::Serialize;

use crate::ApiError;
use crate::server::Web;

/// The most that a body may have.
const LIMIT: usize = 1024 * 1024;

const TAG: &str = "The version of the order, for `If-Match`.";

/// The order of this name. A slash would end the part of the address, so a colon stands for it.
async fn resolve(web: &Web, name: String) -> Result<OrderId, ApiError> {
    let name = name.replacen(':', "/", 1);
    Ok(web
        .app
        .look_up("resolve_order", move |tx| Ok::<_, app::Error>(store::orders::resolve(tx, &name)?))
        .await?)
}

/// An order as it stands, with its version as its tag.
fn tagged(version: i64, status: StatusCode, body: &impl Serialize) -> Response {
    let tag = HeaderValue::try_from(format!("\"{version}\"")).expect("a number is a sound header");
    (status, [(header::ETAG, tag)], Json(body)).into_response()
}
