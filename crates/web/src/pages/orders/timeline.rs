//! What became of an order: events, webhooks with their verdicts, what the customer was told, and jobs, in one line of time.

use app::App;
use app::orders::{OrderJobs, Story};
use app::words::spoken;
use jiff::Timestamp;
use queue::{JobRecord, State as JobState};
use serde_json::Value;
use store::events::Event;
use store::notifications::Notification;
use store::webhooks::DeliveryRow;

use crate::pages::parts::{Badge, When};
use crate::pages::words::priced;

/// Something that happened, or is to.
pub(super) struct Entry {
    at: Timestamp,
    pub(super) when: When,
    /// What kind of thing.
    pub(super) source: &'static str,
    pub(super) what: Badge,
    pub(super) detail: String,
    pub(super) who: String,
    /// Where more is told of it.
    pub(super) link: Option<String>,
}

/// All that is known, oldest first; jobs where they were looked for.
pub(super) fn entries(app: &App, story: &Story, jobs: Option<&OrderJobs>) -> Vec<Entry> {
    let events = story.timeline.iter().map(|event| of_event(app, story, event));
    let webhooks = story.webhooks.iter().map(|delivery| of_webhook(app, delivery));
    let told = story.notifications.iter().map(|one| of_notification(app, one));
    let jobs = jobs.into_iter().flat_map(|jobs| &jobs.data).map(|job| of_job(app, job));
    let mut entries: Vec<Entry> = events.chain(webhooks).chain(told).chain(jobs).collect();
    // At one instant, what was decided stands before what follows from it.
    entries.sort_by_key(|entry| entry.at);
    entries
}

fn of_event(app: &App, story: &Story, event: &Event) -> Entry {
    let data = event.data.as_ref();
    let refund = data.and_then(|data| data["refund"].as_i64());
    Entry {
        at: event.at,
        when: When::new(app, event.at),
        source: "order",
        what: Badge::new(event.kind),
        detail: data.map(|data| told(story, data)).unwrap_or_default(),
        who: event.actor.clone(),
        link: refund.map(|id| format!("/refunds/{id}")),
    }
}

/// What belongs to an event, in words.
fn told(story: &Story, data: &Value) -> String {
    let Value::Object(fields) = data else { return String::new() };
    let currency = story.order.row.total.currency;
    let mut words = Vec::new();
    for (name, value) in fields {
        let value = match value {
            Value::Null => continue,
            Value::Number(amount) if name == "amount" => {
                priced(domain::Money::new(amount.as_i64().unwrap_or_default(), currency))
            }
            Value::String(text) => text.clone(),
            Value::Array(short) if name == "short" => {
                short.iter().map(short_line).collect::<Vec<_>>().join("; ")
            }
            other => other.to_string(),
        };
        match name.as_str() {
            "amount" | "short" => words.push(value),
            "currency" => {}
            _ => words.push(format!("{name} {value}")),
        }
    }
    words.join(", ")
}

fn short_line(line: &Value) -> String {
    let sku = line["sku"].as_str().unwrap_or_default();
    format!("{sku}: {} wanted, {} available", line["wanted"], line["available"])
}

fn of_webhook(app: &App, delivery: &DeliveryRow) -> Entry {
    let kind = delivery.kind.as_deref().unwrap_or("event");
    let reason = delivery.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    Entry {
        at: delivery.received_at,
        when: When::new(app, delivery.received_at),
        source: "webhook",
        what: Badge::new(delivery.verdict.as_str()),
        detail: format!("{kind}{reason}"),
        who: delivery.event.clone().unwrap_or_default(),
        link: None,
    }
}

fn of_notification(app: &App, one: &Notification) -> Entry {
    let error = one.error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
    let at = one.sent_at.unwrap_or(one.created_at);
    Entry {
        at,
        when: When::new(app, at),
        source: "notification",
        what: Badge::new(one.status.as_str()),
        detail: format!("{}, {}{error}", one.kind.as_str().replace('_', " "), one.channel),
        who: one.recipient.clone(),
        link: Some(format!("/notifications/{}", one.id)),
    }
}

fn of_job(app: &App, job: &JobRecord) -> Entry {
    let at = job.finished_at.or(job.started_at).unwrap_or(job.enqueued_at);
    let error = job.errors.last().map(|error| format!("; last error: {}", error.message)).unwrap_or_default();
    let due = match job.state {
        JobState::Scheduled | JobState::Retryable => {
            let left = job.due_at.duration_since(app.now()).unsigned_abs();
            if job.due_at > app.now() { format!(", due in {}", spoken(left)) } else { ", due".to_owned() }
        }
        _ => String::new(),
    };
    Entry {
        at,
        when: When::new(app, at),
        source: "job",
        what: Badge::new(&job.state.to_string()),
        detail: format!("{}, attempt {}{due}{error}", job.kind, job.attempt),
        who: job.queue.clone(),
        link: Some(format!("/queues/jobs/{}", job.id)),
    }
}
