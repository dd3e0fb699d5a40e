//! The layers that settings come from, each read into values with their origins. Nothing is judged here but whether a
//! setting exists.

use std::path::{Path, PathBuf};

use serde_json::{Map, Number, Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Mistake, Origin, nearest};
use super::schema::{self, Field, Kind};

/// Variables that other tools know, and the settings that they stand for.
const OF_OTHER_TOOLS: [(&str, &str); 4] = [
    ("DATABASE_URL", "database.url"),
    ("REDIS_URL", "redis.url"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "telemetry.otlp_endpoint"),
    ("OTEL_SERVICE_NAME", "telemetry.service_name"),
];

/// A setting as somebody wrote it.
pub(super) struct Given {
    pub(super) field: &'static Field,
    /// What it may mean, the likeliest first.
    pub(super) readings: Vec<Value>,
    pub(super) origin: Origin,
}

/// What the layers hold, the later ones above the earlier.
#[derive(Default)]
pub(super) struct Layers {
    pub(super) given: Vec<Given>,
    pub(super) mistakes: Vec<Mistake>,
}

impl Layers {
    /// Reads a settings file.
    pub(super) fn add_file(&mut self, path: &Path) {
        let at = |line| Origin::File { path: path.to_owned(), line };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                return self
                    .mistakes
                    .push(Mistake { origin: at(1), what: format!("cannot be read: {error}") });
            }
        };
        let (table, errors) = DeTable::parse_recoverable(&text);
        for error in &errors {
            let line = error.span().map_or(1, |span| line_of(&text, span.start));
            self.mistakes.push(Mistake { origin: at(line), what: error.message().to_owned() });
        }
        if errors.is_empty() {
            let file = File { path: path.to_owned(), text: &text };
            file.walk(table.get_ref(), "", self);
        }
    }

    /// Reads the environment. Variables that are not ours are left alone.
    pub(super) fn add_environment(&mut self, variables: &[(String, String)]) {
        // The names that other tools know come first, so that ours stand above them.
        let find = |name: &str| variables.iter().find(|(known, _)| known == name);
        for (name, path) in OF_OTHER_TOOLS {
            if let (Some((name, text)), Some(field)) = (find(name), schema::find(path)) {
                self.add_text(field, text, Origin::Variable(name.clone()));
            }
        }
        for (name, text) in variables.iter().filter(|(name, _)| name.starts_with("ORDERMILL_")) {
            let origin = Origin::Variable(name.clone());
            if let (Some(value), Some(field)) = (of_store(name, text), schema::find(schema::STORES)) {
                self.given.push(Given { field, readings: value, origin });
                continue;
            }
            match schema::fields().find(|field| field.variable() == *name) {
                Some(field) => self.add_text(field, text, origin),
                None => self.mistakes.extend(misspelt(name).map(|what| Mistake { origin, what })),
            }
        }
    }

    /// Reads one text as the value of a setting.
    pub(super) fn add_text(&mut self, field: &'static Field, text: &str, origin: Origin) {
        if field.kind() == Kind::Tables {
            let what = format!("`{}` can only be set in the settings file", field.path);
            return self.mistakes.push(Mistake { origin, what });
        }
        self.given.push(Given { field, readings: readings(field.kind(), text), origin });
    }
}

/// What a variable says of a store: `ORDERMILL_IMPORTS_STORES_ARCHIVE_BUCKET` is the bucket of `archive`.
fn of_store(variable: &str, text: &str) -> Option<Vec<Value>> {
    let prefix = format!("ORDERMILL_{}_", schema::STORES.replace('.', "_").to_uppercase());
    let rest = variable.strip_prefix(&prefix)?.to_lowercase();
    let (field, store, name) = schema::store().fields.iter().find_map(|field| {
        let name = field.path.rsplit('.').next()?;
        let store = rest.strip_suffix(name)?.strip_suffix('_').filter(|store| !store.is_empty())?;
        Some((field, store, name))
    })?;
    let in_its_place = |value: Value| json!({ (store): { (name): value } });
    Some(readings(field.kind(), text).into_iter().map(in_its_place).collect())
}

