//! Where requests come from, as far as the connection and the proxies in front tell.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use app::config::{Network, WebSettings};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;

use crate::headers::{self, listed};

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Whoever sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Visitor {
    pub(crate) address: IpAddr,
    /// Whether their browser speaks HTTPS, with us or with a proxy.
    pub(crate) is_https: bool,
}

/// What stands in front of this server.
#[derive(Debug, Default)]
pub(crate) struct Front {
    proxies: Vec<Network>,
    /// How browsers name us, where it is told.
    origin: Option<String>,
}

impl Front {
    pub(crate) fn new(settings: &WebSettings) -> Self {
        let url = reqwest::Url::parse(&settings.public_url).ok();
        Front {
            proxies: settings.trusted_proxies.clone(),
            origin: url.map(|url| url.origin().ascii_serialization()),
        }
    }

    /// How browsers name us, where it is told.
    pub(crate) fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    fn visitor(&self, peer: IpAddr, headers: &HeaderMap) -> Visitor {
        let peer = peer.to_canonical();
        let is_public = self.origin().is_some_and(|origin| origin.starts_with("https://"));
        if !self.trusts(peer) {
            return Visitor { address: peer, is_https: is_public };
        }
        let said = listed(headers, FORWARDED_PROTO).next_back();
        let is_https = is_public || said.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        Visitor { address: self.behind(peer, headers), is_https }
    }

    /// Who stands behind a proxy that we trust: the last of those named whom we do not trust ourselves. What comes before
    /// may be made up.
    fn behind(&self, proxy: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut last = proxy;
        for named in listed(headers, FORWARDED_FOR).rev() {
            let Some(address) = address(named) else { break };
            last = address;
            if !self.trusts(address) {
                break;
            }
        }
        last
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(address))
    }
}

/// An address, also with a port behind it.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_matches(['[', ']']).parse::<IpAddr>();
    bare.ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .map(|ip| ip.to_canonical())
}

impl Visitor {
    /// Whom limits count as one: an IPv4 address, or what one IPv6 household is given.
    pub(crate) fn household(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(_) => self.address,
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        }
    }
}

/// Finds out where each request comes from, and gives every answer the headers that keep browsers careful.
pub(crate) async fn receive(State(front): State<Arc<Front>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().map(|Peer(socket)| socket.ip());
    let visitor = front.visitor(peer.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), request.headers());
    request.extensions_mut().insert(visitor);
    let mut response = next.run(request).await;
    headers::secure(response.headers_mut(), visitor.is_https);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn front(public_url: &str, proxies: &[&str]) -> Front {
        Front::new(&WebSettings {
            public_url: public_url.to_owned(),
            trusted_proxies: proxies
                .iter()
                .map(|text| Network::try_from((*text).to_owned()).unwrap())
                .collect(),
            ..WebSettings::default()
        })
    }

    fn seen(front: &Front, peer: &str, headers: &[(&'static str, &str)]) -> (String, bool) {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let visitor = front.visitor(peer.parse().unwrap(), &headers.collect());
        (visitor.address.to_string(), visitor.is_https)
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        let named = [(FORWARDED_FOR, "203.0.113.7"), (FORWARDED_PROTO, "https")];
        let alone = front("", &[]);
        assert_eq!(seen(&alone, "127.0.0.1", &named), ("127.0.0.1".to_owned(), false));
        let behind = front("", &["127.0.0.1", "10.0.0.0/8"]);
        assert_eq!(seen(&behind, "127.0.0.1", &named), ("203.0.113.7".to_owned(), true));
        assert_eq!(seen(&behind, "::ffff:127.0.0.1", &named), ("203.0.113.7".to_owned(), true));
        assert_eq!(seen(&behind, "192.0.2.1", &named), ("192.0.2.1".to_owned(), false));
    }

    #[test]
    fn what_a_visitor_wrote_before_the_proxies_is_passed_over() {
        let front = front("", &["127.0.0.1", "10.0.0.0/8"]);
        let address = |value: &str| seen(&front, "127.0.0.1", &[(FORWARDED_FOR, value)]).0;
        assert_eq!(address("198.51.100.9, 203.0.113.7, 10.1.2.3"), "203.0.113.7");
        assert_eq!(address("10.9.9.9, 203.0.113.7:4711"), "203.0.113.7");
        assert_eq!(address("[2001:db8::1]:443"), "2001:db8::1");
        assert_eq!(address("nonsense, 10.1.2.3"), "10.1.2.3");
        assert_eq!(address("nonsense"), "127.0.0.1");
        let twice = [(FORWARDED_FOR, "198.51.100.9"), (FORWARDED_FOR, "203.0.113.7")];
        let mut headers = HeaderMap::new();
        for (name, value) in twice {
            headers.append(name, value.parse().unwrap());
        }
        assert_eq!(front.visitor([127, 0, 0, 1].into(), &headers).address.to_string(), "203.0.113.7");
    }

    #[test]
    fn a_public_address_with_https_counts_wherever_a_request_comes_from() {
        let front = front("https://orders.shop.example/", &[]);
        assert!(seen(&front, "127.0.0.1", &[]).1);
        assert_eq!(front.origin(), Some("https://orders.shop.example"));
    }

    #[test]
    fn a_household_is_one_address_or_one_network_of_64_bits() {
        let household = |text: &str| {
            let visitor = Visitor { address: text.parse().unwrap(), is_https: false };
            visitor.household().to_string()
        };
        assert_eq!(household("203.0.113.7"), "203.0.113.7");
        assert_eq!(household("2001:db8:1:2:3:4:5:6"), household("2001:db8:1:2::9"));
        assert_ne!(household("2001:db8:1:2::9"), household("2001:db8:1:3::9"));
    }
}
