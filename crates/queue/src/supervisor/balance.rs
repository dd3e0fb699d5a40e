//! How many workers each pool should have.

use std::time::Duration;

use crate::settings::Balance;

/// A pool, as the balance sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    /// Jobs that wait; counting may stop at some bound.
    pub(crate) waiting: usize,
    /// How long a job runs.
    pub(crate) mean_run: Duration,
    /// Workers now.
    pub(crate) workers: usize,
    pub(crate) min: usize,
    pub(crate) max: usize,
}

/// The workers that each pool gets next: at most `total` together, none moved by more than `shift`.
pub(crate) fn share(balance: Balance, total: usize, shift: usize, loads: &[Load]) -> Vec<usize> {
    let wanted = match balance {
        Balance::Off => return loads.iter().map(|load| load.max).collect(),
        Balance::Simple => fill(total, loads, |_| 1.0),
        Balance::Auto => fill(total, loads, time_to_clear),
    };
    step(total, shift, loads, &wanted)
}

/// How long one worker would take for what waits: workers shared out in its proportion make all queues wait alike.
fn time_to_clear(load: &Load) -> f64 {
    load.waiting as f64 * load.mean_run.max(Duration::from_micros(10)).as_secs_f64()
}

/// Gives each pool its minimum, then one worker after another to the pool that has the most weight per worker.
fn fill(total: usize, loads: &[Load], weight: impl Fn(&Load) -> f64) -> Vec<usize> {
    let mut workers: Vec<usize> = loads.iter().map(|load| load.min).collect();
    let mut left = total.saturating_sub(workers.iter().sum());
    while left > 0 {
        let neediest = loads
            .iter()
            .zip(&workers)
            .enumerate()
            .filter(|(_, (load, workers))| **workers < load.max && weight(load) > 0.0)
            .map(|(index, (load, workers))| (index, weight(load) / (*workers as f64).max(0.5)))
            .max_by(|(_, left), (_, right)| left.total_cmp(right));
        match neediest {
            Some((index, _)) => workers[index] += 1,
            None => break,
        }
        left -= 1;
    }
    workers
}

/// Moves towards `wanted`: first what shrinks, then what grows into the room that there is.
fn step(total: usize, shift: usize, loads: &[Load], wanted: &[usize]) -> Vec<usize> {
    let mut next: Vec<usize> = loads
        .iter()
        .zip(wanted)
        .map(|(load, wanted)| load.workers.min((*wanted).max(load.workers.saturating_sub(shift))))
        .collect();
    let mut room = total.saturating_sub(next.iter().sum());
    for ((load, wanted), next) in loads.iter().zip(wanted).zip(&mut next) {
        // A pool never stays below its minimum for the sake of gentleness.
        let reach = (load.workers + shift).max(load.min).min(*wanted);
        let more = reach.saturating_sub(*next).min(room);
        *next += more;
        room -= more;
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(waiting: usize, millis: u64, workers: usize) -> Load {
        Load { waiting, mean_run: Duration::from_millis(millis), workers, min: 1, max: 10 }
    }

    #[test]
    fn auto_shares_workers_by_the_time_a_job_would_wait() {
        let loads = [load(1000, 1, 1), load(100, 30, 1), load(0, 500, 1)];
        assert_eq!(share(Balance::Auto, 9, 100, &loads), [2, 6, 1]);
    }

    #[test]
    fn auto_keeps_idle_pools_at_their_minimum() {
        let loads = [load(0, 1, 5), load(0, 1, 1)];
        assert_eq!(share(Balance::Auto, 10, 100, &loads), [1, 1]);
    }

    #[test]
    fn an_idle_pool_without_minimum_gets_a_worker_once_something_waits() {
        let idle = Load { min: 0, workers: 0, ..load(0, 1, 0) };
        assert_eq!(share(Balance::Auto, 4, 1, &[idle]), [0]);
        assert_eq!(share(Balance::Auto, 4, 1, &[Load { waiting: 1, ..idle }]), [1]);
    }

    #[test]
    fn simple_shares_evenly() {
        assert_eq!(share(Balance::Simple, 6, 100, &[load(9, 1, 1), load(0, 1, 1), load(5, 9, 1)]), [2, 2, 2]);
    }

    #[test]
    fn off_gives_each_pool_its_maximum() {
        assert_eq!(share(Balance::Off, 1, 1, &[load(0, 1, 0), load(0, 1, 0)]), [10, 10]);
    }

    #[test]
    fn a_pool_moves_by_no_more_than_the_shift() {
        let loads = [load(100, 1, 2), load(0, 1, 6)];
        assert_eq!(share(Balance::Auto, 20, 2, &loads), [4, 4]);
    }

    #[test]
    fn together_there_are_never_more_than_the_total() {
        let loads = [load(100, 1, 1), load(100, 1, 9)];
        let next = share(Balance::Auto, 10, 1, &loads);
        assert_eq!(next, [2, 8]);
    }

    #[test]
    fn no_pool_exceeds_its_maximum() {
        let small = Load { max: 2, ..load(1000, 10, 1) };
        assert_eq!(share(Balance::Auto, 20, 100, &[small]), [2]);
    }
}
