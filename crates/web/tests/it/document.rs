//! `docs/api.md` lists what is answered, and `docs/openapi.json` describes it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use web::Access;

const BEGIN: &str = "<!-- addresses -->\n";
const END: &str = "<!-- /addresses -->";

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// Compares a file with what it should be, or writes it.
pub fn compare(path: &Path, wanted: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == wanted, "{} is not up to date: run this test with UPDATE_DOCS=1", path.display());
}

#[test]
fn the_page_of_the_api_lists_every_address_with_its_role() {
    let path = docs("api.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let mut table = "| method | address | does | needs |\n| --- | --- | --- | --- |\n".to_owned();
    for Access { method, address, needs, summary } in web::access() {
        let needs = needs.map_or("a signature", |role| role.as_str());
        writeln!(table, "| {method} | {address} | {summary} | {needs} |").unwrap();
    }
    let (before, rest) = page.split_once(BEGIN).expect("the page has a place for the table");
    let (_, after) = rest.split_once(END).expect("the place has an end");
    compare(&path, &format!("{before}{BEGIN}{table}{END}{after}"));
}

#[test]
fn the_document_in_the_repository_is_the_one_that_is_served() {
    let mut text = serde_json::to_string_pretty(web::openapi()).unwrap();
    text.push('\n');
    compare(&docs("openapi.json"), &text);
}

/// Every operation of the document: its address, its method, and what is said of it.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    web::openapi()["paths"].as_object().unwrap().iter().flat_map(|(address, methods)| {
        let methods = methods.as_object().unwrap();
        methods.iter().map(move |(method, operation)| (address.as_str(), method.as_str(), operation))
    })
}

#[test]
fn every_endpoint_is_described_whole() {
    let mut ids = std::collections::HashSet::new();
    assert_eq!(operations().count(), web::access().len());
    for (address, method, operation) in operations() {
        let at = format!("{method} {address}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{at} has the name of another");
        let responses = operation["responses"].as_object().unwrap();
        let good: Vec<_> = responses.iter().filter(|(status, _)| status.starts_with('2')).collect();
        assert!(!good.is_empty(), "{at} tells of no success: say what its handler answers");
        for (status, answer) in responses {
            assert!(answer["description"].as_str().is_some_and(|text| text.len() > 1), "{at} {status}");
            for (_, content) in answer["content"].as_object().into_iter().flatten() {
                assert!(content["schema"].is_object(), "{at} {status} has no schema");
            }
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let is_told = parameter["in"] == "path" || parameter["description"].is_string();
            assert!(is_told, "{at} does not say what `{}` is", parameter["name"]);
        }
        let is_about_the_api = !address.starts_with("/api/");
        let answers = good.iter().flat_map(|(_, answer)| answer["content"].as_object().unwrap().values());
        let body = operation["requestBody"]["content"].as_object();
        for content in answers.chain(body.into_iter().flat_map(serde_json::Map::values)) {
            let has_example = content.get("example").is_some();
            assert!(has_example || is_about_the_api, "{at} has no example: let `session.rs` ask it");
        }
    }
}
