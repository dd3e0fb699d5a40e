//! How often something may be tried, or asked for.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::Clock;
use app::access::Caller;
use app::config::WebSettings;
use domain::Email;
use governor::clock::{Clock as LimiterClock, Reference as _};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::ApiError;
use crate::visitor::Visitor;

/// Passwords that may be tried of one account before there are pauses.
const FREE_OF_ACCOUNT: u32 = 5;
/// The same from one household: many people may sit behind one address.
const FREE_OF_HOUSEHOLD: u32 = 20;
/// Pauses begin with a second, double with each try, and become no longer than this, so that nobody is shut out by others.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// Tries are forgotten when none came for this long.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(1);
/// Refused sign-ins that are kept in the operators' log within a second.
const RECORDED_A_SECOND: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// The application's time, as limiters want it.
#[derive(Clone)]
pub(crate) struct Time(Arc<dyn Clock>);

impl LimiterClock for Time {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let nanoseconds = u64::try_from(self.0.now().as_nanosecond()).unwrap_or_default();
        Nanos::from(nanoseconds)
    }
}

type Callers = RateLimiter<String, HashMapStateStore<String>, Time, NoOpMiddleware<Nanos>>;
type Refusals = RateLimiter<NotKeyed, InMemoryState, Time, NoOpMiddleware<Nanos>>;

/// The limits of this process.
pub(crate) struct Limits {
    time: Time,
    /// There are no more of them than tokens and people.
    callers: Option<Callers>,
    refusals: Refusals,
    tries: Mutex<Tries>,
    hasher: RandomState,
}

impl Limits {
    pub(crate) fn new(settings: &WebSettings, clock: Arc<dyn Clock>) -> Self {
        let time = Time(clock);
        let rate = NonZeroU32::new(settings.api_rate).zip(NonZeroU32::new(settings.api_burst));
        let callers = rate.map(|(rate, burst)| {
            RateLimiter::hashmap_with_clock(Quota::per_second(rate).allow_burst(burst), time.clone())
        });
        let refusals = RateLimiter::direct_with_clock(Quota::per_second(RECORDED_A_SECOND), time.clone());
        Limits { time, callers, refusals, tries: Mutex::default(), hasher: RandomState::new() }
    }

    /// Lets one more request of a caller through, unless there were too many.
    pub(crate) fn admit(&self, caller: &Caller) -> Result<(), ApiError> {
        let Some(callers) = &self.callers else { return Ok(()) };
        callers
            .check_key(&caller.actor.as_str().to_owned())
            .map_err(|refused| ApiError::TooManyRequests { after: refused.wait_time_from(self.time.now()) })
    }

    /// Whether one more refused sign-in is kept.
    pub(crate) fn is_refusal_kept(&self) -> bool {
        self.refusals.check().is_ok()
    }

    /// Counts a try of a password; of many at once each is counted before it is looked at. Refused is how long to wait.
    pub(crate) fn try_password(&self, account: &str, visitor: Visitor) -> Result<Try<'_>, Duration> {
        // However it is written: whatever is the same account is counted as one.
        let account = Email::parse(account).map_or_else(|_| account.to_owned(), String::from);
        let account = self.slot(account);
        let household = self.slot(visitor.household());
        let now = self.time.now();
        let mut tries = self.tries();
        let pause = tries.accounts.pause(account, now).max(tries.households.pause(household, now));
        if !pause.is_zero() {
            return Err(pause);
        }
        tries.accounts.count(account, now);
        tries.households.count(household, now);
        Ok(Try { limits: self, account, household })
    }

    /// Where somebody is counted. There are 65,536 places whoever comes, and nobody outside knows who shares one.
    fn slot(&self, who: impl Hash) -> u16 {
        self.hasher.hash_one(who) as u16
    }

    fn tries(&self) -> std::sync::MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A password that is being tried.
pub(crate) struct Try<'l> {
    limits: &'l Limits,
    account: u16,
    household: u16,
}

impl Try<'_> {
    /// It was right: the account's tries are forgotten, and this one did not come from a guesser.
    pub(crate) fn was_right(self) {
        let mut tries = self.limits.tries();
        tries.accounts.series.remove(&self.account);
        if let Some(series) = tries.households.series.get_mut(&self.household) {
            series.count = series.count.saturating_sub(1);
        }
    }
}

struct Tries {
    accounts: Table,
    households: Table,
}

impl Default for Tries {
    fn default() -> Self {
        let table = |free| Table { free, series: HashMap::new() };
        Tries { accounts: table(FREE_OF_ACCOUNT), households: table(FREE_OF_HOUSEHOLD) }
    }
}

struct Table {
    free: u32,
    series: HashMap<u16, Series>,
}

/// Tries that followed each other.
struct Series {
    count: u32,
    last: Nanos,
}

impl Table {
    /// How long the next try must wait.
    fn pause(&self, slot: u16, now: Nanos) -> Duration {
        let Some(Series { count, last }) = self.series.get(&slot) else { return Duration::ZERO };
        let since: Duration = now.duration_since(*last).into();
        if *count < self.free || since >= FORGOTTEN_AFTER {
            return Duration::ZERO;
        }
        let pause = 1_u64.checked_shl(count - self.free).map_or(LONGEST_PAUSE, Duration::from_secs);
        pause.min(LONGEST_PAUSE).saturating_sub(since)
    }

    fn count(&mut self, slot: u16, now: Nanos) {
        let series = self.series.entry(slot).or_insert(Series { count: 0, last: now });
        if Duration::from(now.duration_since(series.last)) >= FORGOTTEN_AFTER {
            series.count = 0;
        }
        (series.count, series.last) = (series.count.saturating_add(1), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: u16 = 0;

    fn at(seconds: u64) -> Nanos {
        Duration::from_secs(seconds).into()
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_are_forgotten_in_peace() {
        let mut table = Table { free: 2, series: HashMap::new() };
        let mut now = 1_000;
        let mut pauses = Vec::new();
        for _ in 0..14 {
            let pause = table.pause(NOBODY, at(now)).as_secs();
            pauses.push(pause);
            now += pause;
            assert_eq!(table.pause(NOBODY, at(now)), Duration::ZERO, "after its pause");
            table.count(NOBODY, at(now));
        }
        assert_eq!(pauses, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        now += FORGOTTEN_AFTER.as_secs();
        table.count(NOBODY, at(now));
        assert_eq!(table.pause(NOBODY, at(now)), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_went_back_shuts_nobody_out_for_longer_than_the_longest_pause() {
        let mut table = Table { free: 1, series: HashMap::new() };
        for _ in 0..100 {
            table.count(NOBODY, at(1_000_000));
        }
        assert_eq!(table.pause(NOBODY, at(1)), LONGEST_PAUSE);
    }

    #[test]
    fn however_many_come_the_tables_do_not_grow_beyond_their_places() {
        let limits = Limits::new(&WebSettings::default(), Arc::new(app::SystemClock));
        for number in 0..200_000_u32 {
            let visitor = Visitor { address: std::net::Ipv4Addr::from(number).into(), is_https: false };
            let _ = limits.try_password(&format!("somebody-{number}@example.org"), visitor);
        }
        let tries = limits.tries();
        assert!(tries.accounts.series.len() <= 65_536 && tries.households.series.len() <= 65_536);
    }
}
