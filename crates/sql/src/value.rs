use std::borrow::Cow;

use jiff::Timestamp;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef as SqliteValue};

use crate::{Error, Result};

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// An integer; also times (epoch microseconds), flags (0, 1) and codes.
    Int(i64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Blob(Cow<'a, [u8]>),
}

macro_rules! value_from_int {
    ($($t:ty),*) => {$(
        impl From<$t> for Value<'_> {
            fn from(value: $t) -> Self { Value::Int(i64::from(value)) }
        }
    )*};
}
value_from_int!(i64, i32, i16, i8, u32, u16, u8, bool);

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Value::Text(Cow::Borrowed(value))
    }
}
impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Value::Text(Cow::Borrowed(value))
    }
}
impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Value::Text(Cow::Owned(value))
    }
}
impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Value::Blob(Cow::Borrowed(value))
    }
}
impl From<Vec<u8>> for Value<'_> {
    fn from(value: Vec<u8>) -> Self {
        Value::Blob(Cow::Owned(value))
    }
}
impl From<Timestamp> for Value<'_> {
    fn from(value: Timestamp) -> Self {
        Value::Int(value.as_microsecond())
    }
}
impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => SqliteValue::Null,
            Value::Int(value) => SqliteValue::Integer(*value),
            Value::Text(value) => SqliteValue::Text(value.as_bytes()),
            Value::Blob(value) => SqliteValue::Blob(value),
        }))
    }
}

/// A value of a row, as any engine gives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'r> {
    /// No value.
    Null,
    /// An integer.
    Int(i64),
    /// A number that is not whole; no column of ours holds one.
    Real(f64),
    /// Text, as bytes that should be UTF-8.
    Text(&'r [u8]),
    /// Bytes.
    Blob(&'r [u8]),
}

/// What a column can be read as.
pub trait FromValue: Sized {
    /// Reads the value at `column`.
    fn from_value(value: ValueRef<'_>, column: usize) -> Result<Self>;
}

pub(crate) fn mismatch(column: usize, expected: &'static str, found: ValueRef<'_>) -> Error {
    let found = match found {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Int(value) => format!("the integer {value}"),
        ValueRef::Real(value) => format!("the number {value}"),
        ValueRef::Text(value) => format!("the text {:?}", String::from_utf8_lossy(value)),
        ValueRef::Blob(value) => format!("{} bytes", value.len()),
    };
    Error::Column { column, expected, found }
}

impl FromValue for i64 {
    fn from_value(value: ValueRef<'_>, column: usize) -> Result<Self> {
        match value {
            ValueRef::Int(value) => Ok(value),
            other => Err(mismatch(column, "an integer", other)),
        }
    }
}

macro_rules! int_from_value {
    ($($t:ty),*) => {$(
        impl FromValue for $t {
            fn from_value(value: ValueRef<'_>, column: usize) -> Result<Self> {
                let wide = i64::from_value(value, column)?;
                <$t>::try_from(wide).map_err(|_| mismatch(column, concat!("a ", stringify!($t)), value))
            }
        }
    )*};
}
int_from_value!(i32, u64, u32, u16, u8, usize);

impl FromValue for bool {
    fn from_value(value: ValueRef<'_>, column: usize) -> Result<Self> {
        Ok(i64::from_value(value, column)? != 0)
    }
}

impl FromValue for Timestamp {
    fn from_value(value: ValueRef<'_>, column: usize) -> Result<Self> {
        let micros = i64::from_value(value, column)?;
        Timestamp::from_microsecond(micros)
            .map_err(|_| mismatch(column, "a time in epoch microseconds", value))
    }
}

impl FromValue for String {
    fn from_value(value: ValueRef<'_>, column: usize) -> Result<Self> {
        text(value, column).map(str::to_owned)
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: ValueRef<'_>, column: usize) -> Result<Self> {
        match value {
            ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Ok(bytes.to_vec()),
            other => Err(mismatch(column, "bytes", other)),
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: ValueRef<'_>, column: usize) -> Result<Self> {
        match value {
            ValueRef::Null => Ok(None),
            some => T::from_value(some, column).map(Some),
        }
    }
}

pub(crate) fn text(value: ValueRef<'_>, column: usize) -> Result<&str> {
    match value {
        ValueRef::Text(bytes) => {
            std::str::from_utf8(bytes).map_err(|_| mismatch(column, "UTF-8 text", value))
        }
        other => Err(mismatch(column, "text", other)),
    }
}
