//! Where settings come from, and what wrong ones are answered with.

use crate::support::Shop;

#[test]
fn every_mistake_is_listed_at_once_with_its_place() {
    let shop = Shop::new().set("gateway.latency", "soon").set("gateway.sede", "1");
    shop.write("ordermill.toml", "[gateway]\ndeclin_rate = 0.5\n\n[shop]\ntime_zone = \"Mars/Base\"\n");
    let ran = shop.run(&["status"]);
    assert_eq!(ran.code(), Some(1), "{ran}");
    for part in [
        "4 mistakes",
        "ordermill.toml line 2: there is no setting `gateway.declin_rate`; did you mean `decline_rate`?",
        "ordermill.toml line 5: `shop.time_zone`",
        "ORDERMILL_GATEWAY_LATENCY: `gateway.latency`",
        "ORDERMILL_GATEWAY_SEDE: there is no such setting; did you mean `ORDERMILL_GATEWAY_SEED`?",
    ] {
        assert!(ran.stderr.contains(part), "{part:?} is missing: {ran}");
    }
    assert!(shop.is_untouched(), "nothing was begun");
}

#[test]
fn the_settings_in_force_are_shown_with_where_each_came_from() {
    let shop = Shop::new().set("gateway.webhook_secrets", "confidential");
    shop.write("mine.toml", "[shop]\nname = \"Mine\"\n");
    let arguments = ["config", "--set", "--config", "mine.toml", "--database", "other.db"];
    let shown = shop.json(&arguments);
    let find = |name: &str| {
        let settings = shown["settings"].as_array().expect("a list");
        let found = settings.iter().find(|setting| setting["name"] == name);
        let text = |field: &str| found.map(|setting| setting[field].to_string()).unwrap_or_default();
        (text("value"), text("origin"))
    };
    assert_eq!(find("shop.name"), ("\"Mine\"".to_owned(), "\"mine.toml line 2\"".to_owned()));
    assert_eq!(find("database.url"), ("\"other.db\"".to_owned(), "\"--database\"".to_owned()));
    let (value, origin) = find("gateway.webhook_secrets");
    assert!(value.contains("hidden") && origin.contains("ORDERMILL_GATEWAY_WEBHOOK_SECRETS"), "{shown}");
    assert!(!shop.done(&arguments).text().contains("confidential"));
}

#[test]
fn a_settings_file_that_is_named_must_be_there() {
    let ran = Shop::new().run(&["status", "--config", "missing.toml"]);
    assert_eq!(ran.code(), Some(1), "{ran}");
    assert!(ran.stderr.contains("missing.toml"), "{ran}");
}

#[test]
fn the_reference_can_be_printed_whatever_the_settings_are() {
    let shop = Shop::new().set("gateway.latency", "soon");
    assert!(shop.done(&["config", "--reference"]).stdout.contains("ORDERMILL_NOTIFICATIONS_SMTP_HOST"));
    assert!(shop.done(&["config", "--env-example"]).stdout.contains("#ORDERMILL_WEB_LISTEN="));
}
