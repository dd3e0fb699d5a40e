//! Which addresses may be called: those of the public internet. What a name stands for is looked up once, and the
//! connection goes to the addresses that were looked at, so a name cannot become another in between.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Looks names up, and refuses those of which any address is not public.
pub(super) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let checked: Addrs = Box::new(checked(name.as_str(), found)?.into_iter());
            Ok(checked)
        })
    }
}

/// A name that leads where nobody is called.
#[derive(Debug, thiserror::Error)]
#[error("{name} has the address {address}, which is not public; the setting allow_private would allow it")]
pub(super) struct NotPublic {
    name: String,
    address: IpAddr,
}

fn checked(name: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
    match found.iter().map(SocketAddr::ip).find(|address| !is_public(*address)) {
        Some(address) => Err(NotPublic { name: name.to_owned(), address }),
        None => Ok(found),
    }
}

/// Why the host of a URL may not be called, where it is an address that is not public: no name is looked up for it.
pub(crate) fn refused_in(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    let address: IpAddr = host.trim_matches(['[', ']']).parse().ok()?;
    let refused = NotPublic { name: "the URL".to_owned(), address };
    (!is_public(address)).then(|| refused.to_string())
}

/// Blocks of addresses that are for special purposes, after IANA's registry.
const SPECIAL_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// Within the block of public addresses, those that are not: among them tunnels, whose ends could be anywhere.
const SPECIAL_V6: [(Ipv6Addr, u32); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];
const PUBLIC_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// What gateways between the two worlds put before an address of the old one.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(block, length): &([u8; 4], u32)| {
        (address.to_bits() ^ u32::from_be_bytes(*block)).leading_zeros() >= *length
    };
    !SPECIAL_V4.iter().any(within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within =
        |(block, length): (Ipv6Addr, u32)| (address.to_bits() ^ block.to_bits()).leading_zeros() >= length;
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    if within(NAT64) {
        return is_public_v4(Ipv4Addr::from_bits(address.to_bits() as u32));
    }
    within(PUBLIC_V6) && !SPECIAL_V6.into_iter().any(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_public_are_refused() {
        for special in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "192.168.255.255",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a9fe:a9fe::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
    }

    #[test]
    fn public_addresses_are_not() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "169.255.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.167.255.255",
            "192.169.0.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_url_cannot_hide_an_address() {
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::ffff:169.254.169.254]:80/",
            "http://0/",
            "http://127.0.0.1.:80/",
            "http://\u{ff11}27.0.0.1/",
            "https://169.254.169.254/latest/",
        ] {
            let refused = refused_in(&Url::parse(url).unwrap());
            assert!(refused.is_some_and(|reason| reason.contains("not public")), "{url}");
        }
        for url in
            ["https://8.8.8.8/", "https://shop.example/", "https://[2606:4700::1111]/", "http://127.example/"]
        {
            assert_eq!(refused_in(&Url::parse(url).unwrap()), None, "{url}");
        }
    }

    #[test]
    fn a_name_with_one_address_that_is_not_public_is_refused_whole() {
        let found = |addresses: &[&str]| {
            addresses.iter().map(|one| one.parse().unwrap()).collect::<Vec<SocketAddr>>()
        };
        assert_eq!(checked("a.example", found(&["8.8.8.8:0", "1.1.1.1:0"])).unwrap().len(), 2);
        let refused = checked("a.example", found(&["8.8.8.8:0", "[::ffff:10.0.0.1]:0"])).unwrap_err();
        assert!(refused.to_string().starts_with("a.example has the address ::ffff:10.0.0.1"), "{refused}");
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_refused() {
        let refused = PublicOnly.resolve("localhost".parse().unwrap()).await.err().unwrap();
        assert!(refused.to_string().contains("not public"), "{refused}");
    }
}
