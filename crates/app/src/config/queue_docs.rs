//! What the settings of the job engine mean. The engine is a library of its own, so they are explained here; a test
//! compares the names with its structs.

/// What `[queue]` is about.
pub(super) const ENGINE: &str = "The job engine. `[queue]`";

/// What `[queue.supervisor]` is about.
pub(super) const WORKERS: &str = "The workers of a process. `[queue.supervisor]`";

/// The settings of `[queue]`.
pub(super) const SETTINGS: &[(&str, &str)] = &[
    (
        "lease",
        "A job is offered again when its worker has not been heard of for this long. Heartbeats come at a third of it.",
    ),
    (
        "keep_alive",
        "For how long after the start of a run heartbeats extend its lease. No handler may have a longer timeout.",
    ),
    ("poll", "How often workers look for jobs that nobody told them about."),
    ("step", "Jobs that one step promotes, takes back or deletes at most."),
    ("max_losses", "A job whose run has cost this many workers is discarded."),
    ("isolate_after", "From this many lost workers on, a job runs alone."),
    ("keep_completed", "How long completed jobs are kept. With zero, completing a job deletes it."),
    ("keep_ended", "How long discarded and cancelled jobs, and finished batches, are kept."),
    ("keep_ended_at_most", "How many ended jobs are kept at most, for each queue and state."),
    ("flush_metrics", "How often figures are written."),
    (
        "alerts",
        "The longest wait that is in order, by queue, as in `alerts = { stock = \"30s\" }`. Queues that are not named \
         raise no alert.",
    ),
];

/// The settings of `[queue.supervisor]`.
pub(super) const SUPERVISOR: &[(&str, &str)] = &[
    ("name", "What operators call it. Processes may share a name, and are paused and stopped together."),
    (
        "pools",
        "The workers of each queue, as in `[[queue.supervisor.pools]]` with `queue`, `min`, `max` workers and `batch`, \
         the jobs that a worker takes at a time. Where none is given, each queue has a pool that suits it.",
    ),
    (
        "balance",
        "How workers are shared out: `auto` by waiting time, `simple` evenly, `off`: each pool has its `max`.",
    ),
    ("max_workers", "Workers of all pools together, at most."),
    ("shift", "Workers that a pool may gain or lose at a time."),
    ("cooldown", "How often workers are shared out."),
    (
        "stop_within",
        "How long running jobs may take to finish after a stop. What has not finished by then is handed back.",
    ),
    ("max_jobs", "Stop after this many jobs."),
    ("max_memory_mib", "Stop above this much memory, in MiB."),
];
