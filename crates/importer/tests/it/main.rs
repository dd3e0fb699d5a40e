//! What the importer does with whole files.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod look;
mod nasty;
mod orders;
mod plan;
mod properties;
mod real_data;
mod rejects;
mod sample;
mod spool;
mod whole;
