use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::client::TlsParameters;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::connection::{Connection, Unreachable};
use crate::config::{SmtpSecurity, SmtpSettings};

/// Connections that wait for the next mail.
pub(super) struct Pool {
    settings: SmtpSettings,
    tls: OnceCell<TlsParameters>,
    idle: Mutex<Vec<(Connection, Instant)>>,
}

/// For how long a connection waits.
const KEPT_FOR: Duration = Duration::from_secs(15);

impl Pool {
    pub(super) fn new(settings: SmtpSettings) -> Self {
        Pool { settings, tls: OnceCell::new(), idle: Mutex::default() }
    }

    /// One that trusts whom these parameters trust.
    #[cfg(test)]
    pub(super) fn trusting(settings: SmtpSettings, tls: TlsParameters) -> Self {
        Pool { tls: OnceCell::new_with(Some(tls)), ..Pool::new(settings) }
    }

    /// A connection that works, kept or new.
    pub(super) async fn take(&self) -> Result<Connection, Unreachable> {
        while let Some((mut connection, since)) = self.pop() {
            if since.elapsed() < KEPT_FOR && connection.is_alive().await {
                return Ok(connection);
            }
        }
        Connection::open(&self.settings, self.tls().await?).await
    }

    pub(super) fn put(&self, connection: Connection) {
        self.idle().push((connection, Instant::now()));
    }

    /// Lets go of what nobody has needed for a while.
    pub(super) fn close_idle_later(self: &Arc<Self>) {
        let pool = Arc::downgrade(self);
        if self.idle().is_empty() {
            return;
        }
        tokio::spawn(async move {
            tokio::time::sleep(KEPT_FOR).await;
            if let Some(pool) = pool.upgrade() {
                pool.idle().retain(|(_, since)| since.elapsed() < KEPT_FOR);
            }
        });
    }

    fn pop(&self) -> Option<(Connection, Instant)> {
        self.idle().pop()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Built when the first mail goes out: most processes never send one.
    async fn tls(&self) -> Result<Option<TlsParameters>, Unreachable> {
        if self.settings.security == SmtpSecurity::None {
            return Ok(None);
        }
        let built =
            self.tls.get_or_try_init(|| async { TlsParameters::new(self.settings.host.clone()) }).await;
        built.cloned().map(Some).map_err(|reason| {
            Unreachable(format!("TLS to the mail server {} cannot be set up: {reason}", self.settings.host))
        })
    }
}
