//! Whether what a browser sends comes from a page of ours.

use axum::http::{HeaderMap, header};

use crate::ApiError;
use crate::visitor::Front;

/// Lets a request through that no other site made a browser send. Browsers say where a request comes from, and pages
/// cannot change it; whatever says nothing is no browser of our time.
pub(crate) fn check(front: &Front, headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    if let Some(site) = text("sec-fetch-site") {
        return verdict(matches!(site, "same-origin" | "none"));
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else {
        return Ok(());
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    let is_here = host.is_some()
        && text(header::HOST.as_str()).zip(host).is_some_and(|(here, host)| here.eq_ignore_ascii_case(host));
    verdict(is_here || front.origin() == Some(origin))
}

fn verdict(is_ours: bool) -> Result<(), ApiError> {
    if is_ours { Ok(()) } else { Err(ApiError::CrossOrigin) }
}
