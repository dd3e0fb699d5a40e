use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::job::Job;

/// What is known of a job besides what its handler answers. Shared by a whole claim, so that it costs one
/// allocation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Landing(Option<(Arc<[AtomicU8]>, usize)>);

/// What a [`Landing`] knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is this worker's to settle.
    Open,
    /// Its completion is durable, in its handler's own transaction.
    Landed,
    /// It is not this worker's any more.
    Refused,
}

impl Landing {
    /// One for each job of a claim.
    pub(crate) fn spread(jobs: &mut [Job]) {
        let marks: Arc<[AtomicU8]> = jobs.iter().map(|_| AtomicU8::new(Standing::Open as u8)).collect();
        for (index, job) in jobs.iter_mut().enumerate() {
            job.landing = Landing(Some((Arc::clone(&marks), index)));
        }
    }

    pub(crate) fn mark(&self, standing: Standing) {
        if let Some((marks, index)) = &self.0 {
            marks[*index].store(standing as u8, Ordering::Release);
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        let mark = self.0.as_ref().map(|(marks, index)| marks[*index].load(Ordering::Acquire));
        match mark {
            Some(mark) if mark == Standing::Landed as u8 => Standing::Landed,
            Some(mark) if mark == Standing::Refused as u8 => Standing::Refused,
            _ => Standing::Open,
        }
    }
}
