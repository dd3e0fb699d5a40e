//! The settings: a struct per concern, each field with its default and what it means.

mod check;
mod gateway;
mod imports;
mod layers;
mod load;
mod mistake;
mod notifications;
mod queue_docs;
mod redis;
mod reference;
mod schema;
mod shop;
mod stores;
mod telemetry;

pub use gateway::{GatewayMode, GatewaySettings};
pub use imports::ImportSettings;
pub use load::{DEFAULT_FILE, Settings, Shown, Sources, load};
pub use mistake::{Mistake, Mistakes, Origin};
pub use notifications::{NotificationSettings, SmtpSecurity, SmtpSettings, WebhookSettings};
pub use redis::RedisSettings;
pub use reference::{env_example, reference_page};
pub use shop::{DatabaseSettings, Durability, LogFormat, LogSettings, Network, ShopSettings, WebSettings};
pub use stores::{StoreKind, StoreSettings};
pub use telemetry::TelemetrySettings;

use serde::{Deserialize, Serialize};

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the ledger is.
    pub database: DatabaseSettings,
    /// Where jobs and figures are, if not there.
    pub redis: RedisSettings,
    /// The shop.
    pub shop: ShopSettings,
    /// The job engine.
    pub queue: queue::Settings,
    /// Payments.
    pub gateway: GatewaySettings,
    /// What customers are told.
    pub notifications: NotificationSettings,
    /// Files that come in.
    pub imports: ImportSettings,
    /// The HTTP server.
    pub web: WebSettings,
    /// Logs.
    pub log: LogSettings,
    /// Traces.
    pub telemetry: TelemetrySettings,
}

impl Config {
    /// Gives the supervisor a pool for each of our queues, unless its pools are configured.
    pub(crate) fn use_own_pools(&mut self) {
        let is_on_server = self.database.open_settings().is_on_server();
        let supervisor = &mut self.queue.supervisor;
        if supervisor.pools == queue::Settings::default().supervisor.pools {
            (supervisor.pools, supervisor.balance) = crate::workers::pools(is_on_server);
        }
    }
}
