//! Rows of values for one statement, by what is the same for all of them and what differs.

use super::literals::{write_literal, write_values};
use crate::lists::{Piece, pieces, span};
use crate::{Dialect, Value};

/// Rows of values, each with a value for each column.
#[derive(Clone)]
pub(super) struct Rows<'r> {
    columns: &'r [&'r str],
    values: &'r [Value<'r>],
    /// The value of each column, where all rows share it.
    shared: Vec<Option<&'r Value<'r>>>,
}

/// Rows of a span that a statement with bound values has room for.
pub(super) const PICKED: usize = 64;

/// How values stand in the text of a statement.
pub(super) enum Form<'v> {
    /// Written out.
    Written,
    /// As marks, to which these are bound in their order.
    Bound(Vec<Value<'v>>),
}

impl<'v> Form<'v> {
    fn put(&mut self, text: &mut String, value: &Value<'v>) {
        match self {
            Form::Written => write_literal(text, value),
            Form::Bound(values) => {
                text.push('?');
                values.push(value.clone());
            }
        }
    }

    fn of(&mut self, value: &Value<'v>) -> String {
        let mut text = String::new();
        self.put(&mut text, value);
        text
    }
}

/// Values in sets of whole rows, of which a text has room for each: of at most `most` rows, and hardly longer than `longest`.
pub(super) fn sets<'r>(
    mut values: &'r [Value<'r>],
    width: usize,
    most: usize,
    longest: usize,
) -> impl Iterator<Item = &'r [Value<'r>]> {
    let length = |value: &Value<'_>| match value {
        Value::Null | Value::Int(_) => 8,
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => 2 * bytes.len(),
    };
    std::iter::from_fn(move || {
        let mut left = longest;
        let fitting = values.chunks(width).take(most).take_while(|row| {
            let fits = left > 0;
            left = left.saturating_sub(row.iter().map(length).sum());
            fits
        });
        let rows = fitting.count();
        values.split_off(..rows * width).filter(|set| !set.is_empty())
    })
}

/// How a statement finds the rows of a table that rows of values are for.
pub(super) enum Place<'r> {
    /// By what all of them share.
    Shared,
    /// By a column of the key that holds all numbers from the first to the last.
    Span(&'r str, i64, i64),
    /// By a column of the key that holds these.
    List(&'r str, Vec<Value<'r>>),
    /// By what differs between them, which is to be joined to the table.
    Joined,
}

