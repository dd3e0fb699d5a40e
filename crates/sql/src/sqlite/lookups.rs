use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use crate::Result;
use crate::ids::IdBlocks;
use crate::sqlite::reader::over_a_snapshot;
use crate::work::{Queue, Unit, Verdict};

/// Connections on which whoever asks reads for themselves: to hand a few rows over from another thread takes longer than
/// to find them.
pub(super) struct Lookups {
    /// Those that nobody reads on; none at all once they are closed.
    free: Mutex<Option<Vec<Connection>>>,
    reads: Arc<Queue>,
    ids: Arc<IdBlocks>,
}

impl Lookups {
    /// Over these connections. What cannot be read on them at once is left to the threads behind `reads`.
    pub(super) fn new(connections: Vec<Connection>, reads: Arc<Queue>, ids: Arc<IdBlocks>) -> Result<Self> {
        for connection in &connections {
            // Whoever asks has other things to do than to wait for a lock.
            let busy = connection.busy_timeout(Duration::ZERO);
            busy.map_err(|error| crate::Error::from_sqlite(&error, "PRAGMA busy_timeout"))?;
        }
        Ok(Lookups { free: Mutex::new(Some(connections)), reads, ids })
    }

    pub(super) fn run(&self, mut unit: Box<dyn Unit>) {
        let Some(connection) = self.lock().as_mut().and_then(Vec::pop) else {
            return self.reads.push(unit);
        };
        let ran = over_a_snapshot(&connection, unit.as_mut(), &self.ids, 1);
        if let Some(free) = self.lock().as_mut() {
            free.push(connection);
        }
        match ran {
            Ok(Verdict::Commit | Verdict::Rollback) => unit.answer(None),
            Ok(Verdict::Again) | Err(_) => self.reads.push(unit),
        }
    }

    pub(super) fn close(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::thread::{self, ThreadId};
    use std::time::Instant;

    use super::*;
    use crate::sqlite::reader;
    use crate::{Error, Tx};

    /// What finds a lock at first.
    struct Locked {
        ran_on: Vec<ThreadId>,
        ran: Sender<(Vec<ThreadId>, bool)>,
    }

    impl Unit for Locked {
        fn run(&mut self, _: &mut Tx<'_>) -> Verdict {
            self.ran_on.push(thread::current().id());
            if self.ran_on.len() == 1 { Verdict::Again } else { Verdict::Commit }
        }

        fn answer(self: Box<Self>, error: Option<Error>) {
            self.ran.send((self.ran_on, error.is_none())).expect("the test waits for it");
        }

        fn name(&self) -> &'static str {
            "locked"
        }

        fn asked_at(&self) -> Instant {
            Instant::now()
        }
    }

    #[test]
    fn what_finds_a_lock_waits_for_it_on_another_thread() {
        let (reads, ids) = (Arc::<Queue>::default(), Arc::<IdBlocks>::default());
        let open = || Connection::open_in_memory().expect("memory can be had");
        let reader = reader::start(open(), reads.clone(), ids.clone());
        let lookups = Lookups::new(vec![open()], reads.clone(), ids).expect("it is open");
        let (ran, answered) = channel();
        lookups.run(Box::new(Locked { ran_on: Vec::new(), ran }));
        let (ran_on, is_well) = answered.recv().expect("it is answered");
        assert!(is_well);
        assert_eq!(ran_on, [thread::current().id(), reader.thread().id()]);
        assert_eq!(lookups.lock().as_ref().map(Vec::len), Some(1), "its connection is free again");
        reads.close();
        reader.join().expect("it ends");
    }
}
