use std::path::PathBuf;
use std::time::Duration;

use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Serialize};

use queue::duration_text;

/// What customers are told, and how. `[notifications]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct NotificationSettings {
    /// The ways out: `log`, `smtp`, `webhook`. Empty: customers are told nothing.
    pub channels: Vec<String>,
    /// The sender, as in `Shop <orders@shop.example>`.
    pub from: String,
    /// A folder whose templates take the place of the built-in ones, file by file.
    pub templates: Option<PathBuf>,
    /// The mail server.
    pub smtp: SmtpSettings,
    /// The shop's own receiver.
    pub webhook: WebhookSettings,
}

/// The shop's own receiver of signed calls. `[notifications.webhook]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where it is, such as `https://shop.example/hooks/orders`.
    pub url: String,
    /// Secrets that sign calls, each `whsec_` and base64, or plain text of 24 letters at least. All of them sign, so that they
    /// can be exchanged one after the other.
    pub secrets: Vec<String>,
    /// How long it may take to answer.
    #[serde(with = "duration_text")]
    pub timeout: Duration,
    /// Calls that are under way at a time.
    pub connections: u32,
    /// For how long nothing may arrive before it is switched off, until `ordermill notifications webhook --enable`.
    #[serde(with = "duration_text")]
    pub disabled_after: Duration,
    /// Whether it may have an address that is not public: of this machine, or of a private network.
    pub allow_private: bool,
}

/// The mail server. `[notifications.smtp]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct SmtpSettings {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: SmtpSecurity,
    /// The account's name, if it asks for one.
    pub username: Option<String>,
    /// The account's password.
    pub password: Option<String>,
    /// How long one mail may take.
    #[serde(with = "duration_text")]
    pub timeout: Duration,
    /// Connections kept open.
    pub connections: u32,
}

/// How the connection to the mail server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpSecurity {
    /// Not at all: for a server on this machine.
    None,
    /// TLS after a plain greeting.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
}

impl Default for NotificationSettings {
    fn default() -> Self {
        NotificationSettings {
            channels: vec!["log".to_owned()],
            from: "orders@localhost".to_owned(),
            templates: None,
            smtp: SmtpSettings::default(),
            webhook: WebhookSettings::default(),
        }
    }
}

impl Default for WebhookSettings {
    fn default() -> Self {
        WebhookSettings {
            url: String::new(),
            secrets: Vec::new(),
            timeout: Duration::from_secs(10),
            connections: 8,
            disabled_after: Duration::from_hours(3 * 24),
            allow_private: false,
        }
    }
}

impl Default for SmtpSettings {
    fn default() -> Self {
        SmtpSettings {
            host: "127.0.0.1".to_owned(),
            port: 587,
            security: SmtpSecurity::StartTls,
            username: None,
            password: None,
            timeout: Duration::from_secs(30),
            connections: 4,
        }
    }
}
