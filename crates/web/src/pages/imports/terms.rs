//! How a file is to be imported, as a form says it.

use app::imports::{Field, ImportOptions, Looked};
use serde_json::Value;

use crate::ApiError;
use crate::body::from_pairs;
use crate::pages::asked::Filled;

/// How the fields of the form begin that say which column is what.
pub(super) const COLUMN: &str = "column.";

/// What somebody says.
pub(super) struct Terms {
    /// The fields that are filled in, as they were written.
    pub(super) filled: Filled,
    options: Vec<(String, String)>,
    /// The column of each field; nothing where the file has none. No field at all where nobody was asked yet.
    pub(super) columns: Vec<(Field, String)>,
    pub(super) deed: Deed,
    /// Whether it is imported although the same file was before.
    pub(super) force: bool,
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// The file is shown as it would be read.
    Look,
    /// It is told what its import would do.
    Try,
    /// It is imported.
    Import,
}

impl Terms {
    /// What a form says.
    pub(super) fn of(pairs: Vec<(String, String)>) -> Self {
        let filled = Filled::of(pairs.clone());
        let (mut options, mut columns) = (Vec::new(), Vec::new());
        for (name, value) in pairs {
            match name.strip_prefix(COLUMN).map(Field::parse) {
                Some(field) => columns.extend(field.map(|field| (field, value))),
                None if matches!(name.as_str(), "deed" | "force") || value.trim().is_empty() => {}
                None => options.push((name, value.trim().to_owned())),
            }
        }
        let deed = match filled.value("deed") {
            "try" => Deed::Try,
            "import" => Deed::Import,
            _ => Deed::Look,
        };
        Terms { force: filled.is("force", "true"), filled, options, columns, deed }
    }

    /// What holds as long as nobody says anything.
    pub(super) fn usual(options: &ImportOptions) -> Result<Self, ApiError> {
        let options =
            serde_json::to_value(options).map_err(|error| app::Error::Internal(error.to_string()))?;
        let pairs = options.as_object().into_iter().flatten().filter_map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => return None,
            };
            Some((name.clone(), text))
        });
        Ok(Terms::of(pairs.collect()))
    }

    /// How the file is to be read and imported, but for its columns.
    pub(super) fn options(&self) -> Result<ImportOptions, ApiError> {
        from_pairs(self.options.clone())
    }

    /// The same with its columns: what is not as it is `found` anyhow.
    pub(super) fn with_columns(
        &self,
        mut options: ImportOptions,
        found: &Looked,
    ) -> Result<ImportOptions, ApiError> {
        self.check_columns()?;
        let layout = &found.layout;
        for (field, column) in &self.columns {
            let means = layout.header.iter().zip(&layout.fields).filter(|(_, means)| **means == Some(*field));
            let means: Vec<&String> = means.map(|(name, _)| name).collect();
            if column.is_empty() {
                let unused =
                    means.into_iter().filter(|name| self.columns.iter().all(|(_, used)| used != *name));
                options.ignored_columns.extend(unused.cloned());
            } else if means != [column] {
                options.columns.push((column.clone(), *field));
            }
        }
        let is_changed = !(options.columns.is_empty() && options.ignored_columns.is_empty());
        if is_changed && options.profile.is_none() {
            // Another profile may fit the header then, and its other columns would mean something else.
            options.profile = Some(layout.profile.name.clone());
        }
        Ok(options)
    }

    fn check_columns(&self) -> Result<(), ApiError> {
        for (index, (field, column)) in self.columns.iter().enumerate() {
            let twice = |(_, other): &&(Field, String)| !column.is_empty() && other == column;
            if let Some((other, _)) = self.columns[..index].iter().find(twice) {
                let [one, two] = [other, field].map(|field| field.as_str().replace('_', " "));
                let detail =
                    format!("the column “{column}” is chosen for {one} and for {two}; it can be one of them");
                return Err(ApiError::wrong("", detail));
            }
        }
        Ok(())
    }
}
