//! Every metric there is.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram};

/// How a metric is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, from the start of the process that counts.
    Counter,
    /// What is so when it is asked for, whichever process made it so.
    Gauge,
    /// Durations by their length, from the start of the process that counts.
    Histogram,
}

impl Kind {
    /// Prometheus's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// How it is read.
    pub kind: Kind,
    /// Its labels, with commas between them.
    pub labels: &'static str,
    /// What it says.
    pub help: &'static str,
}

const fn counter(name: &'static str, labels: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, labels, help }
}

const fn histogram(name: &'static str, labels: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram, labels, help }
}

/// All of them, but for those of the process, which have Prometheus's usual names.
pub const METRICS: [Metric; 24] = [
    counter(
        "ordermill_http_requests_total",
        "route, method, status",
        "Requests answered. The route is the address with its parts' names, or `none`.",
    ),
    histogram(
        "ordermill_http_request_seconds",
        "route, method",
        "How long a request took, until its answer began.",
    ),
    gauge("ordermill_events_clients", "", "Clients of `/api/events` of this process."),
    counter(
        "ordermill_events_cut_off_total",
        "",
        "Clients of `/api/events` that were cut off because they took nothing.",
    ),
    gauge(
        "ordermill_ledger_up",
        "",
        "1 where the ledger could be read for this answer, else 0: then what is read from it is from before.",
    ),
    gauge("ordermill_ledger_bytes", "", "Size of the ledger."),
    gauge(
        "ordermill_ledger_connections",
        "kind",
        "Connections of this process to the ledger, by `read` and `write`.",
    ),
    gauge("ordermill_ledger_waiting", "kind", "Transactions of this process that wait for a connection."),
    counter(
        "ordermill_ledger_transactions_total",
        "kind, outcome",
        "Transactions of this process, `committed` or `rolled_back`.",
    ),
    counter(
        "ordermill_ledger_retries_total",
        "",
        "Transactions of this process that were run again: they gave way to others, or lost their server.",
    ),
    histogram(
        "ordermill_ledger_commit_seconds",
        "",
        "How long commits took; on SQLite several transactions share one.",
    ),
    gauge("ordermill_queue_jobs", "queue, state", "Jobs by state; none is counted beyond 100,000."),
    gauge("ordermill_queue_paused", "queue", "1 where the queue is paused."),
    gauge(
        "ordermill_queue_oldest_seconds",
        "queue",
        "For how long the oldest job that could run has waited.",
    ),
    gauge(
        "ordermill_queue_last_minute",
        "queue, event",
        "Jobs `enqueued`, `completed`, `failed` and `retried` in the last whole minute, by all processes.",
    ),
    gauge("ordermill_queue_workers", "queue, state", "Workers of all processes: `busy` and `idle`."),
    gauge(
        "ordermill_outbox_jobs",
        "",
        "Jobs that the ledger expects of Redis; none is counted beyond 10,000. Only where jobs are kept in Redis.",
    ),
    gauge("ordermill_outbox_missing", "", "How many of the oldest and newest of them Redis does not know."),
    gauge("ordermill_outbox_lag_seconds", "", "For how long the oldest of those is not known."),
    counter(
        "ordermill_gateway_calls_total",
        "call, outcome",
        "Charges, voids and refunds that this process asked the gateway for, by its answer; `no_answer` where it gave none.",
    ),
    histogram("ordermill_gateway_call_seconds", "call", "How long the gateway took for a set of them."),
    gauge("ordermill_imports_unfinished", "status", "Imports that have not ended."),
    counter(
        "ordermill_import_rows_total",
        "outcome",
        "Rows that this process took from files: `imported`, `duplicate`, `rejected`, `skipped`.",
    ),
    counter(
        "ordermill_imports_total",
        "outcome",
        "Imports that this process brought to their end: `completed`, `failed`.",
    ),
];

/// Tells what each means. What has not happened yet is told as well, where nothing but its name must be known.
pub(super) fn describe() {
    for Metric { name, kind, labels, help } in METRICS {
        match kind {
            Kind::Counter => {
                describe_counter!(name, help);
                if labels.is_empty() {
                    counter!(name).increment(0);
                }
            }
            Kind::Gauge => describe_gauge!(name, help),
            Kind::Histogram => describe_histogram!(name, help),
        }
    }
}
