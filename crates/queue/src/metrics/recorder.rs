use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Figures, Measure, Sample};

/// Figures since the last flush, and what the balance of workers needs to know. One short lock for a batch of jobs.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Gathered>);

#[derive(Debug, Default)]
struct Gathered {
    figures: HashMap<(Arc<str>, Arc<str>), Figures>,
    mean_run: HashMap<Arc<str>, f64>,
}

/// How much the newest batch counts in the mean run time.
const WEIGHT: f64 = 0.2;

impl Recorder {
    pub(crate) fn count(&self, queue: &Arc<str>, kind: &Arc<str>, measure: Measure, n: u64) {
        if n > 0 {
            let mut gathered = self.lock();
            gathered.of(queue, kind).add(measure, 0, n);
        }
    }

    pub(crate) fn waited(&self, queue: &Arc<str>, kind: &Arc<str>, waits: impl Iterator<Item = Duration>) {
        let mut gathered = self.lock();
        let figures = gathered.of(queue, kind);
        waits.for_each(|wait| figures.wait.add(wait, 1));
    }

    /// A batch of `jobs` ran and took this long.
    pub(crate) fn ran(&self, queue: &Arc<str>, kind: &Arc<str>, jobs: usize, took: Duration) {
        let share = took / u32::try_from(jobs.max(1)).unwrap_or(u32::MAX);
        let mut gathered = self.lock();
        gathered.of(queue, kind).run.add(share, jobs as u64);
        let seconds = share.as_secs_f64();
        gathered
            .mean_run
            .entry(Arc::clone(queue))
            .and_modify(|mean| *mean += (seconds - *mean) * WEIGHT)
            .or_insert(seconds);
    }

    /// The mean time that a job of this queue has run of late.
    pub(crate) fn mean_run(&self, queue: &str) -> Option<Duration> {
        self.lock().mean_run.get(queue).map(|seconds| Duration::from_secs_f64(*seconds))
    }

    /// Takes what was gathered.
    pub(crate) fn take(&self) -> Vec<Sample> {
        let figures = std::mem::take(&mut self.lock().figures);
        let mut samples = Vec::new();
        for ((queue, kind), figures) in figures {
            let mut put = |measure, bucket, n| {
                samples.push(Sample {
                    queue: Arc::clone(&queue),
                    kind: Arc::clone(&kind),
                    measure,
                    bucket,
                    n,
                });
            };
            for (measure, n) in figures.counts {
                put(measure, 0, n);
            }
            for (measure, histogram) in [(Measure::Wait, figures.wait), (Measure::Run, figures.run)] {
                for (bucket, n) in histogram.filled() {
                    put(measure, bucket, n);
                }
            }
        }
        samples
    }

    /// Puts samples back that could not be written.
    pub(crate) fn put_back(&self, samples: &[Sample]) {
        let mut gathered = self.lock();
        for sample in samples {
            gathered.of(&sample.queue, &sample.kind).add(sample.measure, sample.bucket, sample.n);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gathered {
    fn of(&mut self, queue: &Arc<str>, kind: &Arc<str>) -> &mut Figures {
        self.figures.entry((Arc::clone(queue), Arc::clone(kind))).or_default()
    }
}
