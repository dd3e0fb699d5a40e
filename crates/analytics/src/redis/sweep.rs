use domain::{Currency, Period};

use super::Store;
use super::script::{Answers, Commands};
use super::state::State;
use crate::Result;

/// Periods whose keys are deleted in one call.
const AT_ONCE: usize = 50;
/// Periods with a start.
const STARTING: [Period; 3] = [Period::Day, Period::Week, Period::Month];

impl Store {
    /// Deletes a part of the figures that nobody reads any more. False when nothing is left.
    pub async fn sweep(&self) -> Result<bool> {
        let state = self.state().await?;
        let Some(generation) = state.retired.first().copied() else { return Ok(false) };
        let currencies = self.keys.currencies(generation);
        let mut commands = Commands::new(self.keys.state());
        commands.push("SMEMBERS", &currencies, [""; 0]);
        let codes: Vec<String> = self.always(commands).await?.next()?;
        let Some(code) = codes.first() else {
            return self.forget(&state, generation).await;
        };
        let Ok(currency) = code.parse() else {
            let mut commands = Commands::new(self.keys.state());
            commands.push("SREM", &currencies, [code]);
            self.always(commands).await?;
            return Ok(true);
        };
        self.sweep_series(generation, currency).await?;
        Ok(true)
    }

    async fn sweep_series(&self, generation: i64, currency: Currency) -> Result<()> {
        let keys = self.keys.series(generation, currency);
        for period in STARTING {
            let mut commands = Commands::new(self.keys.state());
            commands.push("ZRANGE", &keys.starts(period), [0, AT_ONCE - 1]);
            let starts: Vec<i32> = self.always(commands).await?.next()?;
            if starts.is_empty() {
                continue;
            }
            let mut commands = Commands::new(self.keys.state());
            for key in starts.iter().flat_map(|start| keys.all_of(period, *start)) {
                commands.push("UNLINK", &key, [""; 0]);
            }
            commands.push("ZREM", &keys.starts(period), &starts);
            self.always(commands).await?;
            return Ok(());
        }
        let mut commands = Commands::new(self.keys.state());
        for key in keys.all_of(Period::All, 0).into_iter().chain([keys.firsts()]) {
            commands.push("UNLINK", &key, [""; 0]);
        }
        commands.push("SREM", &self.keys.currencies(generation), [currency.code()]);
        self.always(commands).await?;
        Ok(())
    }

    /// Takes a generation off the list.
    async fn forget(&self, state: &State, generation: i64) -> Result<bool> {
        let left = state.retired.iter().filter(|one| **one != generation).copied().collect::<Vec<_>>();
        let mut commands = Commands::new(self.keys.state());
        commands.push("HSET", &self.keys.state(), ["retired".to_owned(), list(&left)]);
        commands.run(&self.redis, &state.expect(&["epoch", "retired"])).await?;
        Ok(true)
    }

    /// Runs commands whatever the state is.
    async fn always(&self, commands: Commands) -> Result<Answers> {
        match commands.run(&self.redis, &Vec::new()).await? {
            Some(answers) => Ok(answers),
            None => Ok(Answers::none()),
        }
    }
}

/// Generations as they are stored.
pub(crate) fn list(generations: &[i64]) -> String {
    generations.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
