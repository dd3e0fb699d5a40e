use std::str::FromStr;

use redis::{ConnectionInfo, IntoConnectionInfo};

use crate::{Error, Result};

/// Where Redis is.
///
/// | form | means |
/// | --- | --- |
/// | `redis://[USER:PASSWORD@]HOST[:PORT][/DB]` | one server |
/// | `redis+cluster://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…]` | a cluster; one reachable node is enough |
/// | `redis+sentinel://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…]/NAME[/DB]` | the primary that sentinels call `NAME` |
///
/// `rediss` in the place of `redis` is the same over TLS.
#[derive(Debug, Clone)]
pub struct Address {
    /// One server, a cluster, or behind sentinels.
    pub mode: Mode,
    /// The server, or nodes of the cluster, or sentinels.
    pub(crate) nodes: Vec<ConnectionInfo>,
    pub(crate) tls: bool,
    shown: String,
}

/// How Redis is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// One server.
    Single,
    /// A cluster.
    Cluster,
    /// Behind sentinels.
    Sentinel {
        /// What they call the primary.
        primary: String,
    },
}

impl Address {
    /// The address without its password.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        let wrong = || Error::Address(without_password(url));
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let (base, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let tls = match base {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return Err(wrong()),
        };
        let base = if tls { "rediss" } else { "redis" };
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (format!("{login}@"), rest),
            None => (String::new(), rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (path, query) =
            path.split_once('?').map_or((path, String::new()), |(path, query)| (path, format!("?{query}")));
        let (mode, database) = match kind {
            "" => (Mode::Single, path),
            "cluster" => (Mode::Cluster, path),
            "sentinel" => {
                let (name, database) = path.split_once('/').unwrap_or((path, ""));
                if name.is_empty() {
                    return Err(wrong());
                }
                (Mode::Sentinel { primary: name.to_owned() }, database)
            }
            _ => return Err(wrong()),
        };
        let nodes: Vec<ConnectionInfo> = hosts
            .split(',')
            .filter(|host| !host.is_empty())
            .map(|host| format!("{base}://{login}{host}/{database}{query}").into_connection_info())
            .collect::<redis::RedisResult<_>>()
            .map_err(|_| wrong())?;
        if nodes.is_empty() || (mode == Mode::Single && nodes.len() > 1) {
            return Err(wrong());
        }
        Ok(Address { mode, nodes, tls, shown: without_password(url) })
    }
}

fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((login, rest)) => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:…@{rest}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_told_from_the_others() {
        let mode = |url: &str| url.parse::<Address>().map(|address| (address.mode, address.nodes.len()));
        assert_eq!(mode("redis://localhost").unwrap(), (Mode::Single, 1));
        assert_eq!(mode("rediss://u:p@localhost:6380/2").unwrap(), (Mode::Single, 1));
        assert_eq!(mode("redis+cluster://a:1,b:2,c:3").unwrap(), (Mode::Cluster, 3));
        let sentinel = Mode::Sentinel { primary: "shop".to_owned() };
        assert_eq!(mode("redis+sentinel://a:1,b:2/shop/3").unwrap(), (sentinel, 2));
        for wrong in
            ["localhost:6379", "http://x", "redis://", "redis://a,b", "redis+sentinel://a:1", "redis+x://a"]
        {
            assert!(mode(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_is_shown_to_nobody() {
        let address: Address = "redis://shop:s3cret@db.example:6379/1".parse().unwrap();
        assert_eq!(address.shown(), "redis://shop:…@db.example:6379/1");
        let error = "redis+x://shop:s3cret@db".parse::<Address>().unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }
}
