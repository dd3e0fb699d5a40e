//! Reading what is new, while somebody listens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use analytics::{Granularity, KpiQuery};
use app::orders::news::{self, Heard};
use app::{App, figures, imports};
use futures_util::FutureExt as _;
use serde::Serialize;

use super::{Hub, Topic, Topics};

/// What becomes of orders is told no more often than this.
const NEWS_EVERY: Duration = Duration::from_millis(250);
/// How things stand is looked at no more often than this, and no less often while something may have changed.
const STATES_EVERY: Duration = Duration::from_secs(1);
/// How long nothing is looked at after a fault.
const AFTER_AN_ERROR: Duration = Duration::from_secs(2);
/// Jobs of a queue and state that are counted.
const JOBS_COUNTED: usize = 10_000;
/// Imports that are told of though they have ended.
const IMPORTS_KEPT: u32 = 10;

/// Tells what is new until nobody listens, or the server stops.
pub(super) async fn run(hub: Arc<Hub>) {
    let mut changes = hub.app.database().changes();
    let heartbeat = hub.app.config().web.events_heartbeat;
    let (mut beaten, mut looked) = (Instant::now(), None::<Instant>);
    while let Some(wanted) = hub.wanted() {
        let is_due = looked.is_none_or(|looked| looked.elapsed() >= STATES_EVERY);
        let told = tell(&hub, wanted, is_due).boxed().await;
        if is_due {
            looked = Some(Instant::now());
        }
        if let Err(error) = &told {
            tracing::warn!(
                error = queue::with_causes(error),
                "what is new could not be read; it is tried again"
            );
        }
        if beaten.elapsed() >= heartbeat {
            beaten = Instant::now();
            hub.beat();
            hub.check_credentials().boxed().await;
        }
        let pause = if told.is_ok() { NEWS_EVERY } else { AFTER_AN_ERROR };
        let rest = pause.min(heartbeat);
        tokio::select! {
            () = hub.closed.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
        }
        tokio::select! {
            () = hub.closed.cancelled() => return,
            () = hub.joined.notified() => {}
            _ = changes.changed() => {}
            () = tokio::time::sleep(STATES_EVERY.min(heartbeat)) => {}
        }
    }
}

/// Tells what is new. How things stand is looked at where that `is_due`, or where nobody was told yet.
async fn tell(hub: &Hub, wanted: Topics, is_due: bool) -> app::Result<()> {
    if wanted.has(Topic::Orders) {
        tell_news(hub).await?;
    }
    for topic in [Topic::Kpis, Topic::Imports, Topic::Queues] {
        if wanted.has(topic) && (is_due || !hub.has_told(topic)) {
            hub.tell_state(topic, read(&hub.app, topic).boxed().await?);
        }
    }
    Ok(())
}

async fn tell_news(hub: &Hub) -> app::Result<()> {
    match news::listen(&hub.app, hub.heard()).await? {
        Heard::Nothing => {}
        Heard::News(number, news) => hub.tell_news(number, &news),
        Heard::Lost(number) => hub.tell_loss(number),
    }
    Ok(())
}

/// How the things of a topic stand, each with a key.
async fn read(app: &App, topic: Topic) -> app::Result<Vec<(i64, String)>> {
    Ok(match topic {
        Topic::Kpis => {
            let today = app.calendar().business_day(app.now());
            let currency = figures::currency(app, None);
            let query = KpiQuery { from: today, to: today, granularity: Granularity::Day, currency };
            vec![(0, json(&figures::kpis(app, query).await?))]
        }
        Topic::Imports => {
            let imports = imports::current(app, IMPORTS_KEPT).await?;
            imports.iter().map(|status| (status.import.id.get(), json(status))).collect()
        }
        Topic::Queues => {
            let depths = app.queue().depths(Some(JOBS_COUNTED)).await?;
            vec![(0, json(&serde_json::json!({ "data": depths })))]
        }
        Topic::Orders => Vec::new(),
    })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is told is plain data")
}
