//! Connections to a MySQL or MariaDB server, or to whichever of several takes writes.

use std::thread::sleep;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable as _;
use mysql::{Conn, Opts};

/// For how long one of several servers is waited for, while they agree on who takes writes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Connects to the first server of `mysql://[USER[:PASSWORD]@]HOST:PORT[,HOST:PORT…][/DATABASE]` that takes writes.
pub(crate) fn connect(url: &str) -> Result<Conn, String> {
    let began = Instant::now();
    loop {
        match connect_now(url) {
            Err(_) if servers(url).len() > 1 && began.elapsed() < PATIENCE => {
                sleep(Duration::from_millis(100));
            }
            done => return done,
        }
    }
}

fn connect_now(url: &str) -> Result<Conn, String> {
    let mut failed = Vec::new();
    for server in servers(url) {
        match writable(&server) {
            Ok(Some(connection)) => return Ok(connection),
            Ok(None) => failed.push(format!("{server} takes no writes")),
            Err(error) => failed.push(format!("{server}: {error}")),
        }
    }
    Err(failed.join("; "))
}

fn servers(url: &str) -> Vec<String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("mysql", url));
    let (place, database) = rest.split_once('/').map_or((rest, None), |(place, name)| (place, Some(name)));
    let (login, hosts) =
        place.rsplit_once('@').map_or((String::new(), place), |(login, hosts)| (format!("{login}@"), hosts));
    let database = database.map(|name| format!("/{name}")).unwrap_or_default();
    hosts.split(',').map(|host| format!("{scheme}://{login}{host}{database}")).collect()
}

fn writable(server: &str) -> mysql::Result<Option<Conn>> {
    let mut connection = Conn::new(Opts::from_url(server)?)?;
    let is_read_only: Option<bool> = connection.query_first("SELECT @@GLOBAL.read_only")?;
    Ok((is_read_only != Some(true)).then_some(connection))
}
