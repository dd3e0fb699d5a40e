//! Test harness: private servers, clocks, builders, the real data.

pub mod smtp;
