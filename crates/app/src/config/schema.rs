//! Every setting there is: its path, its default and what it means, from the structs themselves.

use std::sync::LazyLock;

use documented::{Documented, DocumentedFields};
use serde_json::Value;

use super::{
    Config, DatabaseSettings, GatewaySettings, ImportSettings, LogSettings, NotificationSettings,
    RedisSettings, ShopSettings, SmtpSettings, StoreSettings, TelemetrySettings, WebSettings,
    WebhookSettings, queue_docs,
};

/// A table of the settings file.
#[derive(Debug)]
pub(super) struct Section {
    /// Its name in the file, such as `notifications.smtp`.
    pub(super) path: &'static str,
    /// What it is about.
    pub(super) docs: &'static str,
    /// Its settings.
    pub(super) fields: Vec<Field>,
}

/// A setting.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name in the file, its section's first.
    pub(super) path: String,
    /// What it means.
    pub(super) docs: &'static str,
    /// What it is where nobody says otherwise.
    pub(super) default: Value,
}

/// How a setting can be written as one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As it is.
    Text,
    /// `true` or `false`.
    Switch,
    /// A number.
    Number,
    /// Texts with commas between them.
    List,
    /// A text or a number, or nothing.
    Optional,
    /// Not at all: tables can only be written in the file.
    Tables,
}

/// Settings whose values are shown to nobody.
const SECRETS: [&str; 3] =
    ["gateway.webhook_secrets", "notifications.smtp.password", "notifications.webhook.secrets"];
/// The setting whose tables have names that the shop gives.
pub(super) const STORES: &str = "imports.stores";
/// What is shown to nobody of each of them.
pub(super) const STORE_SECRETS: [&str; 2] = ["secret_access_key", "session_token"];

static SECTIONS: LazyLock<Vec<Section>> = LazyLock::new(|| {
    let mut sections = vec![
        section::<DatabaseSettings>("database"),
        section::<RedisSettings>("redis"),
        section::<ShopSettings>("shop"),
        section::<GatewaySettings>("gateway"),
        section::<NotificationSettings>("notifications"),
        section::<SmtpSettings>("notifications.smtp"),
        section::<WebhookSettings>("notifications.webhook"),
        section::<ImportSettings>("imports"),
        section::<WebSettings>("web"),
        section::<LogSettings>("log"),
        section::<TelemetrySettings>("telemetry"),
        listed("queue", queue_docs::ENGINE, queue_docs::SETTINGS.iter().copied()),
        listed("queue.supervisor", queue_docs::WORKERS, queue_docs::SUPERVISOR.iter().copied()),
    ];
    let tables: Vec<&str> = sections.iter().map(|section| section.path).collect();
    for section in &mut sections {
        section.fields.retain(|field| !tables.contains(&field.path.as_str()));
    }
    sections
});

fn section<T: Documented + DocumentedFields>(path: &'static str) -> Section {
    listed(path, T::DOCS, T::FIELD_NAMES.iter().copied().zip(T::FIELD_DOCS.iter().copied()))
}

fn listed(
    path: &'static str,
    docs: &'static str,
    fields: impl Iterator<Item = (&'static str, &'static str)>,
) -> Section {
    let fields = fields.map(|(name, docs)| {
        let path = format!("{path}.{name}");
        let default = defaults().pointer(&pointer(&path)).cloned().unwrap_or_default();
        Field { path, docs, default }
    });
    Section { path, docs, fields: fields.collect() }
}

/// The settings of one store, under a name that stands for any. They are no settings of their own, because each store
/// has them under its own name.
pub(super) fn store() -> &'static Section {
    static STORE: LazyLock<Section> = LazyLock::new(|| {
        let defaults = serde_json::to_value(StoreSettings::default()).expect("settings are plain data");
        let mut section = section::<StoreSettings>("imports.stores.NAME");
        for field in &mut section.fields {
            let name = field.path.rsplit('.').next().unwrap_or_default();
            field.default = defaults.get(name).cloned().unwrap_or_default();
        }
        section
    });
    &STORE
}

/// The tables, in the order of the reference.
pub(super) fn sections() -> &'static [Section] {
    &SECTIONS
}

/// Every setting.
pub(super) fn fields() -> impl Iterator<Item = &'static Field> {
    sections().iter().flat_map(|section| &section.fields)
}

/// The setting with this path.
pub(super) fn find(path: &str) -> Option<&'static Field> {
    fields().find(|field| field.path == path)
}

/// All defaults, as a tree.
pub(super) fn defaults() -> &'static Value {
    static DEFAULTS: LazyLock<Value> =
        LazyLock::new(|| serde_json::to_value(Config::default()).expect("settings are plain data"));
    &DEFAULTS
}

/// The JSON pointer of a path.
pub(super) fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

impl Field {
    /// The environment variable that sets it.
    pub(super) fn variable(&self) -> String {
        format!("ORDERMILL_{}", self.path.replace('.', "_").to_uppercase())
    }

    /// How it can be written as one text.
    pub(super) fn kind(&self) -> Kind {
        match &self.default {
            Value::Null => Kind::Optional,
            Value::Bool(_) => Kind::Switch,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::Text,
            Value::Array(items) if items.iter().all(Value::is_string) => Kind::List,
            Value::Array(_) | Value::Object(_) => Kind::Tables,
        }
    }

    /// Whether its value is shown to nobody.
    pub(super) fn is_secret(&self) -> bool {
        SECRETS.contains(&self.path.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paths of everything in the tree that is no section.
    fn leaves(tree: &Value, path: &str, found: &mut Vec<String>) {
        let is_section = path.is_empty() || sections().iter().any(|section| section.path == path);
        match tree {
            Value::Object(table) if is_section => {
                for (name, value) in table {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    leaves(value, &path, found);
                }
            }
            _ => found.push(path.to_owned()),
        }
    }

    #[test]
    fn every_setting_is_listed_once_and_explained() {
        let mut in_structs = Vec::new();
        leaves(defaults(), "", &mut in_structs);
        let mut listed: Vec<String> = fields().map(|field| field.path.clone()).collect();
        in_structs.sort();
        listed.sort();
        assert_eq!(listed, in_structs);
        let unexplained: Vec<&Field> = fields().filter(|field| field.docs.trim().is_empty()).collect();
        assert!(unexplained.is_empty(), "{unexplained:?}");
    }

    #[test]
    fn every_secret_is_a_setting() {
        assert!(SECRETS.iter().all(|path| find(path).is_some()));
    }
}
