use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::NotificationKind;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};

use super::input::Input;
use super::sample::{self, Sample};

/// The templates of all notifications, compiled: the built-in ones and, in their place, those of the shop's folder.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    overrides: BTreeMap<String, PathBuf>,
}

/// A mail that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its subject, one line.
    pub subject: String,
    /// Its words as plain text.
    pub text: String,
    /// Its words as HTML.
    pub html: String,
}

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The folder, or a file in it, cannot be read.
    #[error("cannot read the mail templates at {path}")]
    Unreadable {
        /// The file or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that takes no template's place.
    #[error(
        "{path} takes the place of no mail template; rename it to one of {known}, or begin its name with `_` if \
         other templates include it"
    )]
    Unknown {
        /// The file.
        path: String,
        /// The names there are.
        known: String,
    },
    /// Wrong in itself, or for what it is given.
    #[error("the mail template {place} is broken: {reason}")]
    Broken {
        /// Its file, and the line where it is known.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),+]
    };
}

/// Names and sources of the built-in templates.
const BUILT_IN: &[(&str, &str)] = built_in![
    "cancelled.html",
    "cancelled.txt",
    "confirmation.html",
    "confirmation.txt",
    "delivered.html",
    "delivered.txt",
    "expired.html",
    "expired.txt",
    "layout.html",
    "layout.txt",
    "lines.html",
    "lines.txt",
    "out_of_stock.html",
    "out_of_stock.txt",
    "payment_failed.html",
    "payment_failed.txt",
    "refunded.html",
    "refunded.txt",
    "shipped.html",
    "shipped.txt",
];

impl Templates {
    /// Compiles the built-in templates and those of `folder`, and tries each that is the shop's own with samples, so
    /// that a mistake in one is found now and not when a customer waits for a mail.
    pub fn load(folder: Option<&Path>) -> Result<Self, TemplateError> {
        let mut templates = Templates { environment: environment(), overrides: BTreeMap::new() };
        let own = folder.map(read_folder).transpose()?.unwrap_or_default();
        for (name, source) in BUILT_IN.iter().filter(|(name, _)| !own.contains_key(*name)) {
            let added = templates.environment.add_template(name, source);
            added.map_err(|error| templates.broken(&error, name))?;
        }
        for (name, (path, source)) in own {
            templates.overrides.insert(name.clone(), path);
            let added = templates.environment.add_template_owned(name.clone(), source);
            added.map_err(|error| templates.broken(&error, &name))?;
        }
        if !templates.overrides.is_empty() {
            templates.try_samples()?;
        }
        Ok(templates)
    }

    /// Every template by name, with the file of the shop's that takes its place.
    pub fn sources(&self) -> impl Iterator<Item = (&'static str, Option<&Path>)> {
        BUILT_IN.iter().map(|(name, _)| (*name, self.overrides.get(*name).map(PathBuf::as_path)))
    }

    /// Writes a mail of this kind about an order that nobody placed.
    pub fn preview(&self, kind: NotificationKind, sample: Sample) -> Result<Content, TemplateError> {
        match sample {
            Sample::Full => self.render(kind, &sample::full(kind)),
            Sample::Bare => self.render(kind, &sample::bare(kind)),
        }
    }

    /// Writes the mail of this kind.
    pub fn render(&self, kind: NotificationKind, input: &Input<'_>) -> Result<Content, TemplateError> {
        let input = Value::from(Serde(input));
        let html = self.render_file(&format!("{kind}.html"), &input)?;
        let name = format!("{kind}.txt");
        let text = self.render_file(&name, &input)?;
        let (subject, text) = split_subject(&text).ok_or_else(|| TemplateError::Broken {
            place: self.place(&name, Some(1)),
            reason: "its first line must be `Subject: ` and what the mail is about".to_owned(),
        })?;
        Ok(Content { subject, text, html })
    }

    fn render_file(&self, name: &str, input: &Value) -> Result<String, TemplateError> {
        let rendered = self.environment.get_template(name).and_then(|template| template.render(input));
        rendered.map_err(|error| self.broken(&error, name))
    }

    fn try_samples(&self) -> Result<(), TemplateError> {
        for kind in NotificationKind::ALL {
            for input in [sample::full(*kind), sample::bare(*kind)] {
                self.render(*kind, &input)?;
            }
        }
        Ok(())
    }

