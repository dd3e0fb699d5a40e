//! What pages are made of besides their text: embedded, compressed once, and named by what it holds, so that browsers keep it for
//! as long as it is the same.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::headers::listed;
use crate::server::Web;

struct Asset {
    name: &'static str,
    media_type: HeaderValue,
    /// Tells its content from any other.
    mark: String,
    plain: Bytes,
    zipped: Bytes,
}

static ASSETS: LazyLock<[Asset; 5]> = LazyLock::new(|| {
    [
        Asset::new("ordermill.css", "text/css; charset=utf-8", include_bytes!("../assets/ordermill.css")),
        Asset::new(
            "ordermill.js",
            "text/javascript; charset=utf-8",
            include_bytes!("../assets/ordermill.js"),
        ),
        Asset::new("icon.svg", "image/svg+xml", include_bytes!("docs/icon.svg")),
        Asset::new(
            "htmx.js",
            "text/javascript; charset=utf-8",
            include_bytes!("../assets/vendor/htmx.min.js"),
        ),
        Asset::new(
            "sse.js",
            "text/javascript; charset=utf-8",
            include_bytes!("../assets/vendor/htmx-sse.min.js"),
        ),
    ]
});

/// A year; the name is another one once the content is.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASKED_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

impl Asset {
    fn new(name: &'static str, media_type: &'static str, content: &'static [u8]) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let zipped =
            encoder.write_all(content).and_then(|()| encoder.finish()).expect("memory takes what is written");
        Asset {
            name,
            media_type: HeaderValue::from_static(media_type),
            mark: crate::fixed::mark(content),
            plain: Bytes::from_static(content),
            zipped: zipped.into(),
        }
    }
}

/// Where a page finds an asset, as it is now.
pub(crate) fn address(name: &str) -> String {
    let asset = ASSETS.iter().find(|asset| asset.name == name).expect("pages name assets that there are");
    format!("/assets/{}/{name}", asset.mark)
}

/// Open to all: they say nothing about the shop.
pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/assets/{mark}/{name}", get(show))
}

async fn show(Path((mark, name)): Path<(String, String)>, request: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // A page of another version may ask for its own: it gets this one, and does not keep it.
    let keeping = if mark == asset.mark { KEPT } else { ASKED_AGAIN };
    let headers = [
        (header::CONTENT_TYPE, asset.media_type.clone()),
        (header::CACHE_CONTROL, keeping),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    if takes_gzip(&request) {
        let zipped = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
        return (headers, zipped, asset.zipped.clone()).into_response();
    }
    (headers, asset.plain.clone()).into_response()
}

fn takes_gzip(request: &HeaderMap) -> bool {
    listed(request, header::ACCEPT_ENCODING).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0)))
    })
}
