//! The dashboard in a real browser. Each test is a walk through a shop of its own, by a script of `tests/browser`, in
//! which nothing may go wrong: no error on the console, nothing that the policy forbids, nothing asked of other hosts,
//! nobody kept out (axe-core), nothing wider than the screen. Each page that it looks at leaves its screenshots.

use std::path::{Path, PathBuf};

use testkit::TEST_ON;
use testkit::smtp::{ReceivedMail, SmtpServer};

use crate::support::{Shop, finish};

#[test]
fn whoever_opens_the_link_becomes_the_admin_and_learns_how_to_begin() {
    walk("setup");
}

#[test]
fn the_right_password_alone_opens_the_dashboard() {
    walk("login");
}

#[test]
fn another_password_is_chosen_by_who_knows_the_one_there_is() {
    walk("account");
}

#[test]
fn the_overview_changes_by_itself_as_orders_come() {
    walk("overview");
}

#[test]
fn orders_are_found_by_whose_they_are_and_what_they_hold() {
    walk("orders");
}

#[test]
fn a_dropped_file_is_mapped_tried_imported_and_corrected() {
    walk("imports");
}

#[test]
fn the_api_is_described_to_people() {
    walk("docs");
}

#[test]
fn what_goes_wrong_is_told_on_a_page() {
    walk("refusal");
}

#[test]
fn every_page_of_the_navigation_is_reached_and_read_by_the_keyboard_alone() {
    walk("navigation");
}

#[test]
fn every_page_shows_what_a_month_of_business_left_there() {
    walk("pages");
}

#[test]
fn a_first_day_goes_from_the_link_to_mails_that_are_sent_at_last_all_in_the_browser() {
    let (mails, door) = (SmtpServer::start(), SmtpServer::stopped());
    let shop = Shop::new()
        .set("notifications.channels", "smtp")
        .set("notifications.from", "Shop <orders@shop.example>")
        .set("notifications.smtp.security", "none")
        .set("notifications.smtp.port", door.port());
    walk_in(&shop, "journey", &[("MAILS_COME_TO", door.port()), ("MAILS_GO_TO", mails.port())]);
    let to_bob = |mail: &ReceivedMail| mail.recipients == ["bob@example.com"];
    let of_bob = mails.mails().into_iter().filter(to_bob).map(|mail| mail.header("Subject").to_owned());
    assert_eq!(of_bob.collect::<Vec<_>>(), ["Your order F-2 is confirmed", "Your order F-2 is on its way"]);
}

/// Runs a script in a shop that is served and that nobody has been in.
fn walk(script: &str) {
    walk_in(&Shop::new(), script, &[]);
}

/// Runs a script in this shop, which tells it where servers are.
fn walk_in(shop: &Shop, script: &str, ports: &[(&str, u16)]) {
    let token = shop.done(&["token", "create", "--role", "operator", "--name", "walk"]).stdout;
    let mut serving = shop.start(&["serve", "--listen", "127.0.0.1:0"]);
    let mut node = shop.prepared(testkit::browser::script(&scripts().join(format!("{script}.mjs"))));
    node.env("PROGRAM", env!("CARGO_BIN_EXE_ordermill"))
        .env("SHOP", format!("http://{}", serving.address()))
        .env("LINK", serving.setup_link())
        .env("TOKEN", token.trim())
        .env("SCREENSHOTS", screenshots())
        .envs(ports.iter().map(|(name, port)| (name, port.to_string())));
    let walked = finish(node);
    assert_eq!(walked.code(), Some(0), "{walked}\nthe server's log: {}", serving.stderr());
    assert_eq!(serving.terminate().code(), Some(0));
    shop.assert_clean();
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

/// Where screenshots are kept, by the engines that this run of the tests uses.
fn screenshots() -> PathBuf {
    let engines = std::env::var(TEST_ON).unwrap_or_else(|_| "sqlite".to_owned());
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots").join(engines)
}

#[test]
fn no_script_is_forgotten() {
    let files = std::fs::read_dir(scripts()).expect("the folder of scripts");
    let forgotten = files.map(|file| file.expect("a file").path()).filter(|path| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        let walks = [format!("walk(\"{name}\");"), format!("walk_in(&shop, \"{name}\"")];
        text.contains("await walk(") && !walks.iter().any(|walk| include_str!("browser.rs").contains(walk))
    });
    assert_eq!(forgotten.collect::<Vec<_>>(), Vec::<PathBuf>::new());
}
