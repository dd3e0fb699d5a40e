use domain::{Calendar, OrderId, Period, date_of, day_number};
use jiff::civil::Date;
use sql::Tx;

use super::apply::add;
use super::generation::{Generation, RETIRED};
use crate::figures::Origin;
use crate::zone::zone_name;
use crate::{DayDiff, Error, Fact, Figures, Result, diff};

/// A rebuild of all figures from the ledger, beside those that readers see.
///
/// It fills a generation of its own, in bounded transactions, and one small transaction makes that the live one: no
/// reader sees half. Orders are read by id. What is read so far is the fence: a fact that is told meanwhile goes to
/// the live figures, and to the new ones too if its order is below the fence; if not, the rebuild will find it in the
/// ledger. Both are decided under the same lock as the reading, so that each fact counts once on either side, and a
/// rebuild that was interrupted leaves the live figures as they are.
///
/// 1. [`start`](Self::start), in a write transaction.
/// 2. Until [`position`](Self::position) is none: in one write transaction each, ask for the position, read the facts
///    of the next orders from the ledger, and [`add`](Self::add) them.
/// 3. In read transactions, [`compare`](Self::compare) span by span of [`days`](Self::days).
/// 4. [`switch`](Self::switch), in a write transaction; then [`sweep`](crate::sweep) until nothing is left of the old ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuild {
    generation: i64,
}

impl Rebuild {
    /// Begins with nothing read. Another rebuild that is under way ends with [`Error::Superseded`].
    pub fn start(tx: &mut Tx<'_>, calendar: &Calendar) -> Result<Self> {
        Generation::lock_all(tx, calendar)?;
        tx.execute("UPDATE kpi_generations SET built_below = ? WHERE live = 0", &[RETIRED.into()])?;
        let generation =
            tx.query_one("SELECT MAX(id) + 1 FROM kpi_generations", &[], |row| row.get::<i64>(0))?;
        Generation::found(tx, generation, calendar, false)?;
        Ok(Rebuild { generation })
    }

    /// The id of the next order to read, or none if all were read. Facts cannot be told until the transaction ends:
    /// read the orders in it.
    pub fn position(self, tx: &mut Tx<'_>, calendar: &Calendar) -> Result<Option<OrderId>> {
        Ok(self.locked(tx, calendar)?.built_below.map(OrderId::from_ledger))
    }

    /// Adds the facts of the orders from the position up to `next`, which becomes the position. `next` is none when
    /// no order is left.
    pub fn add(
        self,
        tx: &mut Tx<'_>,
        calendar: &Calendar,
        facts: &[Fact],
        next: Option<OrderId>,
    ) -> Result<()> {
        let mut generation = self.locked(tx, calendar)?;
        let Some(position) = generation.built_below else { return Ok(()) };
        let unread = |fact: &&Fact| {
            fact.order_id().get() >= position && next.is_none_or(|next| fact.order_id() < next)
        };
        let unread: Vec<Fact> = facts.iter().filter(unread).cloned().collect();
        generation.built_below = next.map(OrderId::get);
        tx.execute(
            "UPDATE kpi_generations SET built_below = ? WHERE id = ?",
            &[generation.built_below.into(), self.generation.into()],
        )?;
        add(tx, &mut generation, &unread)
    }

    /// The first and last day with figures, stored or rebuilt.
    pub fn days(self, tx: &mut Tx<'_>) -> Result<Option<(Date, Date)>> {
        let (first, last) = tx.query_one(
            "SELECT MIN(start_day), MAX(start_day) FROM kpi_periods WHERE period = ? AND series IN \
             (SELECT s.id FROM kpi_series s JOIN kpi_generations g ON g.id = s.generation \
              WHERE g.live = 1 OR g.id = ?)",
            &[Period::Day.code().into(), self.generation.into()],
            |row| Ok((row.get::<Option<i32>>(0)?, row.get::<Option<i32>>(1)?)),
        )?;
        Ok(first.zip(last).map(|(first, last)| (date_of(first), date_of(last))))
    }

    /// What is stored and is not what the rebuild found, for the days `from..=to`.
    pub fn compare(self, tx: &mut Tx<'_>, calendar: &Calendar, from: Date, to: Date) -> Result<Vec<DayDiff>> {
        let rebuilt = self.finished(tx, calendar, "")?;
        let ledger = Figures::of_generation(tx, &rebuilt, day_number(from), day_number(to))?;
        let stored = match Figures::stored(tx, calendar, from, to) {
            // Whatever is in them, none of it can be read: every day differs.
            Err(Error::Unreadable { .. }) => {
                Figures::empty(Origin::Stored, calendar, day_number(from), day_number(to))
            }
            stored => stored?,
        };
        Ok(diff(&stored, &ledger))
    }

    /// Makes the rebuilt figures those that readers see.
    pub fn switch(self, tx: &mut Tx<'_>, calendar: &Calendar) -> Result<()> {
        let lock = tx.dialect().for_update();
        self.finished(tx, calendar, lock)?;
        tx.execute("UPDATE kpi_generations SET live = 0, built_below = ? WHERE live = 1", &[RETIRED.into()])?;
        tx.execute("UPDATE kpi_generations SET live = 1 WHERE id = ?", &[self.generation.into()])?;
        Ok(())
    }

    /// Gives the rebuild up; [`sweep`](crate::sweep) removes what it wrote.
    pub fn discard(self, tx: &mut Tx<'_>) -> Result<()> {
        tx.execute(
            "UPDATE kpi_generations SET built_below = ? WHERE id = ? AND live = 0",
            &[RETIRED.into(), self.generation.into()],
        )?;
        Ok(())
    }

    fn locked(self, tx: &mut Tx<'_>, calendar: &Calendar) -> Result<Generation> {
        self.among(Generation::lock_all(tx, calendar)?)
    }

    fn finished(self, tx: &mut Tx<'_>, calendar: &Calendar, lock: &str) -> Result<Generation> {
        let generation = self.among(Generation::in_use(tx, calendar, lock)?)?;
        if generation.built_below.is_some() { Err(Error::Unfinished) } else { Ok(generation) }
    }

    fn among(self, generations: Vec<Generation>) -> Result<Generation> {
        let built = |one: &Generation| one.id == self.generation && !one.live;
        generations.into_iter().find(built).ok_or(Error::Superseded)
    }
}

/// The zone that the stored figures are in, if it is not the shop's: time for a rebuild.
pub fn other_zone(tx: &mut Tx<'_>, calendar: &Calendar) -> Result<Option<String>> {
    let live = Generation::live(tx, calendar)?;
    Ok(live.map(|live| live.time_zone).filter(|zone| *zone != zone_name(calendar)))
}
