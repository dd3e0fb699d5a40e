use std::collections::HashMap;

use crate::{Mode, Redis, Result};

/// What a status page shows of a server; of a cluster, of one of its nodes.
#[derive(Debug, Clone)]
pub struct ServerInfo {
    /// Engine and version, such as `Redis 7.0.15` or `Valkey 9.1.2`.
    pub engine: String,
    /// Memory in use, in bytes.
    pub used_memory: u64,
    /// Connected clients.
    pub clients: u64,
    /// Commands a second, of late.
    pub commands_per_second: u64,
    /// Whether what is written survives a restart, and how.
    pub persistence: &'static str,
}

impl Redis {
    /// Asks the server about itself.
    pub async fn info(&self) -> Result<ServerInfo> {
        let text = self.info_text().await?;
        let facts: HashMap<&str, &str> =
            text.lines().filter_map(|line| line.trim_end().split_once(':')).collect();
        let number = |name: &str| facts.get(name).and_then(|text| text.parse().ok()).unwrap_or_default();
        let is_on = |name: &str| facts.get(name).is_some_and(|value| *value == "1");
        let engine = match (facts.get("valkey_version"), facts.get("redis_version")) {
            (Some(version), _) => format!("Valkey {version}"),
            (None, Some(version)) => format!("Redis {version}"),
            (None, None) => "Redis".to_owned(),
        };
        let engine = match self.address().mode {
            Mode::Single => engine,
            Mode::Cluster => format!("{engine} (cluster)"),
            Mode::Sentinel { .. } => format!("{engine} (behind sentinels)"),
        };
        Ok(ServerInfo {
            engine,
            used_memory: number("used_memory"),
            clients: number("connected_clients"),
            commands_per_second: number("instantaneous_ops_per_sec"),
            persistence: if is_on("aof_enabled") { "append-only file" } else { "snapshots only, or none" },
        })
    }
}
