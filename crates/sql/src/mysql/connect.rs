use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mysql::consts::CapabilityFlags;
use mysql::prelude::Queryable;
use mysql::{Conn, Error as Fault};

use super::address::Address;
use super::fault;
use super::worker::Kind;
use crate::dialect::Server;
use crate::{Dialect, Error, Result, Settings};

/// Makes connections to whichever server takes what they are for.
pub(super) struct Connector {
    address: Address,
    lock_timeout: Duration,
    /// The server that was found last; the others are tried after it.
    current: AtomicUsize,
    /// How many connections were made.
    made: AtomicU64,
}

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const STATEMENTS_KEPT: usize = 256;
/// How long one run waits for a row lock, at most. The transaction is run again then, as long as its patience lasts.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// Runs that have to wait for a row lock, at least, before that is an error.
const WAITS: u32 = 3;
/// How long the other side may leave unanswered what was sent to it, or a sign of life, in milliseconds: a machine that
/// went away says nothing at all.
const ANSWERED_WITHIN: u32 = 15_000;
/// Seconds between the signs of life that are asked of a silent connection.
const SIGN_OF_LIFE_EVERY: u32 = 5;

impl Connector {
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let address = Address::parse(&settings.url)?;
        let (current, made) = (AtomicUsize::new(0), AtomicU64::new(0));
        Ok(Connector { address, lock_timeout: settings.lock_timeout, current, made })
    }

    /// The address without its password.
    pub(super) fn shown(&self) -> &str {
        &self.address.shown
    }

    /// See [`Tx::era`](crate::Tx::era).
    pub(super) fn era(&self) -> u64 {
        self.made.load(Ordering::Acquire)
    }

    /// Connects once, to learn who answers.
    pub(super) fn greet(&self) -> Result<(Dialect, String)> {
        let unavailable =
            |fault: Fault| Error::Unavailable { target: self.shown().to_owned(), reason: fault.to_string() };
        // Any server will do for that, also while another is being chosen to take writes.
        let mut connection = self.connect_to_any(Kind::Read, false).map_err(unavailable)?;
        let version: Option<String> = connection.query_first("SELECT VERSION()").map_err(unavailable)?;
        let version = version.unwrap_or_default();
        let number = version.split(['-', '+']).next().unwrap_or_default();
        let (server, engine) = if version.contains("MariaDB") {
            (Server::MariaDb, format!("MariaDB {number}"))
        } else {
            (Server::Mysql, format!("MySQL {number}"))
        };
        check_version(server, number, self.shown())?;
        Ok((Dialect::Mysql(server), engine))
    }

    /// A connection, set up. Where several servers are named, one that takes writes, also for whoever only reads: what
    /// the others replay is late, and what is read decides what is done.
    pub(super) fn connect(&self, kind: Kind) -> std::result::Result<Conn, Fault> {
        self.connect_to_any(kind, self.has_several())
    }

    /// Sees to it, where there are several servers, that what is read next is what one says that still takes writes. Who
    /// writes is told so by the server itself; who reads would not notice.
    pub(super) fn begin_read(&self, connection: &mut Conn) -> std::result::Result<(), Fault> {
        if !self.has_several() {
            return Ok(());
        }
        connection.query_drop("START TRANSACTION WITH CONSISTENT SNAPSHOT")?;
        // After the snapshot was taken: it is one of a server that took writes then.
        if only_reads(connection)? { Err(none_takes_writes()) } else { Ok(()) }
    }

    fn has_several(&self) -> bool {
        self.address.servers.len() > 1
    }

    /// Has the next connection try another server first: the last one was no good.
    pub(super) fn look_elsewhere(&self) {
        self.current.fetch_add(1, Ordering::Relaxed);
    }

    fn connect_to_any(&self, kind: Kind, must_write: bool) -> std::result::Result<Conn, Fault> {
        let count = self.address.servers.len();
        let first = self.current.load(Ordering::Relaxed) % count;
        let mut last_fault = None;
        for index in first..first + count {
            match self.connect_to(index, kind, must_write) {
                Ok(Some(connection)) => {
                    self.current.store(index % count, Ordering::Relaxed);
                    return Ok(connection);
                }
                Ok(None) => {}
                Err(fault) => last_fault = Some(fault),
            }
        }
        Err(last_fault.unwrap_or_else(none_takes_writes))
    }

    fn connect_to(
        &self,
        index: usize,
        kind: Kind,
        must_write: bool,
    ) -> std::result::Result<Option<Conn>, Fault> {
        let options = self
            .address
            .server(index)
            .additional_capabilities(CapabilityFlags::CLIENT_FOUND_ROWS)
            .stmt_cache_size(STATEMENTS_KEPT)
            .tcp_connect_timeout(Some(CONNECT_WITHIN))
            .tcp_keepalive_time_ms(Some(10_000))
            .tcp_keepalive_probe_interval_secs(Some(SIGN_OF_LIFE_EVERY))
            .tcp_user_timeout_ms(Some(ANSWERED_WITHIN))
            .prefer_socket(false);
        let mut connection = Conn::new(options)?;
        if must_write && only_reads(&mut connection)? {
            return Ok(None);
        }
        self.set_up(&mut connection, kind)?;
        self.made.fetch_add(1, Ordering::AcqRel);
        Ok(Some(connection))
    }

    fn set_up(&self, connection: &mut Conn, kind: Kind) -> std::result::Result<(), Fault> {
        // Whoever writes reads what is committed and locks what it reads to change; whoever reads sees one snapshot.
        let isolation = match kind {
            Kind::Write => "READ COMMITTED",
            Kind::Read => "REPEATABLE READ, READ ONLY",
        };
        let version: Option<String> = connection.query_first("SELECT VERSION()")?;
        let is_mariadb = version.is_some_and(|version| version.contains("MariaDB"));
        let server = if is_mariadb { Server::MariaDb } else { Server::Mysql };
        let lock_wait = (self.lock_timeout / WAITS).min(LOCK_WAIT).as_secs().max(1);
        if server == Server::Mysql {
            // It would tell the size that a table had yesterday.
            connection.query_drop("SET SESSION information_schema_stats_expiry = 0")?;
        }
        connection.query_drop(format!("SET SESSION TRANSACTION ISOLATION LEVEL {isolation}"))?;
        connection.query_drop(format!("SET NAMES utf8mb4 COLLATE {}", server.collation()))?;
        connection.query_drop(format!(
            "SET SESSION sql_mode = 'STRICT_ALL_TABLES,PIPES_AS_CONCAT,NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE,NO_ZERO_IN_DATE,\
             ERROR_FOR_DIVISION_BY_ZERO', SESSION innodb_lock_wait_timeout = {lock_wait}, SESSION autocommit = 0, \
             SESSION wait_timeout = {}",
            self.silent_at_most().as_secs()
        ))
    }

    /// How long the server lets a session be silent, also in the middle of a transaction. A process that was stopped, or
    /// whose machine went away, keeps its locks no longer than others wait for them.
    fn silent_at_most(&self) -> Duration {
        Duration::from_secs((self.lock_timeout.as_secs() * 2).div_ceil(3).max(2))
    }

    /// How often a connection that rests gives a sign of life.
    pub(super) fn sign_of_life(&self) -> Duration {
        self.silent_at_most() / 4
    }

    pub(super) fn error(&self, fault: &Fault, statement: &str) -> Error {
        fault::translate(fault, statement, self.shown())
    }
}

