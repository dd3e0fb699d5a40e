//! Putting the settings together: defaults, below the file, below the environment, below flags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};

use super::layers::{Given, Layers};
use super::mistake::{Mistake, Mistakes, Origin};
use super::{Config, check, schema};

/// The settings file that is read where none is named.
pub const DEFAULT_FILE: &str = "ordermill.toml";

/// Where settings are looked for.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The settings file; [`DEFAULT_FILE`] in the working directory, if it is there, where none is named.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// Flags: their name, the setting that they stand for, and its value.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

/// The settings in force.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What they are.
    pub config: Config,
    origins: BTreeMap<&'static str, Origin>,
}

/// A setting in force, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// Its path.
    pub name: &'static str,
    /// Its value; secrets are hidden.
    pub value: Value,
    /// Where it came from.
    pub origin: String,
}

/// Reads and checks all settings. Every mistake is listed, not just the first.
pub fn load(sources: &Sources) -> Result<Settings, Mistakes> {
    let mut layers = Layers::default();
    match &sources.file {
        Some(path) => layers.add_file(path),
        None if Path::new(DEFAULT_FILE).exists() => layers.add_file(Path::new(DEFAULT_FILE)),
        None => {}
    }
    layers.add_environment(&sources.environment);
    for (flag, path, text) in &sources.flags {
        if let Some(field) = schema::find(path) {
            layers.add_text(field, text, Origin::Flag(flag));
        }
    }
    merge(layers)
}

fn merge(layers: Layers) -> Result<Settings, Mistakes> {
    let Layers { given, mut mistakes } = layers;
    let mut tree = schema::defaults().clone();
    let mut origins = BTreeMap::new();
    for Given { field, readings, origin } in given {
        match fitting(&field.path, readings) {
            Ok(value) => {
                put(&mut tree, &field.path, value);
                origins.insert(field.path.as_str(), origin);
            }
            Err(what) => mistakes.push(Mistake { origin, what: format!("`{}`: {what}", field.path) }),
        }
    }
    let config: Config = match serde_json::from_value(tree) {
        Ok(config) => config,
        Err(error) => {
            mistakes.push(Mistake { origin: Origin::Default, what: error.to_string() });
            return Err(Mistakes(mistakes));
        }
    };
    for (path, what) in check::check(&config) {
        let origin = origins.get(path.as_str()).cloned().unwrap_or(Origin::Default);
        mistakes.push(Mistake { origin, what: format!("`{path}`: {what}") });
    }
    if mistakes.is_empty() { Ok(Settings { config, origins }) } else { Err(Mistakes(mistakes)) }
}

/// The first reading that the setting can be, or why the first one cannot.
fn fitting(path: &str, readings: Vec<Value>) -> Result<Value, String> {
    let mut refused = None;
    for value in readings {
        let mut tree = schema::defaults().clone();
        put(&mut tree, path, value.clone());
        match serde_json::from_value::<Config>(tree) {
            Ok(_) => return Ok(value),
            Err(error) => {
                refused.get_or_insert(in_plain_words(&error.to_string()));
            }
        }
    }
    Err(refused.unwrap_or_default())
}

fn put(tree: &mut Value, path: &str, value: Value) {
    let Some(place) = tree.pointer_mut(&schema::pointer(path)) else { return };
    match value {
        Value::Object(tables) if path == schema::STORES => lay_over(place, tables),
        value => *place = value,
    }
}

/// Puts what a layer says of stores over what is known of them: a layer may tell of a part.
fn lay_over(place: &mut Value, tables: Map<String, Value>) {
    let Value::Object(known) = place else { return };
    for (name, value) in tables {
        match (known.get_mut(&name), value) {
            (Some(Value::Object(store)), Value::Object(settings)) => store.extend(settings),
            (_, value) => drop(known.insert(name, value)),
        }
    }
}