impl<'r> Rows<'r> {
    /// At least one row, one after the other.
    pub(super) fn new(columns: &'r [&'r str], values: &'r [Value<'r>]) -> Self {
        let (first, others) = values.split_at(columns.len());
        let shared = |(index, value): (usize, &'r Value<'r>)| {
            let mut others = others.iter().skip(index).step_by(columns.len());
            others.all(|other| other == value).then_some(value)
        };
        Rows { columns, values, shared: first.iter().enumerate().map(shared).collect() }
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.values.len() / self.columns.len()
    }

    /// Whether values are picked by the place of a row's key in a span.
    pub(super) fn picks(&self, place: &Place<'_>) -> bool {
        matches!(place, Place::Span(..)) && self.differing().nth(1).is_some()
    }

    /// Rows in parts of at most `most`, where values are picked for them. What all of them share is shared by each part.
    pub(super) fn cut(self, place: Place<'r>, most: usize) -> Vec<(Place<'r>, Rows<'r>)> {
        let (Place::Span(key, first, _), true) = (&place, self.picks(&place)) else {
            return vec![(place, self)];
        };
        let (key, first) = (*key, *first);
        let part = |(first, values): (i64, &'r [Value<'r>])| {
            let rows = Rows { values, ..self.clone() };
            (Place::Span(key, first, first + rows.len() as i64 - 1), rows)
        };
        (first..).step_by(most).zip(self.values.chunks(most * self.columns.len())).map(part).collect()
    }

    /// The values, and how many of them are a row.
    pub(super) fn all(&self) -> (&'r [Value<'r>], usize) {
        (self.values, self.columns.len())
    }

    /// The columns whose values differ between rows.
    pub(super) fn differing(&self) -> impl Iterator<Item = &'r str> {
        self.differing_of(self.columns).copied()
    }

    /// What a row has in them.
    pub(super) fn differing_of<'s, T>(
        &'s self,
        row: &'s [T],
    ) -> impl Iterator<Item = &'s T> + use<'s, 'r, T> {
        row.iter().zip(&self.shared).filter(|(_, shared)| shared.is_none()).map(|(value, _)| value)
    }

    /// What a row has in the columns that some row has a value for.
    pub(super) fn filled<'s, T>(&'s self, row: &'s [T]) -> impl Iterator<Item = &'s T> + use<'s, 'r, T> {
        let filled = row.iter().zip(&self.shared).filter(|(_, shared)| !matches!(shared, Some(Value::Null)));
        filled.map(|(value, _)| value)
    }

    /// The rows in parts, by how those of the table are found.
    pub(super) fn parts(&self, key: &[&'r str]) -> Vec<(Place<'r>, Rows<'r>)> {
        let mut keys = key.iter().copied().filter(|column| self.differing().any(|other| other == *column));
        let column = match (keys.next(), keys.next()) {
            (None, _) => return vec![(Place::Shared, self.clone())],
            (Some(_), Some(_)) => return vec![(Place::Joined, self.clone())],
            (Some(column), None) => column,
        };
        let keys: Vec<Value<'r>> = self.of(column).cloned().collect();
        let mut rest = self.values;
        let part = |piece: Piece<'_, 'r>| {
            let values = rest.split_off(..piece.len() * self.columns.len()).unwrap_or_default();
            let part = Rows::new(self.columns, values);
            let place = match piece {
                Piece::Span(first, last) => Place::Span(column, first, last),
                Piece::List(keys) if part.differing().all(|other| other == column) => {
                    Place::List(column, keys.to_vec())
                }
                Piece::List(_) => Place::Joined,
            };
            (place, part)
        };
        pieces(&keys, keys.len()).into_iter().map(part).collect()
    }

    fn of(&self, column: &str) -> impl Iterator<Item = &'r Value<'r>> + use<'r> {
        let index = self.columns.iter().position(|name| *name == column).unwrap_or(self.columns.len());
        self.values.iter().skip(index).step_by(self.columns.len())
    }

    fn shared(&self, column: &str) -> Option<&'r Value<'r>> {
        self.columns
            .iter()
            .zip(&self.shared)
            .find(|(name, _)| **name == column)
            .and_then(|(_, shared)| *shared)
    }

    /// A column's value in a statement: as it is, where all rows share it; by the place of a row's key in a span; or that
    /// of the row that is joined. Where values are bound, a span has room for `PICKED`, so that few texts exist.
    pub(super) fn value(&self, table: &str, column: &str, place: &Place<'_>, form: &mut Form<'r>) -> String {
        match (self.shared(column), place) {
            (Some(value), _) => form.of(value),
            (None, Place::Span(key, first, _)) => {
                let mut picked = format!("ELT({table}.{key} - {} + 1", form.of(&Value::Int(*first)));
                let room = if matches!(form, Form::Bound(_)) { PICKED } else { 0 };
                let nothing = std::iter::repeat_n(&Value::Null, room.saturating_sub(self.len()));
                for value in self.of(column).chain(nothing) {
                    picked.push(',');
                    form.put(&mut picked, value);
                }
                picked.push(')');
                // Whatever is picked is a text at first.
                let are_whole = self.of(column).all(|value| matches!(value, Value::Int(_) | Value::Null));
                if are_whole { format!("CAST({picked} AS SIGNED)") } else { picked }
            }
            (None, _) => format!("new_rows.new_{column}"),
        }
    }

    /// The condition under which a row of the table is one that the rows of values are for.
    pub(super) fn condition(
        &self,
        dialect: Dialect,
        table: &str,
        key: &[&str],
        only_if: &str,
        place: &Place<'_>,
        form: &mut Form<'r>,
    ) -> String {
        let of_column = |column: &&str| match place {
            Place::Span(name, first, last) if name == column => {
                let [first, last_but_one, last] =
                    [*first, *last - 1, *last].map(|key| form.of(&Value::Int(key)));
                span(dialect, &format!("{table}.{column}"), [&first, &last_but_one, &last])
            }
            Place::List(name, keys) if name == column => {
                let mut list = format!("{table}.{column} IN (");
                write_values(&mut list, keys);
                list + ")"
            }
            _ => format!("{table}.{column} = {}", self.value(table, column, place, form)),
        };
        let mut all: Vec<String> = key.iter().map(of_column).collect();
        all.extend((!only_if.is_empty()).then(|| only_if.to_owned()));
        all.join(" AND ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_room_for_each_set() {
        let values: Vec<Value<'_>> = (0..10).flat_map(|id| [Value::Int(id), "12345678".into()]).collect();
        let lengths = |most, longest| sets(&values, 2, most, longest).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(4, 1_000), [8, 8, 4]);
        assert_eq!(lengths(100, 40), [6, 6, 6, 2]);
        assert_eq!(lengths(100, 1), [2; 10], "a row that is too long goes alone");
        assert_eq!(sets(&[], 2, 4, 1_000).count(), 0);
    }
}