/// Where a connection rests between two uses.
pub(super) struct Rest {
    connection: Option<(Conn, Instant)>,
    /// For how long it may: the server ends it soon after.
    at_most: Duration,
}

impl Rest {
    pub(super) fn of(connector: &Connector) -> Self {
        Rest { connection: None, at_most: connector.silent_at_most() / 2 }
    }

    /// Has a resting connection tell the server that this process is alive.
    pub(super) fn stir(&mut self) {
        if let Some(mut connection) = self.take()
            && connection.ping().is_ok()
        {
            self.put(connection);
        }
    }

    pub(super) fn put(&mut self, connection: Conn) {
        self.connection = Some((connection, Instant::now()));
    }

    pub(super) fn take(&mut self) -> Option<Conn> {
        let (connection, since) = self.connection.take()?;
        (since.elapsed() <= self.at_most).then_some(connection)
    }
}

fn only_reads(connection: &mut Conn) -> std::result::Result<bool, Fault> {
    let only_reads: Option<i64> = connection.query_first("SELECT @@global.read_only")?;
    Ok(only_reads == Some(1))
}

fn none_takes_writes() -> Fault {
    Fault::IoError(std::io::Error::other("none of the servers takes writes at the moment"))
}

/// Refuses servers that lack what the schema and the statements need.
fn check_version(server: Server, number: &str, target: &str) -> Result<()> {
    let parts: Vec<u32> = number.split('.').filter_map(|part| part.parse().ok()).collect();
    let (least, name) = match server {
        Server::Mysql => ([8, 0, 17], "MySQL"),
        Server::MariaDb => ([10, 6, 0], "MariaDB"),
    };
    if parts.as_slice() >= least.as_slice() {
        return Ok(());
    }
    let [major, minor, patch] = least;
    Err(Error::Unavailable {
        target: target.to_owned(),
        reason: format!(
            "{name} {number} is too old; ordermill needs {name} {major}.{minor}.{patch} or later"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_too_old_is_refused_by_its_name_and_the_version_that_is_needed() {
        let refused =
            |server, number| check_version(server, number, "there").map_err(|error| error.to_string());
        for (server, old, least) in
            [(Server::Mysql, "5.7.44", "MySQL 8.0.17"), (Server::MariaDb, "10.5.29", "MariaDB 10.6.0")]
        {
            let told = refused(server, old).unwrap_err();
            assert!(told.contains(&format!("{old} is too old")) && told.contains(least), "{told}");
        }
        for (server, number) in
            [(Server::Mysql, "8.0.17"), (Server::Mysql, "9.7.4"), (Server::MariaDb, "11.4.2")]
        {
            refused(server, number).unwrap();
        }
    }
}
