use std::sync::Arc;

/// Changes with what stands under the keys of a queue. A new version finds none of its own then, as in a Redis that was
/// emptied, and offers again what the ledger expects.
const LAYOUT: u32 = 2;

/// The names of keys; see the table in the module above.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    prefix: Arc<str>,
    /// The queues that hold jobs, or did.
    pub(super) queues: Arc<str>,
    /// The stream that wakes other processes.
    pub(super) wake: Arc<str>,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Keys {
            prefix: Arc::from(prefix),
            queues: Arc::from(format!("{prefix}:{{all}}:queues")),
            wake: Arc::from(format!("{prefix}:{{all}}:wake")),
        }
    }

    /// What the names of a queue's keys begin with. What stands in braces decides where a cluster keeps a key.
    pub(super) fn of(&self, queue: &str) -> String {
        format!("{}:{{q:{queue}}}:{LAYOUT}:", self.prefix)
    }
}
