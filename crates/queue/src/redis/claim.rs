//! Giving jobs to workers, and keeping them there.

use std::sync::Arc;

use jiff::Timestamp;
use redis_link::Value;
use sql::Value as Param;

use super::RedisBackend;
use super::packed::{self, Claimed, claimed, texts, time_text};
use super::scripts::CLAIM;
use crate::backend::{Beat, Claim};
use crate::handler::with_causes;
use crate::job::{Job, Token};
use crate::sql::push::UNTIL_STARTED;
use crate::{Error, JobId, Result};

/// What a queue in Redis knows besides jobs; the words are those of `claim.lua`.
const KNOWS_NOTHING: &str = "1";
const IS_BEING_FOUND_OUT: &str = "2";

impl RedisBackend {
    pub(super) async fn take(&self, claim: Claim, at: Timestamp) -> Result<Vec<Job>> {
        if claim.max == 0 {
            return Ok(Vec::new());
        }
        self.ledger.offers.settled().await;
        self.note_claims_from(&claim.queue);
        // The second time the queue knows all it must, unless somebody empties Redis again and again.
        for _ in 0..2 {
            let mut words = self.ask_for(&claim, at).await?.into_iter();
            let standing = words.next().ok_or(Error::Answer("a claim has no answer"))?;
            if standing == KNOWS_NOTHING {
                self.establish(&claim.queue).await?;
                continue;
            }
            if standing == IS_BEING_FOUND_OUT {
                self.walk.lock().await.find_out(&claim.queue);
            }
            let Claimed { jobs, keys } = claimed(words, &claim.queue)?;
            self.give_keys_back(keys).await;
            return Ok(jobs);
        }
        Ok(Vec::new())
    }

    async fn ask_for(&self, claim: &Claim, at: Timestamp) -> Result<Vec<String>> {
        let base = self.jobs.keys.of(&claim.queue);
        let call = self
            .jobs
            .redis
            .call(&CLAIM)
            .key(&base)
            .arg(self.epoch().await?)
            .arg(claim.max)
            .arg(time_text(claim.until))
            .arg(time_text(at))
            .arg(packed::worker_text(claim.worker));
        texts(call.run::<Vec<Value>>().await?)
    }

    /// Jobs that are unique until they start have started. A key that cannot be given back now is when its job ends.
    async fn give_keys_back(&self, started: Vec<(String, JobId)>) {
        if started.is_empty() {
            return;
        }
        let given = self.db.write::<_, Error>("start_jobs", move |tx| {
            let keys: Vec<Param<'_>> = started
                .iter()
                .flat_map(|(key, job)| [key.into(), (*job).into(), UNTIL_STARTED.into()])
                .collect();
            let text = "DELETE FROM job_keys WHERE unique_key = ? AND job = ? AND scope = ?";
            tx.execute_each(text, 3, &keys)?;
            Ok(())
        });
        if let Err(error) = given.await {
            tracing::warn!(
                error = with_causes(&error),
                "unique keys of jobs that started are held until they end"
            );
        }
    }

    fn note_claims_from(&self, queue: &Arc<str>) {
        let mut known = self.claimed_from.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !known.contains(queue) {
            known.push(Arc::clone(queue));
        }
    }

    /// The queues that Redis has heard of, and those that this process claims from: Redis may have lost the list alone.
    pub(super) async fn queues(&self) -> Result<Vec<String>> {
        let mut queues = self.jobs.queues().await?;
        let own = self.claimed_from.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        queues.extend(own.iter().map(ToString::to_string));
        queues.sort_unstable();
        queues.dedup();
        Ok(queues)
    }

    /// A token does not name its queue: those that this process claims from are asked first.
    pub(super) async fn prolong(&self, tokens: &[Token], until: Timestamp) -> Result<Beat> {
        let mut beat = Beat::default();
        let own = self.claimed_from.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let mut left = tokens.to_vec();
        for queue in &own {
            left = self.prolong_in(queue, left, until, &mut beat).await?;
        }
        if left.is_empty() {
            return Ok(beat);
        }
        for queue in self.jobs.queues().await? {
            if !own.iter().any(|known| **known == *queue) {
                left = self.prolong_in(&queue, left, until, &mut beat).await?;
            }
        }
        beat.lost.extend(self.not_expected(left).await?);
        Ok(beat)
    }

    /// Extends leases in one queue; returns the tokens of jobs that it does not know.
    async fn prolong_in(
        &self,
        queue: &str,
        tokens: Vec<Token>,
        until: Timestamp,
        beat: &mut Beat,
    ) -> Result<Vec<Token>> {
        if tokens.is_empty() {
            return Ok(tokens);
        }
        let answers = self.jobs.extend(queue, &tokens, until).await?;
        let mut unknown = Vec::new();
        for (token, answer) in tokens.into_iter().zip(answers) {
            match answer {
                b'-' => unknown.push(token),
                b'x' => beat.cancelled.push(token.id),
                b'0' => beat.lost.push(token.id),
                _ => {}
            }
        }
        Ok(unknown)
    }

    /// A job that Redis has forgotten is still its worker's, for as long as the ledger says so.
    async fn not_expected(&self, tokens: Vec<Token>) -> Result<Vec<JobId>> {
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        self.db
            .read("expected_jobs", move |tx| {
                let fences = super::outbox::fences(tx, tokens.iter().map(|token| token.id))?;
                let may_land = |token: &&Token| {
                    fences.get(&token.id).is_some_and(|fence| *fence <= i64::from(token.attempt))
                };
                Ok(tokens.iter().filter(|token| !may_land(token)).map(|token| token.id).collect())
            })
            .await
    }
}
