//! Jobs in Redis: each call is one script on one queue.

use std::sync::Arc;

use jiff::Timestamp;
use redis_link::{Redis, Value};

use super::keys::Keys;
use super::packed::{Stored, id_text, texts, time_text};
use super::scripts::{
    COMPLETE, DEPTH, ESTABLISH, EXPIRED, EXTEND, MOVE, NEWEST, NEXT, OFFER, PAGE, PROMOTE, PRUNE, READ,
    READY, SETTLED, STATES,
};
use crate::backend::Reaping;
use crate::job::Token;
use crate::{JobId, Result, State};

/// Jobs that one script moves at most.
pub(super) const PIECE: usize = 500;
/// Hundreds of ids that one script looks through for the newest jobs at most.
const HUNDREDS: usize = 50;
/// Entries of the wake-up stream that are kept, about.
const WAKE_UPS_KEPT: usize = 100;

#[derive(Debug, Clone)]
pub(super) struct Jobs {
    pub(super) redis: Redis,
    pub(super) keys: Keys,
    /// What this backend's wake-ups are told apart by.
    pub(super) speaker: Arc<str>,
}

/// A job that Redis is to know.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) id: String,
    pub(super) state: State,
    pub(super) due: String,
    pub(super) priority: u8,
    pub(super) attempt: i64,
    pub(super) text: String,
    pub(super) tags: String,
}

impl Offer {
    /// Where it stands among those of its state, less its id.
    fn place(&self) -> String {
        match self.state {
            State::Available => format!("{:03}{}", self.priority, self.due),
            _ => self.due.clone(),
        }
    }

    /// Whether it was claimed before or has tags.
    fn is_special(&self) -> bool {
        self.attempt != 0 || !self.tags.is_empty()
    }

    /// How it stands, as [`Data`](super::packed::Data) reads it.
    fn standing(&self) -> String {
        let Offer { state, due, priority, attempt, .. } = self;
        format!("{} {due} {attempt} 0 0 0 {priority:03} - - -", state.code())
    }
}

/// What becomes of a job; the letters are those of `move.lua`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Complete,
    Retry,
    Snooze,
    HandBack,
    OfferAgain,
    Discard,
    DiscardLost,
    Cancel,
    CancelLost,
    Reopen,
    AskToStop,
    Drop,
}

impl Way {
    const fn letter(self) -> &'static str {
        match self {
            Way::Complete => "c",
            Way::Retry => "r",
            Way::Snooze => "s",
            Way::HandBack => "h",
            Way::OfferAgain => "l",
            Way::Discard => "d",
            Way::DiscardLost => "D",
            Way::Cancel => "k",
            Way::CancelLost => "K",
            Way::Reopen => "o",
            Way::AskToStop => "a",
            Way::Drop => "g",
        }
    }
}

/// A job to be moved.
#[derive(Debug, Clone)]
pub(super) struct Move {
    pub(super) id: JobId,
    /// Only while it executes under this token.
    pub(super) token: Option<u32>,
    pub(super) way: Way,
    pub(super) due: Option<Timestamp>,
    pub(super) error: String,
}

impl Move {
    /// Whether the job ends under its token and nothing of it is kept.
    fn leaves_nothing(&self) -> bool {
        self.way == Way::Complete && self.token.is_some() && self.due.is_none() && self.error.is_empty()
    }
}

/// What became of a [`Move`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    Done,
    /// It is not in a state, or not under the token, to be moved so.
    Refused,
    /// It was to wait and is to be cancelled instead.
    Cancelling,
    /// Redis does not know it.
    Unknown,
}

impl Jobs {
    pub(super) fn new(redis: Redis, prefix: &str) -> Self {
        let speaker = format!("{:016x}", rand::random::<u64>());
        Jobs { redis, keys: Keys::new(prefix), speaker: speaker.into() }
    }

    /// Makes jobs known; returns those that were not. `again` is for jobs that may have been known before.
    pub(super) async fn offer(&self, queue: &str, offers: &[Offer], again: bool) -> Result<Vec<JobId>> {
        let base = self.keys.of(queue);
        let mut new = Vec::new();
        for piece in offers.chunks(PIECE) {
            let mut call = self.redis.call(&OFFER).key(&base).arg(u8::from(again)).arg(piece.len());
            for offer in piece {
                let text = format!("{}\n{}", offer.standing(), offer.text);
                call = call.arg(&offer.id).arg(offer.place()).arg(text);
            }
            for (number, offer) in (1..).zip(piece).filter(|(_, offer)| offer.is_special()) {
                let data = if offer.attempt == 0 { String::new() } else { offer.standing() };
                call = call.arg(number).arg(data).arg(&offer.tags);
            }
            new.extend(call.run::<Vec<i64>>().await?.into_iter().map(JobId));
        }
        self.announce(queue).await.map(|()| new)
    }

