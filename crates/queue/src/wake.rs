use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

/// Tells the workers of this process that there is something to do.
#[derive(Debug)]
pub(crate) struct Wake {
    queues: Mutex<HashMap<Arc<str>, Arc<Notify>>>,
    /// Told when something becomes due earlier than upkeep expects.
    pub(crate) upkeep: Notify,
    expected: AtomicI64,
}

impl Default for Wake {
    fn default() -> Self {
        Wake { queues: Mutex::default(), upkeep: Notify::new(), expected: AtomicI64::new(i64::MAX) }
    }
}

impl Wake {
    /// What a worker of `queue` waits on. A wake-up while nobody waits is kept for the next who does.
    pub(crate) fn queue(&self, queue: &str) -> Arc<Notify> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(notify) = queues.get(queue) {
            return Arc::clone(notify);
        }
        Arc::clone(queues.entry(Arc::from(queue)).or_default())
    }

    /// Wakes one worker of `queue`; it wakes the next if there is more than it can take.
    pub(crate) fn one(&self, queue: &str) {
        let notify = self.queues.lock().unwrap_or_else(PoisonError::into_inner).get(queue).cloned();
        if let Some(notify) = notify {
            notify.notify_one();
        }
    }

    /// Says when upkeep will look next.
    pub(crate) fn expect(&self, at: Timestamp) {
        self.expected.store(at.as_microsecond(), Ordering::Release);
    }

    /// Wakes upkeep if something becomes due before it would look.
    pub(crate) fn due(&self, at: Timestamp) {
        if at.as_microsecond() < self.expected.load(Ordering::Acquire) {
            self.upkeep.notify_one();
        }
    }
}
