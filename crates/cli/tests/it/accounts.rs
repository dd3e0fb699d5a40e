//! People and programs that may use the installation.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use serde_json::Value;

use crate::support::{Ran, Shop, finish, wait_until};

/// Runs the program with this text on its standard input.
fn run_with(shop: &Shop, input: &str, arguments: &[&str]) -> Ran {
    let path = shop.write("input.txt", input);
    let mut command = shop.command(arguments);
    command.stdin(std::fs::File::open(path).expect("the input"));
    finish(command)
}

#[test]
fn a_person_is_made_listed_and_shut_out() {
    let shop = Shop::new();
    let create = ["user", "create", "--email", "Ann@Example.org", "--role", "operator", "--password-stdin"];
    let made = run_with(&shop, "correct horse battery\n", &create);
    assert_eq!(
        (made.code(), made.stdout.trim()),
        (Some(0), "ann@example.org may sign in as operator"),
        "{made}"
    );
    let again = run_with(&shop, "correct horse battery", &create);
    assert_eq!(again.code(), Some(1));
    assert!(again.stderr.contains("there is a user ann@example.org already"), "{again}");
    for (input, reason) in [("", "no password on the standard input"), ("short", "at least 12 characters")] {
        let refused = run_with(
            &shop,
            input,
            &["user", "create", "--email", "b@example.org", "--role", "admin", "--password-stdin"],
        );
        assert_eq!(refused.code(), Some(1), "{refused}");
        assert!(refused.stderr.contains(reason), "{refused}");
    }
    shop.done(&["user", "disable", "ann@example.org"]);
    let listed = shop.json(&["user", "list"]);
    assert_eq!(listed["users"].as_array().map(Vec::len), Some(1));
    assert!(!listed["users"][0]["disabled_at"].is_null(), "{listed}");
    assert!(!listed.to_string().contains("argon2"), "{listed}");
    let nobody = shop.run(&["user", "disable", "nobody@example.org"]);
    assert!(nobody.stderr.contains("ordermill user list"), "{nobody}");
}

#[test]
fn a_token_opens_the_api_until_it_is_revoked() {
    let shop = Shop::new().set("web.listen", "127.0.0.1:0");
    let token = shop.done(&["token", "create", "--role", "viewer", "--name", "till"]).stdout;
    assert_eq!(token.lines().count(), 1, "the token alone");
    let token = token.trim();
    let mut serving = shop.start(&["serve"]);
    let address = serving.address();
    assert_eq!((status(&address, token), status(&address, "om_nothing")), (200, 401));
    wait_until("its use is told", || !shop.json(&["token", "list"])["tokens"][0]["last_used_at"].is_null());
    let listed = shop.json(&["token", "list"]);
    assert_eq!(listed["tokens"][0]["name"], "till");
    assert!(!listed.to_string().contains(token), "{listed}");
    shop.done(&["token", "revoke", "till"]);
    assert_eq!(status(&address, token), 401);
    let taken = shop.run(&["token", "create", "--role", "admin", "--name", "till"]);
    assert!(taken.stderr.contains("there is a token till already"), "{taken}");
}

#[test]
fn a_server_that_knows_nobody_prints_a_link_until_somebody_is_known() {
    let shop = Shop::new().set("web.listen", "127.0.0.1:0");
    let mut serving = shop.start(&["serve", "--no-workers"]);
    let (first, old) = (serving.setup_link(), serving.address());
    assert_eq!(answered(&old, &first, ""), 200);
    assert!(!serving.stderr().contains("/setup/"), "the log does not tell it");
    serving.terminate();
    let mut serving = shop.start(&["serve", "--no-workers"]);
    let (second, address) = (serving.setup_link(), serving.address());
    assert_eq!((answered(&address, &first, ""), answered(&address, &second, "")), (404, 200));
    let create = ["user", "create", "--email", "ann@example.org", "--role", "admin", "--password-stdin"];
    assert_eq!(run_with(&shop, "correct horse battery", &create).code(), Some(0));
    assert_eq!(answered(&address, &second, ""), 404);
    serving.terminate();
    let mut serving = shop.start(&["serve", "--no-workers"]);
    let address = serving.address();
    assert_eq!(answered(&address, "/healthz", ""), 200);
    assert!(!serving.stdout().contains("/setup/"), "{}", serving.stdout());
}

#[test]
fn a_password_is_replaced_at_the_server() {
    let shop = Shop::new();
    let create = ["user", "create", "--email", "ann@example.org", "--role", "admin", "--password-stdin"];
    assert_eq!(run_with(&shop, "correct horse battery", &create).code(), Some(0));
    let password = ["user", "password", "ann@example.org", "--password-stdin"];
    let changed = run_with(&shop, "another horse battery", &password);
    assert_eq!(changed.code(), Some(0), "{changed}");
    assert!(run_with(&shop, "short", &password).stderr.contains("at least 12 characters"));
    let nobody = ["user", "password", "nobody@example.org", "--password-stdin"];
    assert!(run_with(&shop, "another horse battery", &nobody).stderr.contains("ordermill user list"));
}

/// The status that `GET /api/orders` is answered with.
fn status(address: &str, token: &str) -> u16 {
    answered(address, "/api/orders", &format!("authorization: Bearer {token}\r\n"))
}

/// The status that a path is answered with.
fn answered(address: &str, path: &str, header: &str) -> u16 {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: shop\r\n{header}connection: close\r\n\r\n")
        .expect("the server takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

#[test]
fn the_session_of_the_page_runs_as_it_stands() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let (_, rest) = page.split_once("```sh session\n").expect("the page has a session");
    let (session, _) = rest.split_once("```").expect("the session has an end");
    let shop = Shop::new().set("web.listen", "127.0.0.1:0").set("gateway.decline_rate", 0.0);
    let mut serving = shop.start(&["serve", "--no-workers"]);
    let mut command = shop.shell(&format!("set -euo pipefail\n{session}"), &[]);
    let program = Path::new(env!("CARGO_BIN_EXE_ordermill")).parent().expect("it is in a folder").to_owned();
    let path = std::env::var("PATH").expect("there is a PATH");
    command
        .env("PATH", format!("{}:{path}", program.display()))
        .env("SHOP", format!("http://{}", serving.address()));
    let ran = finish(command);
    assert_eq!(ran.code(), Some(0), "{ran}");
    let answers: Vec<Value> = ran
        .stdout
        .lines()
        .flat_map(|line| serde_json::Deserializer::from_str(line).into_iter().map_while(Result::ok))
        .collect();
    let found = |what: &str, is_it: &dyn Fn(&Value) -> bool| {
        assert!(answers.iter().any(is_it), "no {what} in {ran}");
    };
    found("paid order", &|answer| answer["payment"] == "paid" && answer["lines"][0]["quantity"] == 2);
    found("refund", &|answer| answer["status"] == "succeeded" && answer["amount"]["amount"] == 1_999);
    found("figures", &|answer| {
        answer["total"]["orders"] == 1 && answer["total"]["refunds"]["amount"] == 1_999
    });
    found("leaderboard", &|answer| answer["entries"][0]["product"]["sku"] == "TEA-1");
    assert_eq!(shop.count("SELECT COUNT(*) FROM orders"), 1);
    shop.assert_clean();
}
