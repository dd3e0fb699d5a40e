//! What no type can say of a setting: ranges, zones, addresses, and settings that contradict each other.

use std::time::Duration;

use domain::Currency;
use tracing_subscriber::EnvFilter;

use super::{
    Config, GatewayMode, GatewaySettings, NotificationSettings, RedisSettings, StoreSettings,
    TelemetrySettings, WebSettings, WebhookSettings,
};

/// What is wrong, each with the path of its setting.
pub(super) fn check(config: &Config) -> Vec<(String, String)> {
    let mut found = Found(Vec::new());
    found.shop(config);
    found.redis(&config.redis);
    found.gateway(&config.gateway);
    found.notifications(&config.notifications);
    found.web(&config.web);
    found.telemetry(&config.telemetry);
    found.queue(config);
    found.0
}

struct Found(Vec<(String, String)>);

impl Found {
    fn must(&mut self, holds: bool, path: &str, what: impl Into<String>) {
        if !holds {
            self.0.push((path.to_owned(), what.into()));
        }
    }

    fn shop(&mut self, config: &Config) {
        let Config { database, shop, imports, log, web, .. } = config;
        let refused = sql::Error::Address(database.url.clone());
        self.must(is_database(&database.url), "database.url", refused.to_string());
        self.must(database.readers > 0, "database.readers", "at least one connection must read");
        self.must(database.writers > 0, "database.writers", "at least one connection must write");
        let zone = &shop.time_zone;
        let no_zone = format!("`{zone}` is no IANA time zone; write one such as `Europe/Berlin` or `UTC`");
        self.must(jiff::tz::TimeZone::get(zone).is_ok(), "shop.time_zone", no_zone);
        if let Err(error) = Currency::parse(&shop.currency) {
            self.must(false, "shop.currency", error.to_string());
        }
        let sound = (1..=100_000).contains(&imports.chunk_size);
        self.must(sound, "imports.chunk_size", "must be from 1 to 100000 rows");
        self.must(imports.max_field_bytes > 0, "imports.max_field_bytes", "must be above 0");
        self.must(imports.max_file_bytes > 0, "imports.max_file_bytes", "must be above 0");
        self.positive(web.events_heartbeat, "web.events_heartbeat");
        for folder in &imports.folders {
            let what = format!("`{}` must be a whole path, beginning with /", folder.display());
            self.must(folder.is_absolute(), "imports.folders", what);
        }
        for (name, store) in &imports.stores {
            for what in wrong_with_store(name, store) {
                self.must(false, "imports.stores", what);
            }
        }
        if let Err(error) = EnvFilter::builder().parse(&log.filter) {
            let what = format!(
                "`{}` is no filter ({error}); write one such as `info` or `warn,app=debug`",
                log.filter
            );
            self.must(false, "log.filter", what);
        }
    }

    fn redis(&mut self, redis: &RedisSettings) {
        if redis.is_used()
            && let Err(error) = redis.url.parse::<redis_link::Address>()
        {
            self.must(false, "redis.url", error.to_string());
        }
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        let prefix = &redis.prefix;
        let sound = !prefix.is_empty() && prefix.len() <= 40 && prefix.chars().all(plain);
        let what = format!("`{prefix}` is no prefix; write 1 to 40 letters, digits, `-`, `_` or `.`");
        self.must(sound, "redis.prefix", what);
        self.positive(redis.response_timeout, "redis.response_timeout");
    }

    fn gateway(&mut self, gateway: &GatewaySettings) {
        let rates = [
            ("gateway.decline_rate", gateway.decline_rate),
            ("gateway.duplicate_rate", gateway.duplicate_rate),
            ("gateway.reorder_rate", gateway.reorder_rate),
            ("gateway.silence_rate", gateway.silence_rate),
        ];
        for (path, rate) in rates {
            self.must(
                (0.0..=1.0).contains(&rate),
                path,
                format!("{rate} is no share; write one from 0 to 1"),
            );
        }
        self.must(gateway.payment_attempts > 0, "gateway.payment_attempts", "must be at least 1");
        self.positive(gateway.reservation_deadline, "gateway.reservation_deadline");
        self.positive(gateway.timeout, "gateway.timeout");
        let sound = !gateway.webhook_secrets.is_empty()
            && gateway.webhook_secrets.iter().all(|secret| !secret.trim().is_empty());
        self.must(sound, "gateway.webhook_secrets", "at least one secret is needed, and none may be empty");
        let urls = [("gateway.url", &gateway.url), ("gateway.callback_url", &gateway.callback_url)];
        for (path, url) in urls.into_iter().filter(|_| gateway.mode == GatewayMode::Http) {
            let sound = reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            self.must(sound, path, format!("`{url}` is no address that begins with http:// or https://"));
        }
    }

