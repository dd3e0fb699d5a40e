use jiff::Timestamp;
use sql::Tx;

use super::Store;
use super::state::State;
use crate::feed::{self, Counter};
use crate::{Fact, Result};

/// What a round of feeding found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fed {
    /// All that was told is in the figures.
    All,
    /// There may be more.
    More,
    /// What Redis holds cannot be brought up to date: it must be [rebuilt](Store::start_rebuild), or a rebuild that is
    /// under way must be finished.
    Rebuild,
}

/// Batches that are added in one turn, at most.
const BATCHES: usize = 8;
/// How long batches are kept after they were told.
const KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// What there is at a moment.
pub(crate) struct Look {
    /// What is in, read before the rest: so it can only be less than what was told.
    pub(crate) state: State,
    pub(crate) counter: Counter,
    /// Whether rows wait for a number.
    pub(crate) waiting: bool,
}

impl Store {
    /// Numbers what was told and adds it, a bounded number of batches.
    pub async fn feed(&self) -> Result<Fed> {
        match self.look().await?.fed() {
            Fed::More => {}
            fed => return Ok(fed),
        }
        let turn = self.turn().await?;
        let fed = self.feed_in_turn().await;
        turn.end().await?;
        fed
    }

    /// Numbers and adds all that was told up to now, however much is told meanwhile. Never [`Fed::More`].
    pub async fn catch_up(&self) -> Result<Fed> {
        if self.look().await?.waiting {
            while self.database.write("number_facts", feed::number).await? {}
        }
        let target = self.look().await?.counter.numbered;
        loop {
            let look = self.look().await?;
            match look.fed() {
                Fed::Rebuild => return Ok(Fed::Rebuild),
                Fed::More if look.state.marker < target => self.feed().await?,
                Fed::More | Fed::All => return Ok(Fed::All),
            };
        }
    }

    /// Whether all that was told is in the figures.
    pub async fn is_current(&self) -> Result<bool> {
        Ok(self.look().await?.fed() == Fed::All)
    }

    /// [`feed`](Self::feed) for somebody who has the turn.
    pub(crate) async fn feed_in_turn(&self) -> Result<Fed> {
        self.database.write("number_facts", feed::number).await?;
        for _ in 0..BATCHES {
            let Look { state, counter, waiting } = self.look().await?;
            if !state.follows(&counter) || (state.live.is_none() && state.building.is_none()) {
                return Ok(Fed::Rebuild);
            }
            if state.marker == counter.numbered {
                return Ok(if waiting { Fed::More } else { Fed::All });
            }
            self.add_batch(&state, state.marker + 1).await?;
        }
        Ok(Fed::More)
    }

    /// Adds a batch that has a number, if it is the next one. False if it is not, or is in already.
    pub async fn try_batch(&self, batch: i64) -> Result<bool> {
        let state = self.state().await?;
        self.add_batch(&state, batch).await
    }

    /// Adds a batch, if the state is still as it was read and the batch is the next one. False if not.
    pub(crate) async fn add_batch(&self, state: &State, batch: i64) -> Result<bool> {
        if batch != state.marker + 1 {
            return Ok(false);
        }
        let facts = self.database.read("feed_batch", move |tx| feed::facts_of(tx, batch)).await?;
        let generations = state.generations(&self.calendar);
        let wanted = generations.into_iter().map(|generation| {
            let facts: Vec<&Fact> = facts.iter().filter(|fact| generation.wants(fact)).collect();
            (generation, facts)
        });
        let wanted: Vec<_> = wanted.collect();
        self.add(state, &wanted, &[("marker", batch.to_string())]).await
    }

    /// Looks at what there is.
    pub(crate) async fn look(&self) -> Result<Look> {
        let state = self.state().await?;
        let waiting = |tx: &mut Tx<'_>| -> Result<_> {
            Ok((feed::counter(tx, "")?, !feed::unnumbered(tx, 1)?.is_empty()))
        };
        let (counter, waiting) = self.database.read("facts_waiting", waiting).await?;
        Ok(Look { state, counter, waiting })
    }

    /// Forgets batches that were told a day ago and are in the figures, a bounded number. True if there may be more.
    pub async fn prune(&self, now: Timestamp) -> Result<bool> {
        let state = self.state().await?;
        let before = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        self.database
            .write("prune_facts", move |tx| {
                let counter = feed::counter(tx, "")?;
                if state.follows(&counter) { feed::prune(tx, state.marker, before) } else { Ok(false) }
            })
            .await
    }
}

impl Look {
    fn fed(&self) -> Fed {
        if !self.state.follows(&self.counter) || self.state.live.is_none() {
            Fed::Rebuild
        } else if self.waiting || self.state.marker < self.counter.numbered {
            Fed::More
        } else {
            Fed::All
        }
    }
}
