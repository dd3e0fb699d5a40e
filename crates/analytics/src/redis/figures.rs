use domain::{Currency, Period, day_number};
use jiff::civil::Date;
use sql::Tx;

use super::Store;
use super::apply::BOARDS;
use super::reader::{Reader, Stop, TRIES};
use super::script::unreadable;
use super::stored::{read_first, read_score};
use crate::figures::{Figures, Origin};
use crate::zone::calendar_of;
use crate::{BoardOf, Error, Result, Score, feed};

/// Customers whose first orders are read in one call.
const AT_ONCE: usize = 1_000;

impl Store {
    /// Reads the stored figures of the days `from..=to`, and which batch was the last one in them.
    pub async fn figures(&self, from: Date, to: Date) -> Result<(Figures, i64)> {
        let span = (day_number(from), day_number(to));
        self.undisturbed(false, |reader| async move {
            Ok((self.figures_of(&reader, span).await?, reader.state.marker))
        })
        .await
    }

    /// Adds to figures what was told and was not in them yet, as a snapshot of the ledger knows it: everything above the
    /// batch `marker`. False if not all of that is kept any more.
    pub fn add_waiting(tx: &mut Tx<'_>, marker: i64, figures: &mut Figures) -> Result<bool> {
        if feed::counter(tx, "")?.pruned > marker {
            return Ok(false);
        }
        feed::for_each_after(tx, marker, |facts| figures.add(facts))?;
        Ok(true)
    }

    /// Reads figures at one moment, the live ones or those in the making; who feeds waits meanwhile.
    pub(crate) async fn undisturbed<'s, T, F>(
        &'s self,
        building: bool,
        mut read: impl FnMut(Reader<'s>) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, Stop>>,
    {
        for _ in 0..TRIES {
            let turn = self.turn().await?;
            let found = match self.reader(building, true).await {
                Ok(reader) => read(reader).await,
                Err(error) => Err(Stop::Failed(error)),
            };
            turn.end().await?;
            match found {
                Ok(found) => return Ok(found),
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::Changed) => {}
            }
        }
        Err(Error::Restless)
    }

    pub(crate) async fn figures_of(
        &self,
        reader: &Reader<'_>,
        (from, to): (i32, i32),
    ) -> Result<Figures, Stop> {
        let state = &reader.state;
        let is_live = state.live == Some(reader.generation);
        let zone = if is_live { &state.live_zone } else { &state.building_zone };
        let calendar = calendar_of(zone, &self.calendar)?;
        let mut figures = Figures::empty(Origin::Stored, &calendar, from, to);
        for currency in reader.currencies().await? {
            figures.scan_days(reader, currency).await?;
            figures.scan_firsts(reader, currency).await?;
        }
        Ok(figures)
    }
}

impl Figures {
    async fn scan_days(&mut self, reader: &Reader<'_>, currency: Currency) -> Result<(), Stop> {
        let keys = reader.series(currency);
        let days = reader.starts(&keys, Period::Day, (self.from, self.to)).await?;
        for (day, kpis) in reader.figures(&keys, Period::Day, &days).await? {
            let of = self.days.entry((day, currency)).or_default();
            of.kpis = kpis;
            for board in BOARDS {
                let scores = match board {
                    BoardOf::Customers => &mut of.customers,
                    BoardOf::Products => &mut of.products,
                };
                reader
                    .scan_scores(&keys.scores(board, Period::Day, day), |id, score| {
                        scores.insert(id, score);
                    })
                    .await?;
            }
        }
        Ok(())
    }

    async fn scan_firsts(&mut self, reader: &Reader<'_>, currency: Currency) -> Result<(), Stop> {
        let keys = reader.series(currency);
        let days = self.days.iter().filter(|((_, of), _)| *of == currency);
        let customers = days.flat_map(|(_, day)| &day.customers).filter(|(_, score)| score.count > 0);
        let mut customers: Vec<i64> = customers.map(|(id, _)| *id).collect();
        customers.sort_unstable();
        customers.dedup();
        for piece in customers.chunks(AT_ONCE) {
            let mut commands = reader.commands();
            commands.read_fields(&keys.firsts(), piece);
            let found = reader.run(commands).await?.fields(piece.len())?;
            for (customer, text) in piece.iter().zip(found) {
                if let Some((first, _)) = read_first(text.as_deref())? {
                    self.firsts.insert((currency, *customer), first);
                }
            }
        }
        Ok(())
    }
}

impl Reader<'_> {
    /// Reads all scores of a period.
    pub(crate) async fn scan_scores(&self, key: &str, mut each: impl FnMut(i64, Score)) -> Result<(), Stop> {
        self.scan(key, |id, text| {
            let score = read_score(Some(text))?.unwrap_or_default();
            each(id.parse().map_err(|_| unreadable(id))?, score);
            Ok(())
        })
        .await
    }
}