    fn notifications(&mut self, notifications: &NotificationSettings) {
        for channel in &notifications.channels {
            let known = matches!(channel.as_str(), "log" | "smtp" | "webhook");
            let what = format!("`{channel}` is not one of `log`, `smtp`, `webhook`");
            self.must(known, "notifications.channels", what);
        }
        if let Err(error) = notifications.from.parse::<lettre::message::Mailbox>() {
            let from = &notifications.from;
            let what = format!("`{from}` is no sender ({error}); write `Shop <orders@shop.example>`");
            self.must(false, "notifications.from", what);
        }
        let smtp = &notifications.smtp;
        self.must(!smtp.host.trim().is_empty(), "notifications.smtp.host", "a host is needed");
        self.must(smtp.connections > 0, "notifications.smtp.connections", "must be at least 1");
        self.positive(smtp.timeout, "notifications.smtp.timeout");
        if notifications.channels.iter().any(|channel| channel == "webhook") {
            self.webhook(&notifications.webhook);
        }
    }

    fn webhook(&mut self, webhook: &WebhookSettings) {
        let url = reqwest::Url::parse(&webhook.url);
        let is_plain =
            |url: &reqwest::Url| matches!(url.scheme(), "http" | "https") && url.username().is_empty();
        let what = "must be an address that begins with http:// or https:// and names no user";
        self.must(url.as_ref().is_ok_and(is_plain), "notifications.webhook.url", what);
        if let (Ok(url), false) = (&url, webhook.allow_private)
            && let Some(refused) = crate::notifications::refused_address(url)
        {
            self.must(false, "notifications.webhook.url", refused);
        }
        let sound = !webhook.secrets.is_empty() && webhook.secrets.iter().all(|secret| secret.len() >= 24);
        let what = "at least one secret is needed, and none may be shorter than 24 letters";
        self.must(sound, "notifications.webhook.secrets", what);
        self.must(webhook.connections > 0, "notifications.webhook.connections", "must be at least 1");
        self.positive(webhook.timeout, "notifications.webhook.timeout");
    }

    fn web(&mut self, web: &WebSettings) {
        let url = &web.public_url;
        let sound = url.is_empty()
            || reqwest::Url::parse(url)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.path() == "/");
        let what = format!("`{url}` is no address such as `https://orders.shop.example`, without a path");
        self.must(sound, "web.public_url", what);
        self.positive(web.session_lifetime, "web.session_lifetime");
        self.positive(web.session_idle, "web.session_idle");
        self.must(web.api_burst > 0, "web.api_burst", "must be at least 1");
    }

    fn telemetry(&mut self, telemetry: &TelemetrySettings) {
        let url = &telemetry.otlp_endpoint;
        let is_plain = |url: reqwest::Url| {
            matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.query().is_none()
        };
        let sound = url.is_empty() || reqwest::Url::parse(url).is_ok_and(is_plain);
        let what = format!("`{url}` is no address such as `http://127.0.0.1:4318`, which names no user");
        self.must(sound, "telemetry.otlp_endpoint", what);
        let named = !telemetry.service_name.trim().is_empty();
        self.must(named, "telemetry.service_name", "a name is needed");
        let ratio = telemetry.sample_ratio;
        let what = format!("{ratio} is no share; write one from 0 to 1");
        self.must((0.0..=1.0).contains(&ratio), "telemetry.sample_ratio", what);
    }

    fn queue(&mut self, config: &Config) {
        let mut config = config.clone();
        config.use_own_pools();
        if let Err(queue::Error::Settings(wrong)) = config.queue.check() {
            for what in wrong {
                // Each begins with its setting's name, or names the pool of a queue.
                let name = what.strip_prefix('`').and_then(|rest| rest.split('`').next());
                self.must(false, &format!("queue.{}", name.unwrap_or("supervisor.pools")), what.as_str());
            }
        }
    }

    fn positive(&mut self, duration: Duration, path: &str) {
        self.must(!duration.is_zero(), path, "must be above 0");
    }
}

/// What is wrong with an object store.
fn wrong_with_store(name: &str, store: &StoreSettings) -> Vec<String> {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let address = store.address();
    let url = reqwest::Url::parse(&address);
    let reachable =
        url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.username().is_empty());
    let rules = [
        (name.chars().all(plain), format!("`{name}` is no name; write small letters, digits and `_`")),
        (!store.bucket.is_empty(), format!("`{name}`: a bucket is needed")),
        (
            reachable,
            format!(
                "`{name}`: `{address}` is no address that begins with http:// or https:// and names no user"
            ),
        ),
        (
            store.access_key_id.is_some() == store.secret_access_key.is_some(),
            format!("`{name}`: access_key_id and secret_access_key go together: give both or neither"),
        ),
        (!store.timeout.is_zero(), format!("`{name}`: timeout must be above 0")),
    ];
    rules.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what).collect()
}

/// Whether an address names an engine that this version knows: a path, or `sqlite:PATH`.
fn is_database(url: &str) -> bool {
    match url.split_once(':') {
        Some(("sqlite", path)) => !path.trim_start_matches('/').is_empty(),
        // Whether host and name are there is for whoever connects to say, without the password.
        Some(("mysql" | "mariadb", place)) => place.starts_with("//"),
        Some((scheme, _)) if scheme.len() > 1 && !scheme.contains(['/', '.']) => false,
        _ => !url.trim().is_empty(),
    }
}
