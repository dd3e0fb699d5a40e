//! Test harness: private servers, places for tests, the real data.

pub mod browser;
pub mod collector;
mod copy;
mod installed;
mod look;
mod mysql;
mod port;
pub mod s3;
mod servers;
pub mod smtp;
mod space;

pub use collector::Collector;
pub use look::{Cell, Look};
pub use port::Port;
pub use servers::Servers;
pub use space::{Space, TEST_MYSQL, TEST_ON, TEST_REDIS};
