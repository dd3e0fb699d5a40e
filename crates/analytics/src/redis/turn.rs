use std::sync::LazyLock;
use std::time::Duration;

use redis_link::{Script, cmd};
use tokio::sync::MutexGuard;

use super::Store;
use crate::Result;

/// How long a turn lasts that nobody ends.
const LASTS: Duration = Duration::from_secs(5);
/// How often it is looked whether a turn has ended.
const LOOK: Duration = Duration::from_millis(5);
/// How long a turn of another process is waited for.
const PATIENCE: Duration = Duration::from_secs(6);

static END: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
    )
});

/// The turn to feed, or to read undisturbed. It spares work that would be in vain; nothing relies on it, for whatever is
/// done in a turn first looks whether the state is as it was read.
pub(crate) struct Turn<'a> {
    store: &'a Store,
    token: String,
    _here: MutexGuard<'a, ()>,
}

impl Store {
    /// Takes the turn; after a while also from somebody who does not end it.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>> {
        use std::hash::{BuildHasher as _, Hasher as _};
        let here = self.turn.lock().await;
        let token = std::hash::RandomState::new().build_hasher().finish().to_string();
        let mut waited = Duration::ZERO;
        loop {
            let mut take = cmd("SET");
            take.arg(self.keys.turn()).arg(&token).arg("NX").arg("PX").arg(LASTS.as_millis() as u64);
            let taken: Option<String> = Box::pin(self.redis.run(&take)).await?;
            if taken.is_some() || waited >= PATIENCE {
                return Ok(Turn { store: self, token, _here: here });
            }
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
        }
    }
}

impl Turn<'_> {
    /// Ends the turn; one that is dropped ends by itself a little later.
    pub(crate) async fn end(self) -> Result<()> {
        let key = self.store.keys.turn();
        let end = self.store.redis.call(&END).key(&key).arg(self.token.as_str());
        Ok(Box::pin(end.run::<()>()).await?)
    }
}
