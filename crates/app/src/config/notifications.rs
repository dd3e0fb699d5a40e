use std::path::PathBuf;
use std::time::Duration;

use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Serialize};

use queue::duration_text;

/// What customers are told, and how. `[notifications]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct NotificationSettings {
    /// The ways out: `log`, `smtp`. Empty: customers are told nothing.
    pub channels: Vec<String>,
    /// The sender, as in `Shop <orders@shop.example>`.
    pub from: String,
    /// A folder whose templates take the place of the built-in ones, file by file.
    pub templates: Option<PathBuf>,
    /// The mail server.
    pub smtp: SmtpSettings,
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
