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

#[cfg(test)]
mod tests {
    use app::config::WebSettings;

    use super::*;

    fn passes(public_url: &str, headers: &[(&str, &str)]) -> bool {
        let public_url = public_url.to_owned();
        let front = Front::new(&WebSettings { public_url, ..WebSettings::default() });
        let mut sent = HeaderMap::from_iter([(header::HOST, "10.0.0.5:8000".parse().unwrap())]);
        for (name, value) in headers {
            sent.insert(name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap());
        }
        check(&front, &sent).is_ok()
    }

    #[test]
    fn browsers_say_where_a_request_comes_from_and_are_believed() {
        for (headers, is_ours) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://10.0.0.5:8000")], false),
            (&[("origin", "http://10.0.0.5:8000")], true),
            (&[("origin", "http://10.0.0.5")], false),
            (&[("origin", "http://10.0.0.5:8000.evil.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "")], false),
        ] {
            assert_eq!(passes("", headers), is_ours, "{headers:?}");
        }
    }

    #[test]
    fn behind_a_proxy_that_changes_our_name_the_public_one_counts() {
        let origin = [("origin", "https://orders.shop.example")];
        assert!(!passes("", &origin));
        assert!(passes("https://orders.shop.example/", &origin));
        assert!(!passes("https://orders.shop.example", &[("origin", "https://shop.example")]));
    }
}
