//! `docs/api.md` lists what is answered.

use std::fmt::Write as _;
use std::path::Path;

const BEGIN: &str = "<!-- addresses -->\n";
const END: &str = "<!-- /addresses -->";

#[test]
fn the_page_of_the_api_lists_every_address_with_its_role() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let mut table = "| method | address | needs |\n| --- | --- | --- |\n".to_owned();
    for (method, address, needs) in web::access() {
        let needs = needs.map_or("a signature", |role| role.as_str());
        writeln!(table, "| {method} | /api{address} | {needs} |").unwrap();
    }
    let (before, rest) = page.split_once(BEGIN).expect("the page has a place for the table");
    let (_, after) = rest.split_once(END).expect("the place has an end");
    let wanted = format!("{before}{BEGIN}{table}{END}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    assert!(page == wanted || std::env::var_os("UPDATE_DOCS").is_some(), "run it with UPDATE_DOCS=1");
}
