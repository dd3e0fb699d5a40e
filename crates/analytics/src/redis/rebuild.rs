use domain::{OrderId, Period, date_of, day_number};
use jiff::civil::Date;
use sql::Tx;

use super::Store;
use super::feeder::Look;
use super::reader::Stop;
use super::script::Commands;
use super::state::{ALL_READ, State};
use super::sweep::list;
use crate::figures::{Figures, Origin};
use crate::zone::zone_name;
use crate::{DayDiff, Error, Fact, Result, diff, feed};

/// A rebuild of all figures from the ledger, beside those that readers see. It fills a generation of its own.
///
/// What was read so far is the fence, an order's id: the facts of a batch are added to the new figures only if their
/// order is below it; those of the others will be read. One step reads some orders and moves the fence past them. In
/// one snapshot of the ledger it reads these orders and which rows of the feed have no number; then numbers and adds
/// exactly these rows; and then adds the orders' facts, in one call that looks whether no other batch came in and the
/// fence is where it was. So the orders' facts are those of the snapshot, every batch before it holds no fact that the
/// snapshot lacks, and every batch after it none that it has. If it is not so, the step begins anew and nothing was
/// changed but what feeding does anyway.
///
/// All of it is kept in Redis. Whoever finds a rebuild that was interrupted goes on with it.
///
/// 1. [`Store::start_rebuild`], or [`Store::go_on_rebuilding`].
/// 2. [`Store::rebuild_step`] until it says that nothing is left to read.
/// 3. [`Store::compare`], span by span of [`Store::days`].
/// 4. [`Store::switch`]; then [`Store::sweep`] until nothing is left of the old figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedisRebuild {
    generation: i64,
}

/// Every day there is.
const ALWAYS: (i32, i32) = (i32::MIN, i32::MAX);
/// How often a step is begun anew before others are given a chance.
const TRIES: usize = 50;
/// Rows without a number that a step adds itself; with more of them it lets the feed have its way first.
const ROWS: i64 = 200;

/// The facts of some orders, and the order that follows them; none if there is none.
pub type ReadFacts = (Vec<Fact>, Option<OrderId>);

/// What a step reads in one snapshot.
struct Seen {
    numbered: i64,
    waiting: Vec<(i64, i64)>,
    facts: Vec<Fact>,
    next: Option<OrderId>,
}