    fn broken(&self, error: &minijinja::Error, name: &str) -> TemplateError {
        let mut innermost = error;
        // An error in an included template is the cause of one in the template that includes it.
        while let Some(cause) =
            std::error::Error::source(innermost).and_then(|cause| cause.downcast_ref::<minijinja::Error>())
        {
            innermost = cause;
        }
        let (name, line) = (innermost.name().unwrap_or(name), innermost.line());
        let mut reason = innermost.kind().to_string();
        if let Some(detail) = innermost.detail() {
            reason = format!("{reason}: {detail}");
        }
        if let Some(source) = line.and_then(|line| self.source_line(name, line)) {
            reason = format!("{reason}, in `{source}`");
        }
        TemplateError::Broken { place: self.place(name, line), reason }
    }

    fn source_line(&self, name: &str, line: usize) -> Option<String> {
        let template = self.environment.get_template(name).ok()?;
        template.source().lines().nth(line.checked_sub(1)?).map(|source| source.trim().to_owned())
    }

    fn place(&self, name: &str, line: Option<usize>) -> String {
        let file = self
            .overrides
            .get(name)
            .map_or_else(|| format!("{name} (built in)"), |path| path.display().to_string());
        line.map_or_else(|| file.clone(), |line| format!("{file}, line {line},"))
    }
}

/// HTML is escaped by the template's name; a name that nobody gave a value is an error.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("these two settings do not contradict each other"));
    environment
}

type Sources = BTreeMap<String, (PathBuf, String)>;

/// The `.txt` and `.html` files of the shop's folder by name; others may lie beside them.
fn read_folder(folder: &Path) -> Result<Sources, TemplateError> {
    let unreadable = |path: &Path| {
        let path = path.display().to_string();
        move |source| TemplateError::Unreadable { path, source }
    };
    let mut sources = Sources::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        let is_template = path.extension().is_some_and(|extension| extension == "txt" || extension == "html");
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| is_template) else {
            continue;
        };
        if !name.starts_with('_') && !BUILT_IN.iter().any(|(known, _)| *known == name) {
            let known: Vec<&str> = BUILT_IN.iter().map(|(known, _)| *known).collect();
            return Err(TemplateError::Unknown { path: path.display().to_string(), known: known.join(", ") });
        }
        let source = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
        sources.insert(name.to_owned(), (path, source));
    }
    Ok(sources)
}

/// The subject and the rest of a rendered text, whose first line is `Subject: …`.
fn split_subject(rendered: &str) -> Option<(String, String)> {
    let (subject, text) = rendered.trim_start().split_once('\n')?;
    let subject = subject.strip_prefix("Subject:")?.trim();
    (!subject.is_empty()).then(|| (subject.to_owned(), tidy(text)))
}

/// Text without the piles of empty lines that conditions leave behind.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    for line in text.trim().lines().map(str::trim_end) {
        if !line.is_empty() || !tidy.ends_with("\n\n") {
            tidy.push_str(line);
            tidy.push('\n');
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_subject_and_empty_lines_do_not_pile_up() {
        let (subject, text) = split_subject("\nSubject:  Hello \n\n\nA\n\n\n\nB  \n").unwrap();
        assert_eq!((subject.as_str(), text.as_str()), ("Hello", "A\n\nB\n"));
        assert_eq!(split_subject("Hello\nSubject: x"), None);
        assert_eq!(split_subject("Subject: \nx"), None);
    }

    #[test]
    fn the_guide_names_all_that_templates_are_given() {
        let guide = include_str!("../../templates/README.md");
        let given = serde_json::to_value(sample::full(NotificationKind::Refunded)).unwrap();
        for (name, value) in given.as_object().unwrap() {
            let (parent, fields) = match value {
                serde_json::Value::Object(fields) => (name.as_str(), Some(fields)),
                serde_json::Value::Array(items) if name == "lines" => ("line", items[0].as_object()),
                serde_json::Value::Array(items) => ("item", items[0].as_object()),
                _ => (name.as_str(), None),
            };
            assert!(value.is_object() || guide.contains(&format!("`{name}`")), "{name}");
            for field in fields.into_iter().flat_map(serde_json::Map::keys) {
                assert!(guide.contains(&format!("`{parent}.{field}`")), "{parent}.{field}");
            }
        }
        for kind in NotificationKind::ALL {
            assert!(guide.contains(&format!("`{kind}`")), "{kind}");
        }
    }

    #[test]
    fn every_kind_has_a_built_in_mail_for_rich_and_for_bare_orders() {
        Templates::load(None).unwrap().try_samples().unwrap();
    }
}
