//! The promises of the use cases and jobs, on real databases and servers.
#![allow(clippy::unwrap_used)]

#[path = "bench_tmp.rs"]

mod bench_tmp;
mod lived;
mod notifications;
mod support;
mod verify;
