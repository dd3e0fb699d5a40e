use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::between;
use crate::{Queue, Result};

/// Something that a person should know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alert {
    /// A job has waited for longer than is in order in its queue. Raised once, until the wait is in order again.
    LongWait {
        /// The queue.
        queue: String,
        /// How long its oldest job has waited.
        waiting: Duration,
        /// What is in order.
        limit: Duration,
        /// Whether that is because the queue is paused.
        paused: bool,
    },
    /// The wait is in order again.
    Recovered {
        /// The queue.
        queue: String,
    },
}

type Hook = Box<dyn Fn(&Alert) + Send + Sync>;

/// Who is told, and which queues they were told of.
#[derive(Default)]
pub(crate) struct AlertHook {
    hook: Mutex<Option<Hook>>,
    raised: Mutex<BTreeSet<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    /// Calls `hook` with each alert. It must not block; one hook at a time.
    pub fn on_alert(&self, hook: impl Fn(&Alert) + Send + Sync + 'static) {
        *lock(&self.alert_hook().hook) = Some(Box::new(hook));
    }

    /// Compares the waits with the limits of the settings and raises what has changed. Supervisors do this regularly.
    pub async fn check_waits(&self) -> Result<()> {
        let limits = &self.settings().alerts;
        if limits.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let mut alerts = Vec::new();
        for depth in self.backend().depths(Some(1)).await? {
            let Some(limit) = limits.get(&depth.queue) else { continue };
            let waiting = depth.oldest_waiting.map_or(Duration::ZERO, |since| between(since, now));
            let mut raised = lock(&self.alert_hook().raised);
            if waiting > limit.0 && raised.insert(depth.queue.clone()) {
                let (limit, paused) = (limit.0, depth.paused);
                alerts.push(Alert::LongWait { queue: depth.queue, waiting, limit, paused });
            } else if waiting <= limit.0 && raised.remove(&depth.queue) {
                alerts.push(Alert::Recovered { queue: depth.queue });
            }
        }
        if let Some(hook) = &*lock(&self.alert_hook().hook) {
            alerts.iter().for_each(hook);
        }
        Ok(())
    }
}