/// Names of Rust's types mean nothing to whoever writes a settings file.
fn in_plain_words(message: &str) -> String {
    const WORDS: [(&str, &str); 7] = [
        ("expected f64", "expected a number"),
        ("expected u16", "expected a whole number from 0 to 65535"),
        ("expected u32", "expected a whole number from 0 to 4294967295"),
        ("expected u64", "expected a whole number from 0 up"),
        ("expected usize", "expected a whole number from 0 up"),
        ("expected a sequence", "expected a list"),
        ("invalid socket address syntax", "not an address and port, such as 127.0.0.1:8000"),
    ];
    WORDS.iter().fold(message.to_owned(), |text, (from, to)| text.replace(from, to))
}

impl Settings {
    /// Where a setting came from.
    pub fn origin(&self, path: &str) -> &Origin {
        self.origins.get(path).unwrap_or(&Origin::Default)
    }

    /// Every setting in force, in the order of the reference. Secrets are hidden.
    pub fn shown(&self) -> Vec<Shown> {
        let tree = serde_json::to_value(&self.config).unwrap_or_default();
        let shown = schema::fields().map(|field| {
            let value = tree.pointer(&schema::pointer(&field.path)).cloned().unwrap_or_default();
            let value = match value {
                Value::Object(stores) if field.path == schema::STORES => without_keys(stores),
                Value::Array(items) if field.is_secret() => items.iter().map(|_| hidden()).collect(),
                Value::String(_) if field.is_secret() => hidden(),
                Value::String(text) => Value::String(without_password(&text)),
                other => other,
            };
            Shown { name: &field.path, value, origin: self.origin(&field.path).to_string() }
        });
        shown.collect()
    }
}

/// Stores without the keys to them.
fn without_keys(mut stores: Map<String, Value>) -> Value {
    for store in stores.values_mut() {
        for name in schema::STORE_SECRETS {
            if let Some(secret) = store.get_mut(name).filter(|secret| !secret.is_null()) {
                *secret = hidden();
            }
        }
        if let Some(Value::String(endpoint)) = store.get_mut("endpoint") {
            *endpoint = without_password(endpoint);
        }
    }
    Value::Object(stores)
}

fn hidden() -> Value {
    Value::String("(hidden)".to_owned())
}

