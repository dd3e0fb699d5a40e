use std::time::Duration;

use documented::{Documented, DocumentedFields};
use queue::duration_text;
use serde::{Deserialize, Serialize};

/// Redis or Valkey, where jobs and figures are kept once it has an address. `[redis]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct RedisSettings {
    /// `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, `redis+cluster://HOST:PORT,…` or `redis+sentinel://HOST:PORT,…/NAME`,
    /// with `rediss` for TLS. Without it, jobs and figures are in the database.
    pub url: Option<String>,
    /// What the names of all keys begin with: one for each shop that shares a server.
    pub prefix: String,
    /// How long an answer is waited for.
    #[serde(with = "duration_text")]
    pub response_timeout: Duration,
}

impl Default for RedisSettings {
    fn default() -> Self {
        RedisSettings { url: None, prefix: "ordermill".to_owned(), response_timeout: Duration::from_secs(5) }
    }
}

impl RedisSettings {
    /// How Redis is reached; none where it is not used.
    pub fn open_settings(&self) -> Option<redis_link::Settings> {
        let url = self.url.as_deref().filter(|url| !url.is_empty())?;
        Some(redis_link::Settings {
            response_timeout: self.response_timeout,
            ..redis_link::Settings::new(url)
        })
    }
}