impl Store {
    /// Begins with nothing read. Another rebuild that is under way ends with [`Error::Superseded`]. Live figures that
    /// cannot be brought up to date are given up: readers are told [`Error::Rebuilding`] until the switch.
    pub async fn start_rebuild(&self) -> Result<RedisRebuild> {
        for _ in 0..TRIES {
            let state = self.state().await?;
            let (epoch, marker) = (state.epoch, state.marker);
            let begin = move |tx: &mut Tx<'_>| -> Result<_> {
                let counter = feed::counter(tx, tx.dialect().for_update())?;
                // A ledger that was put back to an older one will give the same numbers to other facts.
                let is_ahead = epoch == counter.epoch && marker > counter.numbered;
                if counter.epoch == 0 || is_ahead {
                    feed::renew(tx, counter.epoch)?;
                }
                Ok((feed::counter(tx, "")?, feed::next_generation(tx)?))
            };
            let (counter, generation) = self.database.write("start_rebuild", begin).await?;
            let mut retired = state.retired.clone();
            retired.extend(state.building);
            let mut fields = vec![
                ("building", generation.to_string()),
                ("building_zone", zone_name(&self.calendar)),
                ("fence", "1".to_owned()),
            ];
            if !state.follows(&counter) || state.live.is_none() {
                retired.extend(state.live);
                // What has a number was committed, and so will be read.
                fields.extend([
                    ("epoch", counter.epoch.to_string()),
                    ("live", String::new()),
                    ("live_zone", String::new()),
                    ("marker", counter.numbered.to_string()),
                ]);
            }
            fields.push(("retired", list(&retired)));
            if self.set(&state, &fields).await? {
                return Ok(RedisRebuild { generation });
            }
        }
        Err(Error::Restless)
    }

    /// The rebuild that is under way where there are no live figures that can be brought up to date; a new one, if
    /// there is none. None if the figures are there.
    pub async fn go_on_rebuilding(&self) -> Result<Option<RedisRebuild>> {
        let Look { state, counter, .. } = self.look().await?;
        if !state.follows(&counter) {
            return self.start_rebuild().await.map(Some);
        }
        match (state.live, state.building) {
            (Some(_), _) => Ok(None),
            (None, Some(generation)) if state.building_zone == zone_name(&self.calendar) => {
                Ok(Some(RedisRebuild { generation }))
            }
            (None, _) => self.start_rebuild().await.map(Some),
        }
    }

    /// Adds the facts of the next orders, which `read` reads in the snapshot that it is given, from the order that it is
    /// given on. False when nothing is left to read.
    pub async fn rebuild_step<E>(
        &self,
        rebuild: RedisRebuild,
        read: impl FnMut(&mut Tx<'_>, OrderId) -> Result<ReadFacts, E> + Clone + Send + 'static,
    ) -> Result<bool, E>
    where
        E: From<Error> + From<sql::Error> + Send + 'static,
    {
        for _ in 0..TRIES {
            let turn = self.turn().await?;
            let done = self.step(rebuild, read.clone()).await;
            turn.end().await?;
            if let Some(more) = done? {
                return Ok(more);
            }
        }
        Err(Error::Restless.into())
    }

    /// None if it is to be begun anew.
    async fn step<E>(
        &self,
        rebuild: RedisRebuild,
        mut read: impl FnMut(&mut Tx<'_>, OrderId) -> Result<ReadFacts, E> + Send + 'static,
    ) -> Result<Option<bool>, E>
    where
        E: From<Error> + From<sql::Error> + Send + 'static,
    {
        let state = self.building(rebuild).await?;
        let Some(fence) = state.fence else { return Ok(Some(false)) };
        let seen = self
            .database
            .read("rebuild_figures", move |tx| -> Result<Seen, E> {
                let numbered = feed::counter(tx, "")?.numbered;
                let waiting = feed::unnumbered(tx, ROWS)?;
                let (facts, next) = read(tx, OrderId::from_ledger(fence))?;
                Ok(Seen { numbered, waiting, facts, next })
            })
            .await?;
        if seen.waiting.len() as i64 == ROWS || seen.numbered - state.marker > ROWS {
            self.feed_in_turn().await?;
            return Ok(None);
        }
        let Some(last) = self.number_seen(&seen).await? else { return Ok(None) };
        let Some(state) = self.bring_to(rebuild, last).await? else { return Ok(None) };
        Ok(if self.add_read(&state, fence, &seen).await? { Some(true) } else { None })
    }

    /// Numbers exactly the rows that the snapshot knew; the last batch then.
    async fn number_seen(&self, seen: &Seen) -> Result<Option<i64>> {
        let (waiting, numbered) = (seen.waiting.clone(), seen.numbered);
        self.database.write("number_facts", move |tx| feed::number_these(tx, &waiting, numbered)).await
    }

    /// Adds batches until the last one in is `last`; none if somebody went further.
    async fn bring_to(&self, rebuild: RedisRebuild, last: i64) -> Result<Option<State>> {
        loop {
            let state = self.building(rebuild).await?;
            if state.marker >= last {
                return Ok((state.marker == last).then_some(state));
            }
            self.add_batch(&state, state.marker + 1).await?;
        }
    }

    /// Adds the facts that were read and moves the fence from where it was.
    async fn add_read(&self, state: &State, fence: i64, seen: &Seen) -> Result<bool> {
        if state.fence != Some(fence) {
            return Ok(false);
        }
        let is_read = |fact: &&Fact| {
            fact.order_id().get() >= fence && seen.next.is_none_or(|next| fact.order_id() < next)
        };
        let building = state.generations(&self.calendar).into_iter();
        let building = building.filter(|one| Some(one.number) == state.building);
        let read = building.map(|one| (one.for_reading(), seen.facts.iter().filter(is_read).collect()));
        let next = seen.next.map_or_else(|| ALL_READ.to_owned(), |next| next.get().to_string());
        self.add(state, &read.collect::<Vec<_>>(), &[("fence", next)]).await
    }

    /// The first and last day with figures, live or rebuilt.
    pub async fn days(&self, rebuild: RedisRebuild) -> Result<Option<(Date, Date)>> {
        self.building(rebuild).await?;
        let days = self.undisturbed(true, |building| async move {
            let mut days: Option<(i32, i32)> = None;
            for reader in building.live().iter().chain([&building]) {
                for currency in reader.currencies().await? {
                    let starts = reader.starts(&reader.series(currency), Period::Day, ALWAYS).await?;
                    let (Some(first), Some(last)) = (starts.first(), starts.last()) else { continue };
                    let known = days.unwrap_or((*first, *last));
                    days = Some((known.0.min(*first), known.1.max(*last)));
                }
            }
            Ok(days)
        });
        Ok(days.await?.map(|(first, last)| (date_of(first), date_of(last))))
    }

    /// What is stored and is not what the rebuild found, for the days `from..=to`.
    pub async fn compare(&self, rebuild: RedisRebuild, from: Date, to: Date) -> Result<Vec<DayDiff>> {
        if self.building(rebuild).await?.fence.is_some() {
            return Err(Error::Unfinished);
        }
        let span = (day_number(from), day_number(to));
        let figures = self.undisturbed(true, |building| async move {
            let ledger = self.figures_of(&building, span).await?;
            let nothing = Figures::empty(Origin::Stored, &self.calendar, span.0, span.1);
            let stored = match building.live() {
                Some(live) => match self.figures_of(&live, span).await {
                    // Whatever is in them, none of it can be read: every day differs.
                    Err(Stop::Failed(Error::Unreadable { .. })) => nothing,
                    stored => stored?,
                },
                None => nothing,
            };
            Ok((stored, ledger))
        });
        let (stored, ledger) = figures.await?;
        Ok(diff(&stored, &ledger))
    }

    /// Makes the rebuilt figures those that readers see.
    pub async fn switch(&self, rebuild: RedisRebuild) -> Result<()> {
        for _ in 0..TRIES {
            let state = self.state().await?;
            if state.live == Some(rebuild.generation) {
                return Ok(());
            }
            let state = self.building(rebuild).await?;
            if state.fence.is_some() {
                return Err(Error::Unfinished);
            }
            let mut retired = state.retired.clone();
            retired.extend(state.live);
            let fields = [
                ("live", rebuild.generation.to_string()),
                ("live_zone", state.building_zone.clone()),
                ("building", String::new()),
                ("building_zone", String::new()),
                ("fence", String::new()),
                ("retired", list(&retired)),
            ];
            if self.set(&state, &fields).await? {
                return Ok(());
            }
        }
        Err(Error::Restless)
    }

    /// Gives the rebuild up; [`sweep`](Self::sweep) removes what it wrote.
    pub async fn discard(&self, rebuild: RedisRebuild) -> Result<()> {
        for _ in 0..TRIES {
            let state = self.state().await?;
            // Where nothing is live, whoever feeds next goes on with it.
            if state.building != Some(rebuild.generation) || state.live.is_none() {
                return Ok(());
            }
            let mut retired = state.retired.clone();
            retired.push(rebuild.generation);
            let gone = ["building", "building_zone", "fence"].map(|field| (field, String::new()));
            let fields = [&gone[..], &[("retired", list(&retired))]].concat();
            if self.set(&state, &fields).await? {
                return Ok(());
            }
        }
        Err(Error::Restless)
    }

    /// The state, if the rebuild is under way.
    async fn building(&self, rebuild: RedisRebuild) -> Result<State> {
        let Look { state, counter, .. } = self.look().await?;
        let is_ours = state.building == Some(rebuild.generation) && state.follows(&counter);
        if is_ours { Ok(state) } else { Err(Error::Superseded) }
    }

    /// Sets fields of the state, if all of it is as it was read.
    async fn set(&self, state: &State, fields: &[(&str, String)]) -> Result<bool> {
        let mut guards = state.guards();
        guards.extend(state.expect(&["retired"]));
        let mut commands = Commands::new(self.keys.state());
        let flat = fields.iter().flat_map(|(field, value)| [(*field).to_owned(), value.clone()]);
        commands.push("HSET", &self.keys.state(), flat.collect::<Vec<_>>());
        Ok(commands.run(&self.redis, &guards).await?.is_some())
    }
}