    /// Makes a queue known and wakes its workers in other processes; those of this one are told otherwise.
    pub(super) async fn announce(&self, queue: &str) -> Result<()> {
        let mut both = redis_link::pipe();
        both.cmd("SADD").arg(&*self.keys.queues).arg(queue).ignore();
        both.cmd("XADD").arg(&*self.keys.wake).arg("MAXLEN").arg("~").arg(WAKE_UPS_KEPT);
        both.arg("*").arg("q").arg(queue).arg("by").arg(&*self.speaker).ignore();
        Ok(self.redis.run_all::<()>(&both).await?)
    }

    /// The queues that are known.
    pub(super) async fn queues(&self) -> Result<Vec<String>> {
        let mut queues: Vec<String> =
            self.redis.run(redis_link::cmd("SMEMBERS").arg(&*self.keys.queues)).await?;
        queues.sort_unstable();
        Ok(queues)
    }

    /// Moves jobs of a queue; tells of each what became of it.
    pub(super) async fn moves(&self, queue: &str, moves: &[Move], now: Timestamp) -> Result<Vec<Moved>> {
        let base = self.keys.of(queue);
        let mut all = Vec::with_capacity(moves.len());
        for piece in moves.chunks(PIECE) {
            let call = if piece.iter().all(Move::leaves_nothing) {
                let call = self.redis.call(&COMPLETE).key(&base);
                piece.iter().fold(call, |call, one| call.arg(id_text(one.id)).arg(one.token))
            } else {
                let call = self.redis.call(&MOVE).key(&base).arg(time_text(now));
                piece.iter().fold(call, |call, one| {
                    let due = one.due.map(time_text).unwrap_or_default();
                    let token = one.token.map(|token| token.to_string()).unwrap_or_default();
                    call.arg(id_text(one.id)).arg(token).arg(one.way.letter()).arg(due).arg(&one.error)
                })
            };
            all.extend(call.run::<String>().await?.bytes().map(|letter| match letter {
                b'1' => Moved::Done,
                b'x' => Moved::Cancelling,
                b'-' => Moved::Unknown,
                _ => Moved::Refused,
            }));
        }
        Ok(all)
    }

    /// Extends leases; the letters are those of `extend.lua`.
    pub(super) async fn extend(&self, queue: &str, tokens: &[Token], until: Timestamp) -> Result<Vec<u8>> {
        let base = self.keys.of(queue);
        let mut call = self.redis.call(&EXTEND).key(&base).arg(time_text(until));
        for token in tokens {
            call = call.arg(id_text(token.id)).arg(token.attempt);
        }
        Ok(call.run::<String>().await?.into_bytes())
    }

    pub(super) async fn promote(&self, queue: &str, max: usize, now: Timestamp) -> Result<usize> {
        let base = self.keys.of(queue);
        Ok(self.redis.call(&PROMOTE).key(&base).arg(time_text(now)).arg(max).run().await?)
    }

    /// The jobs whose lease has ended.
    pub(super) async fn expired(
        &self,
        queue: &str,
        max: usize,
        rules: Reaping,
        now: Timestamp,
    ) -> Result<Vec<Stored>> {
        let base = self.keys.of(queue);
        let call =
            self.redis.call(&EXPIRED).key(&base).arg(time_text(now)).arg(time_text(rules.latest)).arg(max);
        Stored::read_all(call.run::<Vec<Value>>().await?)
    }

    pub(super) async fn prune(&self, queue: &str, max: usize, keep: usize, now: Timestamp) -> Result<usize> {
        let base = self.keys.of(queue);
        Ok(self.redis.call(&PRUNE).key(&base).arg(time_text(now)).arg(max).arg(keep).run().await?)
    }

    /// Jobs along a sorted set, from a bound on.
    pub(super) async fn page(
        &self,
        queue: &str,
        set: &str,
        backwards: bool,
        from: &str,
        max: usize,
    ) -> Result<Vec<Stored>> {
        let base = self.keys.of(queue);
        let call = self.redis.call(&PAGE).key(&base).arg(set).arg(u8::from(backwards)).arg(from).arg(max);
        Stored::read_all(call.run::<Vec<Value>>().await?)
    }

