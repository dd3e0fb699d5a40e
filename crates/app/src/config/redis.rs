use std::time::Duration;

use documented::{Documented, DocumentedFields};
use queue::duration_text;
use serde::{Deserialize, Serialize};

/// Redis or Valkey: jobs and figures are kept in it once it has an address, and in the database until then. `[redis]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct RedisSettings {
    /// Where it is: `redis://HOST:PORT`, `redis+cluster://HOST:PORT,…` or `redis+sentinel://HOST:PORT,…/NAME`, with
    /// `rediss` for TLS. Empty: none is used. `REDIS_URL` is read too.
    pub url: String,
    /// What the names of all keys begin with: another word for each installation that shares the server.
    pub prefix: String,
    /// How long an answer is waited for.
    #[serde(with = "duration_text")]
    pub response_timeout: Duration,
}

impl Default for RedisSettings {
    fn default() -> Self {
        RedisSettings {
            url: String::new(),
            prefix: "ordermill".to_owned(),
            response_timeout: Duration::from_secs(5),
        }
    }
}

impl RedisSettings {
    /// Whether it is used.
    pub fn is_used(&self) -> bool {
        !self.url.is_empty()
    }

    /// How it is reached.
    pub fn open_settings(&self) -> redis_link::Settings {
        redis_link::Settings {
            response_timeout: self.response_timeout,
            ..redis_link::Settings::new(&self.url)
        }
    }
}
