//! The promises of the use cases and jobs, on real databases and servers.
#![allow(clippy::unwrap_used)]

mod figures;
mod lived;
mod notifications;
mod support;
mod verify;
