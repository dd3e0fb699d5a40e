//! Callbacks: sent, signed, until the shop takes them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use app::config::GatewaySettings;
use app::gateways::signature::{Headers, Secrets};
use app::gateways::simulator::{self, Callback, DueCallback, EventType};
use app::gateways::{CALLBACKS, ChargeState, InProcess};
use async_trait::async_trait;
use jiff::Timestamp;
use queue::{Backoff, Batch, BoxError, Clock, Handler, Job, Limits, Outcome};
use reqwest::{Client, Url, header, redirect};
use store::simulator::Charge;
use telemetry::{Kind, Span};
use tokio::task::JoinSet;

use crate::{Error, Result};

/// Callbacks of a batch, all of them under way at once.
pub(super) const BATCH: usize = 32;
/// How long the shop may take to answer one.
pub(super) const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// For how long a callback that the shop does not take is sent again.
const GIVEN_UP_AFTER: Duration = Duration::from_hours(24);
/// Characters of a refusal that are kept with the job.
const KEPT_OF_REFUSAL: usize = 200;

/// Sends the callbacks that are due.
pub(super) struct SendCallbacks {
    charges: InProcess,
    clock: Arc<dyn Clock>,
    secrets: Secrets,
    given_up_after: Duration,
    shop: Shop,
}

/// Whom callbacks go to. Its connections are kept open.
#[derive(Clone)]
struct Shop {
    client: Client,
    url: Url,
}

/// What is to be done about a due callback.
enum Step {
    /// This is to be sent.
    Send(Headers, Vec<u8>),
    /// Nothing is to be sent, or not now.
    Rest(Outcome),
}

impl SendCallbacks {
    pub(super) fn new(charges: InProcess, clock: Arc<dyn Clock>, settings: &GatewaySettings) -> Result<Self> {
        if settings.webhook_secrets.is_empty() {
            let reason = "a secret is needed to sign callbacks with; write at least one".to_owned();
            return Err(Error::Setting { setting: "webhook_secrets", reason });
        }
        Ok(SendCallbacks {
            charges,
            clock,
            secrets: Secrets::new(&settings.webhook_secrets),
            given_up_after: GIVEN_UP_AFTER + settings.latency,
            shop: Shop::new(&settings.callback_url)?,
        })
    }

    fn step(&self, job: &Job, due: &DueCallback, charges: &HashMap<String, Charge>) -> Step {
        let now = self.clock.now();
        let charge = charges.get(&due.key);
        if let Some(wait) = charge.and_then(|charge| undecided_for(due, charge, now)) {
            return Step::Rest(Outcome::Snooze(wait));
        }
        let given_up_at = job.enqueued_at.saturating_add(self.given_up_after).unwrap_or(Timestamp::MAX);
        if now > given_up_at {
            return Step::Rest(Outcome::discard("the shop has not taken this callback for a day"));
        }
        // A charge that was called off is told of no more.
        let Some(callback) = due.body(charge, now) else { return Step::Rest(Outcome::Done) };
        self.signed(&due.event_id(), &callback, now)
    }

    fn signed(&self, event_id: &str, callback: &Callback, now: Timestamp) -> Step {
        let body = serde_json::to_vec(callback).expect("a callback is plain data");
        match self.secrets.sign(event_id, now, &body) {
            Some(headers) => Step::Send(headers, body),
            None => Step::Rest(Outcome::Retry("there is no secret to sign with".to_owned())),
        }
    }
}

/// How long a charge's decision is still ahead: longer than none where the clock went back after the job was due.
fn undecided_for(due: &DueCallback, charge: &Charge, now: Timestamp) -> Option<Duration> {
    let waits = due.kind != EventType::Pending && simulator::state(charge, now) == ChargeState::Pending;
    waits.then(|| Duration::try_from(charge.due_at.duration_since(now)).unwrap_or_default())
}

#[async_trait]
impl Handler for SendCallbacks {
    fn kind(&self) -> &'static str {
        CALLBACKS.1
    }

    fn limits(&self) -> Limits {
        let backoff =
            Backoff { first: Duration::from_secs(1), longest: Duration::from_mins(5), ..Backoff::default() };
        // Time ends the attempts, not their number.
        Limits { attempts: u32::MAX, batch: BATCH, backoff, ..Limits::default() }
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        let jobs = batch.jobs();
        let due = jobs.iter().map(Job::parse).collect::<queue::Result<Vec<DueCallback>>>()?;
        let charges = self.charges.charges(due.iter().map(|callback| callback.key.clone()).collect()).await?;
        let mut outcomes = batch.all_done();
        let mut under_way = JoinSet::new();
        for (position, (job, due)) in jobs.iter().zip(&due).enumerate() {
            match self.step(job, due, &charges) {
                Step::Rest(outcome) => outcomes[position] = outcome,
                Step::Send(headers, body) => {
                    let (shop, trace) = (self.shop.clone(), batch.trace(position));
                    under_way.spawn(async move {
                        let call = Span::after(trace.as_ref(), "POST", Kind::Call);
                        let told = shop.tell(&call, headers, body).await;
                        if let Err(why) = &told {
                            call.fail(|| why.clone());
                        }
                        (position, told)
                    });
                }
            }
        }
        while let Some(told) = under_way.join_next().await {
            let (position, told) = told?;
            outcomes[position] = told.map_or_else(Outcome::Retry, |()| Outcome::Done);
        }
        warn_of_refusals(&outcomes);
        Ok(outcomes)
    }
}

fn warn_of_refusals(outcomes: &[Outcome]) {
    let mut reasons = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Retry(reason) | Outcome::Discard(reason) => Some(reason),
        _ => None,
    });
    if let Some(reason) = reasons.next() {
        tracing::warn!(callbacks = 1 + reasons.count(), reason, "callbacks were not taken");
    }
}

impl Shop {
    fn new(callback_url: &str) -> Result<Self> {
        let wrong = |reason: String| Error::Setting { setting: "callback_url", reason };
        let url = Url::parse(callback_url).map_err(|error| wrong(format!("`{callback_url}`: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(format!("`{callback_url}` must begin with http:// or https://")));
        }
        let client = Client::builder()
            .timeout(ANSWERED_WITHIN)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(Error::Client)?;
        Ok(Shop { client, url })
    }

    /// Sends one callback; says why it was not taken.
    async fn tell(&self, call: &Span, headers: Headers, body: Vec<u8>) -> Result<(), String> {
        let request = self.client.post(self.url.clone()).header(header::CONTENT_TYPE, "application/json");
        let sent = call.told_by(headers.sign(request)).body(body).send().await;
        let response = sent.map_err(|error| queue::with_causes(&error))?;
        let status = response.status();
        // Read to its end also where it does not matter: the connection can be used again only then.
        let text = response.text().await.unwrap_or_default();
        if status.is_success() {
            return Ok(());
        }
        let said: String = text.chars().take(KEPT_OF_REFUSAL).collect();
        Err(format!("{} answered {status}: {said}", self.url))
    }
}
