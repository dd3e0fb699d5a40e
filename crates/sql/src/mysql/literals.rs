//! Values as they stand in the text of a statement.

use std::fmt::Write as _;

use crate::Value;

/// Writes a row of values, in brackets.
pub(super) fn write_row<'r, 'v: 'r>(text: &mut String, row: impl IntoIterator<Item = &'r Value<'v>>) {
    text.push('(');
    write_values(text, row);
    text.push(')');
}

/// Writes values, with commas between them.
pub(super) fn write_values<'r, 'v: 'r>(text: &mut String, row: impl IntoIterator<Item = &'r Value<'v>>) {
    for (index, value) in row.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_literal(text, value);
    }
}

/// Writes a value as the server reads it back. The session's `sql_mode` leaves the backslash its meaning.
pub(super) fn write_literal(text: &mut String, value: &Value<'_>) {
    match value {
        Value::Null => text.push_str("NULL"),
        Value::Int(value) => {
            let _ = write!(text, "{value}");
        }
        Value::Text(value) => {
            text.push('\'');
            for letter in value.chars() {
                match letter {
                    '\'' => text.push_str("''"),
                    '\\' => text.push_str("\\\\"),
                    '\0' => text.push_str("\\0"),
                    other => text.push(other),
                }
            }
            text.push('\'');
        }
        Value::Blob(bytes) => {
            text.reserve(bytes.len() * 2 + 3);
            text.push_str("X'");
            for byte in bytes.iter() {
                let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value)]);
                text.push(digit(byte >> 4));
                text.push(digit(byte & 15));
            }
            text.push('\'');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_text_holds_stays_inside_its_quotes() {
        let mut text = String::new();
        write_row(
            &mut text,
            &[Value::from("o'hara\\\0?;"), Value::Null, Value::Int(-5), vec![0, 255].into()],
        );
        assert_eq!(text, "('o''hara\\\\\\0?;',NULL,-5,X'00FF')");
    }
}
