use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use documented::{Documented, DocumentedFields};
use ipnet::IpNet;
use queue::duration_text;
use serde::{Deserialize, Serialize};

/// Where the ledger is. `[database]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSettings {
    /// A path, `sqlite:PATH`, or `mysql://USER:PASSWORD@HOST:PORT/NAME` for MySQL or MariaDB; the hosts of a cluster with
    /// commas between them.
    pub url: String,
    /// When a commit counts as durable on SQLite: `full` survives a power cut, `normal` a killed process.
    pub synchronous: Durability,
    /// Connections that read.
    pub readers: usize,
    /// Connections to MySQL that write; SQLite takes one writer.
    pub writers: usize,
    /// How long another process may hold the database, or a server may be away, before that is an error. A server ends a session that
    /// is silent for two thirds of it.
    #[serde(with = "duration_text")]
    pub lock_timeout: Duration,
}

/// When a commit counts as durable on SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// Once the disk has it.
    #[default]
    Full,
    /// Once the system has it: a power cut may undo the last commits, whole.
    Normal,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        DatabaseSettings {
            url: "data/ordermill.db".to_owned(),
            synchronous: Durability::Full,
            readers: 4,
            writers: 8,
            lock_timeout: Duration::from_secs(30),
        }
    }
}

impl DatabaseSettings {
    /// How the database is opened.
    pub fn open_settings(&self) -> sql::Settings {
        sql::Settings {
            synchronous: match self.synchronous {
                Durability::Full => sql::Synchronous::Full,
                Durability::Normal => sql::Synchronous::Normal,
            },
            readers: self.readers,
            writers: self.writers,
            lock_timeout: self.lock_timeout,
            ..sql::Settings::new(&self.url)
        }
    }
}

/// The shop. `[shop]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct ShopSettings {
    /// Its name, as customers read it.
    pub name: String,
    /// The IANA time zone whose midnight ends a business day. Changing it needs `ordermill analytics rebuild`.
    pub time_zone: String,
    /// The ISO 4217 code of the currency that figures are shown in where none is named.
    pub currency: String,
}

impl Default for ShopSettings {
    fn default() -> Self {
        ShopSettings { name: "The shop".to_owned(), time_zone: "UTC".to_owned(), currency: "EUR".to_owned() }
    }
}

/// The HTTP server. `[web]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct WebSettings {
    /// Address and port.
    pub listen: SocketAddr,
    /// Address and port of a listener of its own for `/metrics`, which then needs no token there.
    pub metrics_listen: Option<SocketAddr>,
    /// Clients of `/api/events` that may listen at once; each takes about 20 KiB and an open file.
    pub events_clients: usize,
    /// How often those who listen are sent a comment, so that nothing between them and us ends a quiet connection, and it
    /// is looked whether they still may listen.
    #[serde(with = "duration_text")]
    pub events_heartbeat: Duration,
    /// How browsers reach it from outside, such as `https://orders.shop.example`. Empty: as it listens, or as a trusted proxy
    /// says. With `https`, sessions are shown to it by HTTPS only.
    pub public_url: String,
    /// Proxies in front of it, such as `127.0.0.1` or `10.0.0.0/8`: whom they name in `X-Forwarded-For` is who asks, and
    /// `X-Forwarded-Proto` is how. Nobody else is believed.
    pub trusted_proxies: Vec<Network>,
    /// How long a session lasts at most.
    #[serde(with = "duration_text")]
    pub session_lifetime: Duration,
    /// How long a session lasts while nobody does anything in it.
    #[serde(with = "duration_text")]
    pub session_idle: Duration,
    /// Requests a second that one token or person may send to the API on average. 0: any number.
    pub api_rate: u32,
    /// Requests that one token or person may send at once, before the average counts.
    pub api_burst: u32,
}

/// Addresses that begin alike: `10.0.0.0/8`, or one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Network(IpNet);

impl Network {
    /// Whether an address is among them.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.0.to_string()
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let alone = text.parse::<IpAddr>().map(IpNet::from);
        let found = alone.or_else(|_| text.parse::<IpNet>());
        found.map(Network).map_err(|_| {
            format!("`{text}` is no address or network; write one such as `127.0.0.1` or `10.0.0.0/8`")
        })
    }
}

impl Default for WebSettings {
    fn default() -> Self {
        WebSettings {
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            metrics_listen: None,
            events_clients: 1_000,
            events_heartbeat: Duration::from_secs(15),
            public_url: String::new(),
            trusted_proxies: Vec::new(),
            session_lifetime: Duration::from_hours(7 * 24),
            session_idle: Duration::from_hours(12),
            api_rate: 0,
            api_burst: 100,
        }
    }
}

/// Logs. `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// What is logged, as `tracing` filters are written: `info`, `warn,app=debug`.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// For machines: one JSON object a line.
    Json,
}

impl Default for LogSettings {
    fn default() -> Self {
        LogSettings { filter: "info".to_owned(), format: LogFormat::Pretty }
    }
}
