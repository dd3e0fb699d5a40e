use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// Where the engine takes the time from.
///
/// It is the wall clock that processes and machines share, and it may step. What a step does:
///
/// - *forwards*: leases seem to have ended, so running jobs may be offered to a second worker. The first one's
///   token is stale from then on, so each effect still lands once; the work is repeated.
/// - *backwards*: a dead worker's leases would end late. A lease that ends later than any lease can is cut back by
///   [`Queue::reap`](crate::Queue::reap), so its job is offered again within [`LONGEST_LEASE`](crate::LONGEST_LEASE).
/// - *either way*: delayed jobs follow the wall clock, because that is what their time was given in. Timeouts,
///   heartbeats, cooldowns and polling use the monotonic clock and do not notice.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        ManualClock(Mutex::new(now))
    }

    /// Moves the clock to `now`, in either direction.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves the clock forwards.
    pub fn advance(&self, by: Duration) {
        let now = self.now();
        self.set(later(now, by));
    }

    /// Moves the clock backwards.
    pub fn turn_back(&self, by: Duration) {
        let now = self.now();
        self.set(earlier(now, by));
    }
}

impl Default for ManualClock {
    /// The first second of 2030.
    fn default() -> Self {
        ManualClock::new(Timestamp::constant(1_893_456_000, 0))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `at + by`, or the end of time.
pub(crate) fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// `at - by`, or the beginning of time.
pub(crate) fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// The time from `from` to `to`; none where the clock went backwards.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