    /// The newest jobs of a queue, of those that are older than `before`.
    pub(super) async fn newest(&self, queue: &str, before: Option<JobId>, max: usize) -> Result<Vec<Stored>> {
        let base = self.keys.of(queue);
        let mut before = before.map(|id| id_text(JobId(id.0.max(0)))).unwrap_or_default();
        let mut all = Vec::new();
        loop {
            let call = self.redis.call(&NEWEST).key(&base).arg(&before).arg(max - all.len()).arg(HUNDREDS);
            let mut answer = call.run::<Vec<Value>>().await?;
            let found = answer.split_off(answer.len().min(1));
            all.extend(Stored::read_all(found)?);
            before = texts(answer)?.pop().unwrap_or_default();
            if before.is_empty() || all.len() >= max {
                return Ok(all);
            }
        }
    }

    /// Jobs of a queue by their ids.
    pub(super) async fn read(&self, queue: &str, ids: &[JobId]) -> Result<Vec<Stored>> {
        let base = self.keys.of(queue);
        let mut all = Vec::new();
        for piece in ids.chunks(PIECE) {
            let call = self.redis.call(&READ).key(&base);
            let call = piece.iter().fold(call, |call, id| call.arg(id_text(*id)));
            all.extend(Stored::read_all(call.run::<Vec<Value>>().await?)?);
        }
        Ok(all)
    }

    /// The jobs with these ids, in whatever queue they are.
    pub(super) async fn locate(&self, ids: &[JobId]) -> Result<Vec<(Arc<str>, Stored)>> {
        let mut found = Vec::new();
        for queue in self.queues().await? {
            if found.len() == ids.len() {
                break;
            }
            let jobs = self.read(&queue, ids).await?;
            let queue: Arc<str> = Arc::from(queue);
            found.extend(jobs.into_iter().map(|job| (Arc::clone(&queue), job)));
        }
        Ok(found)
    }

    /// Of these jobs, those that Redis does not know, or believes to have ended.
    pub(super) async fn missing(&self, queue: &str, ids: &[JobId]) -> Result<Vec<JobId>> {
        let base = self.keys.of(queue);
        let call = self.redis.call(&STATES).key(&base);
        let states: String = ids.iter().fold(call, |call, id| call.arg(id_text(*id))).run().await?;
        let is_missing = |state: u8| matches!(state, b'-' | b'4' | b'5' | b'6');
        Ok(ids
            .iter()
            .zip(states.bytes())
            .filter(|(_, state)| is_missing(*state))
            .map(|(id, _)| *id)
            .collect())
    }

    /// How many jobs of each state, and since when the longest available one is.
    pub(super) async fn depth(&self, queue: &str) -> Result<(Vec<usize>, Option<Timestamp>)> {
        let base = self.keys.of(queue);
        let answer = texts(self.redis.call(&DEPTH).key(&base).run::<Vec<Value>>().await?)?;
        let counts = answer.iter().take(7).map(|count| count.parse().unwrap_or_default()).collect();
        let oldest = answer.get(7).filter(|since| !since.is_empty());
        Ok((counts, oldest.map(|since| super::packed::time(since)).transpose()?))
    }

    pub(super) async fn next_due(&self, queue: &str) -> Result<Option<Timestamp>> {
        let base = self.keys.of(queue);
        let next: String = self.redis.call(&NEXT).key(&base).run().await?;
        if next.is_empty() { Ok(None) } else { super::packed::time(&next).map(Some) }
    }

    pub(super) async fn is_ready(&self, queue: &str) -> Result<bool> {
        let base = self.keys.of(queue);
        Ok(self.redis.call(&READY).key(&base).run().await?)
    }

    /// Tells a queue what it must know before jobs are taken from it.
    pub(super) async fn establish(&self, queue: &str, epoch: i64, paused: bool) -> Result<()> {
        let base = self.keys.of(queue);
        let call = self.redis.call(&ESTABLISH).key(&base).arg(epoch).arg(u8::from(paused));
        call.run::<i64>().await?;
        self.announce(queue).await
    }

    /// Keeps jobs of a queue from being taken, or lets them be taken again.
    pub(super) async fn set_paused(&self, queue: &str, paused: bool) -> Result<()> {
        let key = format!("{}p", self.keys.of(queue));
        let command = if paused {
            redis_link::cmd("SET").arg(key).arg(1).clone()
        } else {
            redis_link::cmd("DEL").arg(key).clone()
        };
        self.redis.run::<()>(&command).await?;
        self.announce(queue).await
    }

    /// Says that all that the ledger expects of a queue was offered.
    pub(super) async fn settled(&self, queue: &str, epoch: i64) -> Result<()> {
        let base = self.keys.of(queue);
        self.redis.call(&SETTLED).key(&base).arg(epoch).run::<i64>().await?;
        Ok(())
    }
}