fn readings(kind: Kind, text: &str) -> Vec<Value> {
    let as_text = Value::String(text.to_owned());
    match kind {
        Kind::Text | Kind::Tables => vec![as_text],
        Kind::Switch => vec![text.parse().map_or(as_text, Value::Bool)],
        Kind::Number => vec![number(text).unwrap_or(as_text)],
        Kind::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            vec![items.map(|item| Value::String(item.to_owned())).collect()]
        }
        Kind::Optional if text.is_empty() => vec![Value::Null],
        Kind::Optional => std::iter::once(as_text).chain(number(text)).collect(),
    }
}

fn number(text: &str) -> Option<Value> {
    let text = text.trim();
    let whole = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
    let number = whole.ok().or_else(|| text.parse().ok().and_then(Number::from_f64))?;
    Some(Value::Number(number))
}

/// What is wrong with a variable that begins like ours and is none.
fn misspelt(name: &str) -> Option<String> {
    let variables: Vec<String> = schema::fields().map(Field::variable).collect();
    let section =
        |path: &str| name.starts_with(&format!("ORDERMILL_{}_", path.replace('.', "_").to_uppercase()));
    let meant = nearest(name, variables.iter().map(String::as_str));
    let is_close = meant.is_some_and(|meant| strsim::damerau_levenshtein(name, meant) <= 2);
    let is_ours = is_close || schema::sections().iter().any(|one| section(one.path));
    is_ours.then(|| format!("there is no such setting{}", hint(meant)))
}

fn hint(meant: Option<&str>) -> String {
    meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default()
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

struct File<'a> {
    path: PathBuf,
    text: &'a str,
}

impl File<'_> {
    fn walk(&self, table: &DeTable<'_>, path: &str, layers: &mut Layers) {
        for (key, value) in table {
            let name = key.get_ref();
            let full = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            let origin = Origin::File { path: self.path.clone(), line: line_of(self.text, key.span().start) };
            let is_section = schema::sections().iter().any(|section| section.path == full);
            match (schema::find(&full), value.get_ref()) {
                (Some(field), _) => {
                    layers.given.push(Given { field, readings: vec![plain(value)], origin });
                }
                (None, DeValue::Table(inner)) if is_section => self.walk(inner, &full, layers),
                (None, _) if is_section => {
                    let what = format!("`{full}` is a table; write `[{full}]` on a line of its own");
                    layers.mistakes.push(Mistake { origin, what });
                }
                (None, _) => layers.mistakes.push(Mistake { origin, what: unknown(path, name, &full) }),
            }
        }
    }
}

fn unknown(section: &str, name: &str, full: &str) -> String {
    let prefix = if section.is_empty() { String::new() } else { format!("{section}.") };
    let here = |path: &'static str| path.strip_prefix(prefix.as_str()).filter(|rest| !rest.contains('.'));
    let fields = schema::fields().filter_map(|field| here(&field.path));
    let sections = schema::sections().iter().filter_map(|one| here(one.path));
    let known: Vec<&str> = fields.chain(sections).collect();
    let elsewhere = || schema::fields().find(|field| field.path.rsplit('.').next() == Some(name));
    let meant = nearest(name, known.iter().copied()).or_else(|| elsewhere().map(|field| field.path.as_str()));
    format!("there is no setting `{full}`{}", hint(meant))
}

/// A value of the file without its places.
fn plain(value: &Spanned<DeValue<'_>>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(integer) => {
            let radix = integer.radix();
            let text = integer.as_str();
            let whole = i64::from_str_radix(text, radix).map(Number::from);
            let whole = whole.or_else(|_| u64::from_str_radix(text, radix).map(Number::from));
            whole.map_or_else(|_| Value::String(text.to_owned()), Value::Number)
        }
        DeValue::Float(float) => {
            let number = float.as_str().parse().ok().and_then(Number::from_f64);
            number.map_or_else(|| Value::String(float.as_str().to_owned()), Value::Number)
        }
        DeValue::Boolean(switch) => Value::Bool(*switch),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(items) => items.iter().map(plain).collect(),
        DeValue::Table(table) => {
            let entries = table.iter().map(|(key, value)| (key.get_ref().to_string(), plain(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}
