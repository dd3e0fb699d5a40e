use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, Bytes};
use serde_json::json;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::{Hub, Message, Topic, Topics};

/// Somebody who listens. They have left when this is dropped.
pub(crate) struct Listener {
    pub(super) hub: Arc<Hub>,
    pub(super) id: u64,
    pub(super) topics: Topics,
    /// Up to where they know of orders: what comes is above it.
    pub(super) from: i64,
    /// What they are sent before anything else.
    pub(super) first: VecDeque<Bytes>,
    pub(super) messages: broadcast::Receiver<Arc<Message>>,
    pub(super) taken: Arc<AtomicU64>,
    pub(super) ended: CancellationToken,
}

impl Listener {
    /// Up to where what is told of orders was told before they came.
    pub(crate) fn from(&self) -> i64 {
        self.from
    }

    /// They know of orders up to `number`.
    pub(crate) fn knows(&mut self, number: i64) {
        self.from = self.from.max(number);
    }

    /// Sends something before what is at hand.
    pub(crate) fn begin_with(&mut self, text: Bytes) {
        self.first.push_front(text);
    }

    /// What tells that something was missed, and everything is to be read anew.
    pub(crate) fn reset(number: i64) -> Bytes {
        let why = json!({ "reason": "what happened since is no longer kept; read everything anew" });
        Message::render(Some(number), "reset", &why)
    }

    /// All that they are sent.
    pub(crate) fn into_body(self) -> Body {
        Body::from_stream(futures_util::stream::unfold(self, |mut listener| async {
            listener.next().await.map(|text| (Ok::<_, Infallible>(text), listener))
        }))
    }

    pub(super) async fn next(&mut self) -> Option<Bytes> {
        if let Some(text) = self.first.pop_front() {
            return Some(text);
        }
        loop {
            let received = tokio::select! {
                biased;
                () = self.ended.cancelled() => return None,
                received = self.messages.recv() => received,
            };
            let Ok(message) = received else {
                self.hub.drop_slow(self.id);
                return None;
            };
            self.taken.store(message.sequence, Ordering::Relaxed);
            if self.wants(&message) {
                return Some(message.text.clone());
            }
        }
    }

    fn wants(&self, message: &Message) -> bool {
        match message.topic {
            None => true,
            Some(Topic::Orders) => self.topics.has(Topic::Orders) && message.number > self.from,
            Some(topic) => self.topics.has(topic),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.hub.leave(self.id);
    }
}
