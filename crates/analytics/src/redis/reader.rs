use domain::Currency;

use super::Store;
use super::keys::SeriesKeys;
use super::script::{Answers, Commands};
use super::state::State;
use crate::currency::{Chosen, CurrencyChoice};
use crate::zone::calendar_of;
use crate::{Error, Result};

/// Reads the figures of one generation, as long as nothing changes them.
pub(crate) struct Reader<'a> {
    store: &'a Store,
    pub(crate) state: State,
    pub(crate) generation: i64,
    /// Whether a batch that comes in ends the reading.
    strict: bool,
}

/// How often a reading is begun anew because a batch came in.
pub(crate) const TRIES: usize = 5;

/// Why a reading did not come to its end.
pub(crate) enum Stop {
    /// The figures changed: it may be begun anew.
    Changed,
    /// It cannot be done.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Failed(error.into())
    }
}

impl Store {
    /// A reader of the live figures; of those in the making, if `building`.
    pub(crate) async fn reader(&self, building: bool, strict: bool) -> Result<Reader<'_>> {
        let state = self.state().await?;
        let generation = if building { state.building } else { state.live };
        let generation = generation.ok_or(if building { Error::Superseded } else { Error::Rebuilding })?;
        if !building {
            calendar_of(&state.live_zone, &self.calendar)?;
        }
        Ok(Reader { store: self, state, generation, strict })
    }

    /// Reads the live figures at one moment: anew, if a batch comes in meanwhile, and at last, if they come too fast,
    /// without a regard to them. Each call is whole in itself then, but a later one may know more than an earlier one.
    pub(crate) async fn read<'s, T, F>(&'s self, mut read: impl FnMut(Reader<'s>) -> F) -> Result<T>
    where
        F: Future<Output = Result<T, Stop>>,
    {
        for attempt in 1..=TRIES {
            let reader = self.reader(false, attempt < TRIES).await?;
            match read(reader).await {
                Ok(found) => return Ok(found),
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::Changed) => {}
            }
        }
        Err(Error::Restless)
    }
}

impl Reader<'_> {
    /// A reader of the live figures at the same moment, where there are any.
    pub(crate) fn live(&self) -> Option<Self> {
        let generation = self.state.live?;
        Some(Reader { store: self.store, state: self.state.clone(), generation, strict: self.strict })
    }

    pub(crate) fn commands(&self) -> Commands {
        Commands::new(self.store.keys.state())
    }

    pub(crate) fn series(&self, currency: Currency) -> SeriesKeys {
        self.store.keys.series(self.generation, currency)
    }

    /// Runs commands that read.
    pub(crate) async fn run(&self, commands: Commands) -> Result<Answers, Stop> {
        let guards = if self.strict { self.state.guards() } else { self.state.expect(&["epoch", "live"]) };
        commands.run(&self.store.redis, &guards).await?.ok_or(Stop::Changed)
    }

    /// The currencies with figures.
    pub(crate) async fn currencies(&self) -> Result<Vec<Currency>, Stop> {
        let mut commands = self.commands();
        commands.push("SMEMBERS", &self.store.keys.currencies(self.generation), [""; 0]);
        let codes: Vec<String> = self.run(commands).await?.next()?;
        let parse = |code: String| {
            code.parse().map_err(|_| Error::Unreadable { expected: "currency", found: code.clone() })
        };
        let mut currencies = codes.into_iter().map(parse).collect::<Result<Vec<Currency>>>()?;
        currencies.sort_unstable();
        Ok(currencies)
    }

    /// The currency to show, and whether it has figures.
    pub(crate) async fn choose(&self, choice: CurrencyChoice) -> Result<(Chosen, bool), Stop> {
        let with_figures = self.currencies().await?;
        let chosen = choice.choose(with_figures.iter().copied());
        let has_figures = with_figures.contains(&chosen.currency);
        Ok((chosen, has_figures))
    }

    /// Reads a whole hash in pieces, each short for the server.
    pub(crate) async fn scan(
        &self,
        key: &str,
        mut each: impl FnMut(&str, &str) -> Result<()>,
    ) -> Result<(), Stop> {
        let mut cursor = "0".to_owned();
        loop {
            let mut commands = self.commands();
            commands.push("HSCAN", key, [cursor.as_str(), "COUNT", "1000"]);
            let (next, fields): (String, Vec<String>) = self.run(commands).await?.next()?;
            for pair in fields.chunks_exact(2) {
                each(&pair[0], &pair[1])?;
            }
            cursor = next;
            if cursor == "0" {
                return Ok(());
            }
        }
    }
}
