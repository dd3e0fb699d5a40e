//! Test harness: private servers, places for tests, the real data.

mod copy;
pub mod smtp;
mod space;

pub use space::{Space, TEST_MYSQL, TEST_ON, TEST_REDIS};
