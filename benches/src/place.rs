//! Where runs keep their ledger, their jobs and their figures.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use app::config::Config;
use clap::ValueEnum;
use redis_link::redis;
use serde::Serialize;
use testkit::{Servers, Space};

use crate::cpu;

/// The engines that a run of the bench is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
pub enum Engines {
    /// All of it in a file.
    #[value(name = "sqlite")]
    #[serde(rename = "sqlite")]
    Sqlite,
    /// The ledger in MariaDB, jobs and figures in Redis: private servers with full durability.
    #[value(name = "mysql+redis")]
    #[serde(rename = "mysql+redis")]
    MysqlAndRedis,
}

impl Engines {
    /// What its report goes by.
    pub const fn mark(self) -> &'static str {
        match self {
            Engines::Sqlite => "bench",
            Engines::MysqlAndRedis => "bench-mysql-redis",
        }
    }
}

/// The engines, running.
#[derive(Clone)]
pub struct Place {
    servers: Option<Arc<Servers>>,
}

const MYSQL: &str = "mariadb";
const REDIS: &str = "redis";

impl Place {
    pub fn on(engines: Engines) -> Self {
        let servers = match engines {
            Engines::Sqlite => None,
            Engines::MysqlAndRedis => Some(Arc::new(Servers::start_durable(&[MYSQL, REDIS]))),
        };
        Place { servers }
    }

    pub fn is_sqlite(&self) -> bool {
        self.servers.is_none()
    }

    /// Nothing in it yet. Redis is emptied; it holds one run at a time.
    pub fn empty(&self) -> anyhow::Result<Home> {
        self.empty_redis()?;
        Ok(self.empty_database())
    }

    /// The same, but Redis is left as it is.
    pub fn empty_database(&self) -> Home {
        let servers = self.servers.as_ref();
        Home(Space::at(servers.map(|on| on.url(MYSQL)), servers.map(|on| on.url(REDIS).to_owned())))
    }

    /// The same as [`empty`](Self::empty), but the ledger is a file.
    pub fn empty_with_file(&self) -> anyhow::Result<Home> {
        self.empty_redis()?;
        Ok(Home(Space::at(None, self.servers.as_ref().map(|on| on.url(REDIS).to_owned()))))
    }

    fn empty_redis(&self) -> anyhow::Result<()> {
        if let Some(servers) = &self.servers {
            redis::cmd("FLUSHALL").exec(&mut redis::Client::open(servers.url(REDIS))?.get_connection()?)?;
        }
        Ok(())
    }

    /// The processor time that this process and the servers have used so far.
    pub fn cpu_used(&self) -> anyhow::Result<Duration> {
        let mut used = cpu::used_by("self")?;
        for server in self.servers.iter().flat_map(|servers| [MYSQL, REDIS].map(|name| servers.process(name)))
        {
            used += cpu::used_by(&server.to_string())?;
        }
        Ok(used)
    }
}

/// Where one run keeps what it makes; it goes away with this.
pub struct Home(Space);

impl Home {
    /// A path, or the address of a database on a server.
    pub fn database(&self) -> &str {
        self.0.database_url()
    }

    pub fn file(&self) -> PathBuf {
        Path::new(self.database()).to_owned()
    }

    pub fn redis(&self) -> Option<&str> {
        self.0.redis_url()
    }

    /// Has an application keep everything here.
    pub fn enter(&self, config: &mut Config) {
        self.database().clone_into(&mut config.database.url);
        self.redis().unwrap_or_default().clone_into(&mut config.redis.url);
    }
}
