//! How much is broken, and when: drawn from a seed that is printed, so that a failure can be repeated.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Random moments.
pub struct Chance(StdRng);

impl Chance {
    /// Drawn from `ORDERMILL_CHAOS_SEED`, else from anything.
    pub fn new() -> Self {
        let given = std::env::var("ORDERMILL_CHAOS_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(rand::random::<u64>);
        println!("ORDERMILL_CHAOS_SEED={seed}");
        Chance(StdRng::seed_from_u64(seed))
    }

    /// A time below `longest`.
    pub fn below(&mut self, longest: Duration) -> Duration {
        longest.mul_f64(self.0.random())
    }

    /// A number from 0 to 1.
    pub fn share(&mut self) -> f64 {
        self.0.random()
    }

    /// One of so many.
    pub fn index(&mut self, of: usize) -> usize {
        self.0.random_range(0..of)
    }

    /// One of two.
    pub fn coin(&mut self) -> bool {
        self.0.random()
    }
}

/// Whether the counts of the guarantees are run whole (`ORDERMILL_CHAOS=full`) rather than at a tenth.
pub fn is_full() -> bool {
    std::env::var_os("ORDERMILL_CHAOS").is_some_and(|how| how == "full")
}

/// A count of the guarantees, or the tenth of it that is run by default.
pub fn count(whole: u64) -> u64 {
    if is_full() { whole } else { whole / 10 }
}
