//! A file's layout: its delimiter, its header, and which column means what. It can be stored with an import, so
//! that every worker reads the file alike.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::field::normalise;
use crate::formula::restore;
use crate::{Field, Profile, ReadError, ReadOptions};

/// The columns that a rejects file has before the original ones.
pub(crate) const REJECT_COLUMNS: [&str; 4] = ["line", "code", "field", "message"];

/// How to read the rows of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The byte between cells.
    pub delimiter: u8,
    /// The header's line, from 1.
    pub header_line: u64,
    /// The header's names as they stand.
    pub header: Vec<String>,
    /// What each column means, if anything; as long as the header.
    pub fields: Vec<Option<Field>>,
    /// How values are written.
    pub profile: Profile,
    /// The file is a corrected rejects file of ours: its first four columns are ours, and formula cells carry an
    /// apostrophe that is taken off again.
    pub rejects_file: bool,
}

/// How well a header fits a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fit {
    complete: bool,
    pub(crate) matched: usize,
}

pub(crate) fn fit(header: &[String], profile: &Profile, options: &ReadOptions) -> Fit {
    let names = profile.names();
    let mut found: Vec<Field> = header.iter().filter_map(|name| field_of(name, &names, options)).collect();
    found.sort_unstable();
    found.dedup();
    let complete = profile.required().all(|group| group.iter().any(|field| found.contains(field)));
    Fit { complete, matched: found.len() }
}

fn field_of(name: &str, names: &HashMap<String, Field>, options: &ReadOptions) -> Option<Field> {
    let ReadOptions { columns, ignored_columns, .. } = options;
    let name = normalise(name);
    if ignored_columns.iter().any(|ignored| normalise(ignored) == name) {
        return None;
    }
    let forced = columns.iter().find(|(column, _)| normalise(column) == name).map(|(_, field)| *field);
    forced
        .or_else(|| names.get(&name).copied().filter(|field| columns.iter().all(|(_, taken)| taken != field)))
}

impl Layout {
    /// Reads a header by a profile; [`check`](Self::check) tells whether rows can be read by it.
    pub(crate) fn new(
        header: Vec<String>,
        header_line: u64,
        delimiter: u8,
        profile: Profile,
        options: &ReadOptions,
    ) -> Self {
        let rejects_file = header.len() > REJECT_COLUMNS.len()
            && header.iter().zip(REJECT_COLUMNS).all(|(name, ours)| name.trim() == ours);
        let names = profile.names();
        let ours = if rejects_file { REJECT_COLUMNS.len() } else { 0 };
        let fields: Vec<Option<Field>> = header
            .iter()
            .enumerate()
            .map(|(index, name)| if index < ours { None } else { field_of(name, &names, options) })
            .collect();
        Self { delimiter, header_line, header, fields, profile, rejects_file }
    }

    /// Fails if a column that was named is not there, a required one is missing, or two mean the same.
    pub(crate) fn check(&self, options: &ReadOptions) -> Result<(), ReadError> {
        self.check_named(options)?;
        self.check_duplicates()?;
        self.check_required()
    }

    fn check_named(&self, options: &ReadOptions) -> Result<(), ReadError> {
        let named = options.columns.iter().map(|(column, _)| column).chain(&options.ignored_columns);
        for column in named {
            if !self.header.iter().any(|name| normalise(name) == normalise(column)) {
                let (column, found) = (column.clone(), list(&self.header));
                return Err(ReadError::UnknownColumn { column, line: self.header_line, found });
            }
        }
        Ok(())
    }

    fn check_duplicates(&self) -> Result<(), ReadError> {
        for (second, field) in self.fields.iter().enumerate() {
            let Some(field) = field else { continue };
            if let Some(first) = self.fields[..second].iter().position(|earlier| *earlier == Some(*field)) {
                return Err(ReadError::DuplicateColumns {
                    field: field.as_str(),
                    first: self.header[first].clone(),
                    first_position: first + 1,
                    second: self.header[second].clone(),
                    second_position: second + 1,
                });
            }
        }
        Ok(())
    }

    fn check_required(&self) -> Result<(), ReadError> {
        let missing: Vec<String> = self
            .profile
            .required()
            .filter(|group| group.iter().all(|field| self.column(*field).is_none()))
            .map(|group| group.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(" or "))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(ReadError::MissingColumns {
            line: self.header_line,
            missing: missing.join(", "),
            found: list(&self.header),
        })
    }

    /// How many of the first columns are our own, since it is a rejects file.
    pub fn own_columns(&self) -> usize {
        if self.rejects_file { REJECT_COLUMNS.len() } else { 0 }
    }

    /// The column of a field, from 0.
    pub fn column(&self, field: Field) -> Option<usize> {
        self.fields.iter().position(|found| *found == Some(field))
    }

    /// The column of the order id, from 0.
    pub(crate) fn order_column(&self) -> usize {
        self.column(Field::ExternalOrderId).unwrap_or_default()
    }

    /// A cell's value: without white space around it (ids may end in a TAB), and without the apostrophe that a
    /// rejects file puts before formulas.
    pub(crate) fn value<'a>(&self, cell: Cow<'a, str>) -> Cow<'a, str> {
        let clean = |text: &'a str| if self.rejects_file { restore(text).trim() } else { text.trim() };
        match cell {
            Cow::Borrowed(text) => Cow::Borrowed(clean(text)),
            Cow::Owned(text) if self.rejects_file => Cow::Owned(restore(&text).trim().to_owned()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        }
    }
}

/// Names for an error message, not more than a screen of them.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 40;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| name.chars().take(60).collect()).collect();
    let more = if names.len() > SHOWN { format!(", … ({} columns)", names.len()) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
