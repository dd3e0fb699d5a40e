use mysql::{Opts, OptsBuilder};

use crate::{Error, Result};

/// A database on one server or on several of a cluster.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// One for each server, in the order in which they are tried.
    pub(super) servers: Vec<Opts>,
    /// Without the password.
    pub(super) shown: String,
}

impl Address {
    /// Reads `mysql://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]…]/DATABASE[?OPTION=VALUE…]`; `mariadb://` is the
    /// same.
    pub(super) fn parse(url: &str) -> Result<Self> {
        let shown = without_password(url);
        let wrong = || Error::Address(shown.clone());
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        if !matches!(scheme, "mysql" | "mariadb") {
            return Err(wrong());
        }
        let (place, path) = rest.split_once('/').ok_or_else(wrong)?;
        let (login, hosts) = match place.rsplit_once('@') {
            Some((login, hosts)) => (format!("{login}@"), hosts),
            None => (String::new(), place),
        };
        let servers = hosts
            .split(',')
            .filter(|host| !host.is_empty())
            .map(|host| Opts::from_url(&format!("mysql://{login}{host}/{path}")).map_err(|_| wrong()))
            .collect::<Result<Vec<_>>>()?;
        let named = servers.iter().all(|server| server.get_db_name().is_some_and(|name| !name.is_empty()));
        if servers.is_empty() || !named {
            return Err(wrong());
        }
        Ok(Address { servers, shown })
    }

    /// The options of one server, to be completed.
    pub(super) fn server(&self, index: usize) -> OptsBuilder {
        OptsBuilder::from_opts(self.servers[index % self.servers.len()].clone())
    }
}

fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((login, rest)) => {
            let (user, secret) = login.split_once(':').map_or((login, ""), |(user, _)| (user, ":…"));
            format!("{scheme}://{user}{secret}@{rest}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_of_a_cluster_is_tried_with_the_same_login() {
        let address = Address::parse("mysql://shop:s3cret@a:3307,b,c:3309/orders").unwrap();
        let places: Vec<_> = address
            .servers
            .iter()
            .map(|server| {
                (server.get_ip_or_hostname().into_owned(), server.get_tcp_port(), server.get_pass())
            })
            .collect();
        let named = |host: &str, port| (host.to_owned(), port, Some("s3cret"));
        assert_eq!(places, [named("a", 3307), named("b", 3306), named("c", 3309)]);
        assert_eq!(address.shown, "mysql://shop:…@a:3307,b,c:3309/orders");
    }

    #[test]
    fn an_address_without_a_database_is_refused_and_shows_no_password() {
        for url in ["mysql://u:s3cret@a", "mysql://u:s3cret@a/", "mysql://u:s3cret@/x", "http://u:s3cret@a/x"]
        {
            let error = Address::parse(url).unwrap_err().to_string();
            assert!(error.contains("is not a database address") && !error.contains("s3cret"), "{error}");
        }
    }
}
