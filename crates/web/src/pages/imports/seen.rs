//! What a file looks like to somebody who decides how it is read.

use app::imports::{Field, Looked, Workflow};

use super::terms::COLUMN;
use crate::pages::parts::Choice;
use crate::pages::words::clipped;

/// What a file looks like.
pub(super) struct Seen {
    pub(super) compression: &'static str,
    pub(super) encoding: &'static str,
    pub(super) delimiter: String,
    pub(super) profile: String,
    pub(super) workflow: &'static str,
    pub(super) header_line: u64,
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) unshown: usize,
    pub(super) mapping: Vec<Mapped>,
}

/// A field, and the column that it is read from.
pub(super) struct Mapped {
    pub(super) id: String,
    pub(super) field: String,
    /// Whether an order needs it, and whether it has a column, or another that stands for it.
    pub(super) is_needed: bool,
    pub(super) is_missing: bool,
    pub(super) columns: Vec<Choice>,
    pub(super) samples: Vec<String>,
}

/// How a delimiter is called, and its number.
pub(super) const DELIMITERS: [(&str, &str); 4] =
    [("44", "comma ,"), ("59", "semicolon ;"), ("9", "tab"), ("124", "bar |")];

/// Columns that are shown with their cells, and letters of each.
const COLUMNS_SHOWN: usize = 30;
const LETTERS: usize = 60;
/// Cells that are shown beside a field.
const SAMPLES: usize = 3;

impl Seen {
    pub(super) fn new(looked: Looked, chosen: &[(Field, String)]) -> Self {
        let mapping = Field::ALL.map(|field| Mapped::new(field, &looked, chosen)).into();
        let Looked { compression, encoding, layout, rows, .. } = looked;
        let short = |cells: Vec<String>| -> Vec<String> {
            cells.into_iter().take(COLUMNS_SHOWN).map(|cell| clipped(&cell, LETTERS)).collect()
        };
        Seen {
            compression: compression.as_str(),
            encoding: encoding.name(),
            delimiter: delimiter(layout.delimiter),
            workflow: match layout.profile.workflow {
                Workflow::Process => "new orders",
                Workflow::Historical => "orders of the past",
            },
            profile: layout.profile.name,
            header_line: layout.header_line,
            unshown: layout.header.len().saturating_sub(COLUMNS_SHOWN),
            header: short(layout.header),
            rows: rows.into_iter().map(short).collect(),
            mapping,
        }
    }
}

fn delimiter(byte: u8) -> String {
    let number = byte.to_string();
    let known = DELIMITERS.iter().find(|(one, _)| *one == number);
    known.map_or_else(|| char::from(byte).to_string(), |(_, told)| (*told).to_owned())
}

impl Mapped {
    fn new(field: Field, looked: &Looked, chosen: &[(Field, String)]) -> Self {
        let layout = &looked.layout;
        let column = |field: Field| match chosen.iter().find(|(one, _)| *one == field) {
            Some((_, name)) => name.as_str(),
            None => layout.column(field).map_or("", |index| &layout.header[index]),
        };
        let name = column(field);
        let group = layout.profile.required().find(|group| group.contains(&field));
        let is_there = group.is_some_and(|group| group.iter().any(|one| !column(*one).is_empty()));
        let index = layout.header.iter().position(|one| !name.is_empty() && one == name);
        let cells = looked.rows.iter().filter_map(|row| row.get(index?)).filter(|cell| !cell.is_empty());
        let mut names: Vec<&String> = Vec::new();
        for name in layout.header.iter().skip(layout.own_columns()) {
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        let choice = |column: &String| Choice {
            value: column.clone().into(),
            told: clipped(column, LETTERS),
            is_chosen: column == name,
        };
        Mapped {
            id: format!("{COLUMN}{}", field.as_str()),
            field: field.as_str().replace('_', " "),
            is_needed: group.is_some() && !name.is_empty(),
            is_missing: group.is_some() && !is_there,
            columns: names.into_iter().map(choice).collect(),
            samples: cells.take(SAMPLES).map(|cell| clipped(cell, LETTERS)).collect(),
        }
    }
}
