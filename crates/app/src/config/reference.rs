//! The reference page and `.env.example`, written from the structs.

use std::fmt::Write as _;

use serde_json::Value;

use super::schema::{self, Field, Kind, Section};

const INTRODUCTION: &str = "\
# Settings

Written by `ordermill config --reference` from the settings themselves; do not edit.

A setting is looked for in this order, the later standing above the earlier:

1. its default, as listed here;
2. `ordermill.toml` in the working directory, or the file named by `--config FILE`;
3. the environment: the variable beside it (`DATABASE_URL`, `REDIS_URL`, `OTEL_EXPORTER_OTLP_ENDPOINT` and `OTEL_SERVICE_NAME`
   are read too), lists with commas between their items;
4. the flag of a command, where there is one: `--database`, `--listen`.

All settings are checked when a command starts, and every mistake is listed with its place. `ordermill config` shows
the settings in force and where each came from; secrets are hidden. Durations are a number and a unit: `250ms`, `30s`,
`15m`, `2h`, `7d`.
";

/// The reference page, in Markdown.
pub fn reference_page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for section in schema::sections().iter().chain([schema::store()]) {
        write!(page, "\n## `[{}]`\n\n{}\n\n", section.path, introduction(section))
            .expect("a String takes all");
        page.push_str("| setting | default | variable | what it means |\n| --- | --- | --- | --- |\n");
        for field in &section.fields {
            let name = field.path.rsplit('.').next().unwrap_or_default();
            let default = match written(&field.default) {
                text if text.is_empty() => "none".to_owned(),
                text => format!("`{text}`"),
            };
            let variable = match field.kind() {
                Kind::Tables if field.path == schema::STORES => "see below".to_owned(),
                Kind::Tables => "in the file only".to_owned(),
                _ => format!("`{}`", field.variable()),
            };
            let docs = one_line(field.docs).replace('|', "\\|");
            writeln!(page, "| `{name}` | {default} | {variable} | {docs} |").expect("a String takes all");
        }
    }
    page
}

/// An example of an environment file, with every default commented out.
pub fn env_example() -> String {
    let mut text = String::from(
        "# Every setting as an environment variable, with its default. Written by `ordermill config --env-example`.\n",
    );
    for section in schema::sections().iter().chain([schema::store()]) {
        write!(text, "\n# {}\n", introduction(section)).expect("a String takes all");
        for field in section.fields.iter().filter(|field| field.kind() != Kind::Tables) {
            let value = quoted(field);
            writeln!(text, "\n# {}\n#{}={value}", one_line(field.docs), field.variable())
                .expect("a String takes all");
        }
    }
    text
}

/// What a section is about, without its name, which stands above it.
fn introduction(section: &Section) -> String {
    one_line(section.docs).replace(&format!(" `[{}]`", section.path), "")
}

fn quoted(field: &Field) -> String {
    let text = written(&field.default);
    if text.contains([' ', '#', '<']) { format!("\"{text}\"") } else { text }
}

fn written(value: &Value) -> String {
    match value {
        Value::Null | Value::Object(_) => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
        }
        Value::Array(_) => "one for each queue".to_owned(),
        other => other.to_string(),
    }
}

fn one_line(docs: &str) -> String {
    docs.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_reference_and_the_example_are_those_of_the_structs() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for (name, text) in [("docs/configuration.md", reference_page()), (".env.example", env_example())] {
            let path = root.join(name);
            if std::env::var_os("UPDATE_DOCS").is_some() {
                std::fs::write(&path, &text).unwrap();
            }
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(kept, text, "{name} is stale; run this test again with UPDATE_DOCS=1");
        }
    }
}
