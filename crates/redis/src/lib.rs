//! The one door to Redis or Valkey.
//!
//! A [`Redis`] is a cheap handle to one server, a cluster, or whichever server sentinels name as the primary; callers
//! do not tell them apart. What they owe a cluster is that all keys of one call carry one hash tag.
//!
//! Connections come back by themselves. A call whose answer was lost is not repeated here: whether that is safe, only
//! the caller knows.

mod address;
mod error;
mod link;
mod script;
mod server;

pub use address::{Address, Mode};
pub use error::{Error, Result};
pub use link::{Dedicated, LONGEST_BLOCK, Redis, Settings};
pub use redis::{self, Cmd, FromRedisValue, Pipeline, ToRedisArgs, Value, cmd, pipe};
pub use script::{Call, Script};
pub use server::{ClusterInfo, ServerInfo};
