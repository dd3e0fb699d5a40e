use std::collections::BTreeMap;
use std::time::Duration;

use queue::{State, SupervisorRecord, WaitLimit};

use super::QueueStanding;
use crate::words::spoken;

/// A wait that is too long in a queue for which the settings name no other.
const LONG_WAIT: Duration = Duration::from_mins(1);

/// Something about the queues that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// A queue holds its jobs back.
    Paused {
        /// The queue.
        queue: String,
    },
    /// The oldest job of a queue has waited for longer than is in order.
    LongWait {
        /// The queue.
        queue: String,
        /// For how long.
        waited: Duration,
        /// What is in order.
        limit: Duration,
        /// Whether nobody takes jobs of this queue.
        unattended: bool,
    },
    /// Jobs wait in a queue that nobody takes jobs from.
    Unattended {
        /// The queue.
        queue: String,
    },
    /// Supervisors of this name take no jobs.
    PausedSupervisor {
        /// The name.
        name: String,
    },
}

impl Trouble {
    pub(super) fn find(
        limits: &BTreeMap<String, WaitLimit>,
        queues: &[QueueStanding],
        supervisors: &[SupervisorRecord],
        paused_supervisors: &[String],
    ) -> Vec<Self> {
        let of_queue = |standing: &QueueStanding| {
            let queue = standing.depth.queue.clone();
            let limit = limits.get(&queue).map_or(LONG_WAIT, |limit| limit.0);
            let waited = Duration::try_from_secs_f64(standing.wait.unwrap_or_default()).unwrap_or_default();
            let mut pools = supervisors.iter().flat_map(|one| &one.pools);
            let unattended = !pools.any(|pool| pool.queue == queue);
            if standing.depth.paused {
                Some(Trouble::Paused { queue })
            } else if waited > limit {
                Some(Trouble::LongWait { queue, waited, limit, unattended })
            } else if unattended && standing.depth.count(State::Available) > 0 {
                Some(Trouble::Unattended { queue })
            } else {
                None
            }
        };
        let paused = paused_supervisors.iter().map(|name| Trouble::PausedSupervisor { name: name.clone() });
        queues.iter().filter_map(of_queue).chain(paused).collect()
    }

    /// What is the matter.
    pub fn told(&self) -> String {
        match self {
            Trouble::Paused { queue } => format!("queue {queue} is paused"),
            Trouble::LongWait { queue, waited, .. } => {
                format!("queue {queue} has waited for {}", spoken(*waited))
            }
            Trouble::Unattended { queue } => format!("nobody takes the jobs of queue {queue}"),
            Trouble::PausedSupervisor { name } => format!("the supervisors called {name} are paused"),
        }
    }

    /// What mends it, typed at the server.
    pub fn remedy(&self) -> String {
        match self {
            Trouble::Paused { queue } => format!("`ordermill queue continue {queue}`"),
            Trouble::LongWait { unattended: false, .. } => "add workers".to_owned(),
            Trouble::LongWait { .. } | Trouble::Unattended { .. } => {
                "nobody works: start `ordermill work`".to_owned()
            }
            Trouble::PausedSupervisor { name } => format!("`ordermill queue continue --supervisor {name}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use queue::{PoolStatus, QueueDepth, SupervisorId};

    use super::*;

    fn standing(queue: &str, paused: bool, waiting: usize, wait: Option<f64>) -> QueueStanding {
        let states = BTreeMap::from([(State::Available, waiting)]);
        QueueStanding {
            depth: QueueDepth { queue: queue.to_owned(), paused, states, oldest_waiting: None },
            wait,
        }
    }

    fn working_on(queue: &str) -> SupervisorRecord {
        SupervisorRecord {
            id: SupervisorId(1),
            name: "default".to_owned(),
            host: "here".to_owned(),
            pid: 1,
            started_at: Timestamp::UNIX_EPOCH,
            seen_at: Timestamp::UNIX_EPOCH,
            memory_mib: None,
            terminating: false,
            pools: vec![PoolStatus { queue: queue.to_owned(), workers: 1, busy: Vec::new() }],
        }
    }

    fn found(limits: &[(&str, u64)], queues: &[QueueStanding]) -> Vec<Trouble> {
        let limit =
            |(queue, seconds): &(&str, u64)| ((*queue).to_owned(), WaitLimit(Duration::from_secs(*seconds)));
        Trouble::find(&limits.iter().map(limit).collect(), queues, &[working_on("stock")], &[])
    }

    #[test]
    fn a_wait_is_measured_by_the_limit_of_its_queue() {
        let queues = [standing("stock", false, 1, Some(59.0))];
        assert_eq!(found(&[], &queues), []);
        let told: Vec<String> = found(&[("stock", 30)], &queues).iter().map(Trouble::told).collect();
        assert_eq!(told, ["queue stock has waited for 59.0 s"]);
        let queues = [standing("stock", false, 1, Some(61.0))];
        assert_eq!(found(&[], &queues).len(), 1);
        assert_eq!(found(&[("stock", 120)], &queues), []);
    }

    #[test]
    fn a_paused_queue_is_told_once_whatever_waits_in_it() {
        let queue = "mail".to_owned();
        assert_eq!(found(&[], &[standing("mail", true, 1, Some(900.0))]), [Trouble::Paused { queue }]);
    }

    #[test]
    fn jobs_of_a_queue_without_workers_are_told_of_before_they_have_waited_long() {
        let queue = "mail".to_owned();
        assert_eq!(found(&[], &[standing("mail", false, 1, Some(1.0))]), [Trouble::Unattended { queue }]);
        assert_eq!(found(&[], &[standing("mail", false, 0, None), standing("stock", false, 9, None)]), []);
    }
}