/// An address without the password in it.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@').map(|(user, host)| (user.split_once(':'), host)) {
        Some((Some((user, _)), host)) => format!("{scheme}://{user}:(hidden)@{host}{path}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ordermill.toml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn sources(text: &str, variables: &[(&str, &str)]) -> (tempfile::TempDir, Sources) {
        let (folder, path) = file(text);
        let environment =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        (folder, Sources { file: Some(path), environment, flags: Vec::new() })
    }

    #[test]
    fn flags_stand_above_variables_above_the_file_above_defaults() {
        let text = "[shop]\nname = \"File\"\ncurrency = \"GBP\"\n[web]\nlisten = \"127.0.0.1:1\"\n";
        let variables = [("ORDERMILL_SHOP_NAME", "Variable"), ("ORDERMILL_WEB_LISTEN", "127.0.0.1:2")];
        let (_folder, mut sources) = sources(text, &variables);
        sources.flags.push(("--listen", "web.listen", "127.0.0.1:3".to_owned()));
        let settings = load(&sources).unwrap();
        assert_eq!(settings.config.shop.currency, "GBP");
        assert_eq!(settings.config.shop.name, "Variable");
        assert_eq!(settings.config.web.listen.port(), 3);
        assert_eq!(settings.config.gateway, crate::config::GatewaySettings::default());
        assert_eq!(settings.origin("shop.name").to_string(), "ORDERMILL_SHOP_NAME");
        assert!(settings.origin("shop.currency").to_string().ends_with("ordermill.toml line 3"));
        assert_eq!(settings.origin("web.listen").to_string(), "--listen");
        assert_eq!(*settings.origin("gateway.seed"), Origin::Default);
    }

    #[test]
    fn variables_are_read_as_what_their_setting_is() {
        let variables = [
            ("DATABASE_URL", "other.db"),
            ("ORDERMILL_DATABASE_URL", "sqlite:ours.db"),
            ("REDIS_URL", "redis://cache.example:6380/2"),
            ("ORDERMILL_GATEWAY_DECLINE_RATE", "1"),
            ("ORDERMILL_GATEWAY_WEBHOOK_SECRETS", "one, two"),
            ("ORDERMILL_GATEWAY_RESERVATION_DEADLINE", "90s"),
            ("ORDERMILL_NOTIFICATIONS_SMTP_HOST", "mail.example"),
            ("ORDERMILL_NOTIFICATIONS_SMTP_PASSWORD", "12345"),
            ("ORDERMILL_NOTIFICATIONS_CHANNELS", ""),
            ("ORDERMILL_QUEUE_SUPERVISOR_MAX_JOBS", "7"),
            ("ORDERMILL_SHARED", "not a setting"),
            ("HOME", "/"),
        ];
        let (_folder, sources) = sources("", &variables);
        let config = load(&sources).unwrap().config;
        assert_eq!(config.database.url, "sqlite:ours.db");
        assert_eq!(config.redis.url, "redis://cache.example:6380/2");
        assert_eq!(config.gateway.decline_rate.to_bits(), 1.0_f64.to_bits());
        assert_eq!(config.gateway.webhook_secrets, ["one", "two"]);
        assert_eq!(config.gateway.reservation_deadline.as_secs(), 90);
        assert_eq!(config.notifications.smtp.host, "mail.example");
        assert_eq!(config.notifications.smtp.password.as_deref(), Some("12345"));
        assert!(config.notifications.channels.is_empty());
        assert_eq!(config.queue.supervisor.max_jobs, Some(7));
    }

    #[test]
    fn every_mistake_is_listed_with_its_place() {
        let text = "[gateway]\ndeclin_rate = 0.1\nlatency = \"soon\"\nsilence_rate = 2\n\n[shop]\ntime_zone = \
                    \"Mars/Base\"\ncurrency = \"QQQ\"\n[gatway]\nx = 1\n[queue]\nlease = \"0s\"\n";
        let variables = [
            ("ORDERMILL_NOTIFICATIONS_SMTP_PORT", "99999"),
            ("ORDERMILL_GATEWAY_SEDE", "1"),
            ("ORDERMILL_QUEUE_ALERTS", "stock=1s"),
            ("DATABASE_URL", "postgres://u:p@h/d"),
        ];
        let (folder, sources) = sources(text, &variables);
        let mistakes = load(&sources).unwrap_err().to_string();
        let place = folder.path().display().to_string();
        insta::assert_snapshot!(mistakes.replace(&place, "FOLDER"));
    }

    #[test]
    fn what_stands_in_front_of_the_server_is_checked_and_read() {
        let wrong = [
            ("ORDERMILL_WEB_TRUSTED_PROXIES", "127.0.0.1,proxy"),
            ("ORDERMILL_WEB_PUBLIC_URL", "https://shop.example/orders"),
            ("ORDERMILL_WEB_API_BURST", "0"),
        ];
        let (_folder, sources) = sources("", &wrong);
        let mistakes = load(&sources).unwrap_err().to_string();
        assert!(mistakes.contains("`proxy` is no address or network"), "{mistakes}");
        let right = [
            ("ORDERMILL_WEB_TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8"),
            ("ORDERMILL_WEB_PUBLIC_URL", "https://shop.example"),
        ];
        let (_folder, sources) = self::sources("", &right);
        let web = load(&sources).unwrap().config.web;
        let trusts = |text: &str| web.trusted_proxies.iter().any(|one| one.contains(text.parse().unwrap()));
        assert!(trusts("127.0.0.1") && trusts("10.9.8.7") && !trusts("127.0.0.2"));
    }

    #[test]
    fn where_traces_go_is_checked_and_ours_stand_above_what_other_tools_know() {
        let wrong = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
            ("ORDERMILL_TELEMETRY_SAMPLE_RATIO", "1.5"),
            ("ORDERMILL_TELEMETRY_SERVICE_NAME", " "),
        ];
        let (_folder, sources) = sources("", &wrong);
        let mistakes = load(&sources).unwrap_err().to_string();
        for told in ["OTEL_EXPORTER_OTLP_ENDPOINT", "1.5 is no share", "a name is needed"] {
            assert!(mistakes.contains(told), "{told}: {mistakes}");
        }
        let right = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
            ("OTEL_SERVICE_NAME", "theirs"),
            ("ORDERMILL_TELEMETRY_SERVICE_NAME", "ours"),
        ];
        let (_folder, sources) = self::sources("", &right);
        let telemetry = load(&sources).unwrap().config.telemetry;
        assert_eq!(telemetry.otlp_endpoint, "http://collector:4318");
        assert_eq!(telemetry.service_name, "ours");
        assert!(Config::default().telemetry.start_settings().is_none(), "no collector, no traces");
    }

    #[test]
    fn a_file_that_is_no_toml_is_refused_with_its_line() {
        let (folder, sources) = sources("[shop]\nname = \"a\"\nname = \"b\"\ncurrency =\n", &[]);
        let mistakes = load(&sources).unwrap_err().to_string();
        insta::assert_snapshot!(mistakes.replace(&folder.path().display().to_string(), "FOLDER"));
    }

    #[test]
    fn stores_are_told_of_by_the_file_and_by_variables() {
        let text = "[imports.stores.archive]\nbucket = \"exports\"\nprefix = \"orders/\"\n";
        let variables = [
            ("ORDERMILL_IMPORTS_STORES_ARCHIVE_ACCESS_KEY_ID", "123"),
            ("ORDERMILL_IMPORTS_STORES_ARCHIVE_SECRET_ACCESS_KEY", "confidential"),
            ("ORDERMILL_IMPORTS_STORES_OLD_SHOP_BUCKET", "old"),
            ("ORDERMILL_IMPORTS_STORES_OLD_SHOP_TIMEOUT", "5s"),
        ];
        let (_folder, sources) = sources(text, &variables);
        let settings = load(&sources).unwrap();
        let stores = &settings.config.imports.stores;
        let archive = &stores["archive"];
        assert_eq!((archive.bucket.as_str(), archive.prefix.as_str()), ("exports", "orders/"));
        assert_eq!(archive.access_key_id.as_deref(), Some("123"));
        assert_eq!((stores["old_shop"].bucket.as_str(), stores["old_shop"].timeout.as_secs()), ("old", 5));
        let shown = format!("{:?}", settings.shown());
        assert!(!shown.contains("confidential") && shown.contains("(hidden)"), "{shown}");
    }

    #[test]
    fn stores_that_cannot_be_reached_are_refused() {
        let text = "[imports.stores.Archive]\nbucket = \"a\"\n[imports.stores.half]\nbucket = \"b\"\naccess_key_id = \
                    \"x\"\n[imports.stores.files]\nbucket = \"c\"\nendpoint = \"file:///etc\"\n[imports.stores.none]\n\
                    region = \"eu\"\n";
        let (_folder, sources) = sources(text, &[]);
        let mistakes = load(&sources).unwrap_err().to_string();
        for told in ["`Archive` is no name", "`half`: access_key_id", "`files`", "`none`: a bucket is needed"]
        {
            assert!(mistakes.contains(told), "{told}: {mistakes}");
        }
    }

    #[test]
    fn secrets_are_hidden() {
        let variables = [
            ("ORDERMILL_GATEWAY_WEBHOOK_SECRETS", "confidential"),
            ("ORDERMILL_NOTIFICATIONS_SMTP_PASSWORD", "confidential"),
            ("ORDERMILL_REDIS_URL", "rediss://:confidential@cache.example:6380/1"),
            ("ORDERMILL_GATEWAY_URL", "http://me:confidential@gateway.example/pay"),
        ];
        let (_folder, sources) = sources("", &variables);
        let shown = format!("{:?}", load(&sources).unwrap().shown());
        assert!(!shown.contains("confidential"), "{shown}");
        assert!(shown.contains("http://me:(hidden)@gateway.example/pay"), "{shown}");
        assert!(shown.contains("rediss://:(hidden)@cache.example:6380/1"), "{shown}");
    }
}
