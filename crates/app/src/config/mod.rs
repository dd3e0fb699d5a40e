//! The settings: a struct per concern, each field with its default and what it means.

mod duration;
mod gateway;
mod imports;
mod notifications;
mod shop;

pub use gateway::{GatewayMode, GatewaySettings};
pub use imports::ImportSettings;
pub use notifications::{NotificationSettings, SmtpSecurity, SmtpSettings};
pub use shop::{DatabaseSettings, Durability, LogFormat, LogSettings, ShopSettings, WebSettings};

use serde::{Deserialize, Serialize};

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the ledger is.
    pub database: DatabaseSettings,
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
}
