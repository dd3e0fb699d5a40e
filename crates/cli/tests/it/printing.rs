//! Help, answers, and readers that go away.

use crate::small_orders;
use crate::support::{Shop, finish};

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let named = commands.take_while(|line| !line.is_empty()).filter(|line| line.starts_with("  "));
    let names =
        named.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_explains_itself() {
    let shop = Shop::new();
    let mut seen = Vec::new();
    let mut left: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(path) = left.pop() {
        let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let help = shop.done(&arguments).stdout;
        assert!(help.contains("Usage: ordermill"), "{path:?}: {help}");
        let about = help.lines().next().unwrap_or_default();
        assert!(about.len() > 10, "{path:?} does not say what it does: {help}");
        left.extend(listed(&help).into_iter().map(|name| [path.clone(), vec![name]].concat()));
        seen.push(path.join(" "));
    }
    seen.sort();
    for command in [
        "analytics rebuild",
        "completions",
        "config",
        "demo",
        "gateway",
        "import",
        "imports rejects",
        "kpis",
        "leaderboard",
        "migrate",
        "notifications resend",
        "orders deliver",
        "queue work-stats",
        "refund",
        "seed",
        "selftest",
        "serve",
        "status",
        "stock adjust",
        "token revoke",
        "user create",
        "verify",
        "work",
    ] {
        assert!(seen.iter().any(|one| one == command), "`{command}` is not in the help: {seen:?}");
    }
}

#[test]
fn a_command_that_cannot_be_understood_ends_with_64_so_that_2_stays_the_imports() {
    let shop = Shop::new();
    for arguments in [&["imprt"][..], &["import"], &["orders", "list", "--status", "odd"], &[]] {
        let ran = shop.run(arguments);
        assert_eq!(ran.code(), Some(64), "{arguments:?}: {ran}");
        assert!(ran.stdout.is_empty(), "{ran}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let shop = small_orders::imported();
    for arguments in
        [&["orders", "list", "--json"][..], &["config"], &["man"], &["completions", "bash"], &["--help"]]
    {
        // The reader has gone before anything is written.
        let script = r#"{ sleep 0.3; "$@"; echo "ended with $?" >&2; } | true; wait"#;
        let ran = finish(shop.shell(script, arguments));
        assert!(ran.stderr.contains("ended with 0"), "{arguments:?}: {ran}");
        assert!(!ran.stderr.contains("panicked") && !ran.stderr.contains("error"), "{arguments:?}: {ran}");
    }
}

#[test]
fn what_goes_into_a_pipe_has_no_colours() {
    let shop = small_orders::imported();
    for arguments in [&["orders", "list"][..], &["status"], &["verify"], &["orders", "show", "1"]] {
        let ran = shop.done(arguments);
        assert!(!ran.text().contains('\u{1b}'), "{arguments:?}: {ran}");
    }
}

#[test]
fn answers_are_alone_on_stdout() {
    let shop = Shop::new();
    let file = small_orders::path(&shop);
    let arguments = ["-vv", "import", crate::support::text(&file), "--initial-stock", "100", "--json"];
    let ran = shop.done(&arguments);
    assert!(serde_json::from_str::<serde_json::Value>(&ran.stdout).is_ok(), "{ran}");
    assert!(ran.stderr.contains("DEBUG") || ran.stderr.contains("INFO"), "the log is on stderr: {ran}");
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let shop = Shop::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(shop.done(&["completions", shell]).stdout.contains("leaderboard"), "{shell}");
    }
    assert!(shop.done(&["man"]).stdout.contains(".TH ordermill"));
    shop.done(&["man", "--dir", "pages"]);
    assert!(shop.path("pages/ordermill-refund.1").exists());
}
