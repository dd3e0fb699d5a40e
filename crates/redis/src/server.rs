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
    /// The most memory it may use, in bytes; 0 where that is all there is.
    pub memory_limit: u64,
    /// Keys that it holds.
    pub keys: u64,
    /// Keys that it threw away for want of memory.
    pub evicted_keys: u64,
    /// Its part in replication: `master` or `slave`, as it calls itself.
    pub role: String,
    /// Replicas that follow it.
    pub replicas: u64,
    /// Seconds since it started.
    pub uptime: u64,
}

/// How a cluster stands.
#[derive(Debug, Clone)]
pub struct ClusterInfo {
    /// `ok`, or `fail` where it does not answer for all of its slots.
    pub state: String,
    /// Slots that a node has, of 16,384.
    pub slots_assigned: u64,
    /// Slots whose node is reached.
    pub slots_ok: u64,
    /// Nodes that are known.
    pub nodes: u64,
}

impl Redis {
    /// Asks the server about itself.
    pub async fn info(&self) -> Result<ServerInfo> {
        let text = self.info_text().await?;
        let facts = facts(&text);
        let number = |name: &str| number(&facts, name);
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
            memory_limit: number("maxmemory"),
            keys: keys(&facts),
            evicted_keys: number("evicted_keys"),
            role: facts.get("role").copied().unwrap_or_default().to_owned(),
            replicas: number("connected_slaves"),
            uptime: number("uptime_in_seconds"),
        })
    }

    /// Asks a node how its cluster stands; none where there is no cluster.
    pub async fn cluster_info(&self) -> Result<Option<ClusterInfo>> {
        if self.address().mode != Mode::Cluster {
            return Ok(None);
        }
        let text = self.node_text(redis::cmd("CLUSTER").arg("INFO")).await?;
        let facts = facts(&text);
        Ok(Some(ClusterInfo {
            state: facts.get("cluster_state").copied().unwrap_or_default().to_owned(),
            slots_assigned: number(&facts, "cluster_slots_assigned"),
            slots_ok: number(&facts, "cluster_slots_ok"),
            nodes: number(&facts, "cluster_known_nodes"),
        }))
    }

    /// Waits for an answer to nothing.
    pub async fn ping(&self) -> Result<()> {
        self.run(redis::cmd("PING").arg("ordermill")).await
    }
}

fn facts(text: &str) -> HashMap<&str, &str> {
    text.lines().filter_map(|line| line.trim_end().split_once(':')).collect()
}

fn number(facts: &HashMap<&str, &str>, name: &str) -> u64 {
    facts.get(name).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Those of all of its databases: `db0:keys=12,expires=3,avg_ttl=0`.
fn keys(facts: &HashMap<&str, &str>) -> u64 {
    let databases = facts.iter().filter(|(name, _)| {
        name.strip_prefix("db").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let of_one = |value: &str| value.strip_prefix("keys=")?.split(',').next()?.parse::<u64>().ok();
    databases.filter_map(|(_, value)| of_one(value)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_all_databases() {
        let text = "db0:keys=12,expires=3,avg_ttl=0\r\ndb15:keys=30,expires=0,avg_ttl=0\r\ndbsize:keys=7\r\n";
        assert_eq!(keys(&facts(text)), 42);
        assert_eq!(keys(&facts("role:master\r\n")), 0);
    }
}
