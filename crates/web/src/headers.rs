//! What tells browsers to be careful with every answer, and lists in headers of requests.

use axum::http::header::AsHeaderName;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Nothing but what comes from us, nothing inline, and nobody may put us into a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The same for a page that shows a [`MAIL`] in a frame of its own.
const FRAMING_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                              font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
                              frame-ancestors 'none'; frame-src 'self'";

/// Words that may hold anything: nothing in them runs, asks anybody for anything, or leads anywhere.
const MAIL: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; \
                    frame-ancestors 'self'; sandbox";

/// What a page is told with that shows a mail in a frame.
pub(crate) const FRAMES: [(HeaderName, HeaderValue); 1] =
    [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FRAMING_POLICY))];

/// What a mail is told with that a page of ours shows in a frame.
pub(crate) const FRAMED: [(HeaderName, HeaderValue); 2] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(MAIL)),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
];

/// Each with what it is where an answer does not say otherwise itself.
const USUAL: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // `no-referrer` would have browsers send forms with `Origin: null`.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()"),
    // Whatever is not made for everybody is somebody's.
    (header::CACHE_CONTROL, "no-store"),
];

/// A year, as long as browsers are asked to come by HTTPS only.
const HTTPS_ONLY: &str = "max-age=31536000";

pub(crate) fn secure(headers: &mut HeaderMap, is_https: bool) {
    for (name, value) in USUAL {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HTTPS_ONLY));
    }
}

/// The values of a header that may come several times and list several each.
pub(crate) fn listed(headers: &HeaderMap, name: impl AsHeaderName) -> impl DoubleEndedIterator<Item = &str> {
    let texts: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    let values: Vec<&str> = texts.into_iter().flat_map(|text| text.split(',')).map(str::trim).collect();
    values.into_iter()
}
