//! What stands behind the `?`: known names only, each with what is wrong with it.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use store::Part;

use crate::ApiError;
use crate::openapi::{Argument, Operation};

/// The parameters of a request.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        read(parts.uri.query().unwrap_or_default()).map(Query)
    }
}

/// The parameters that are written so.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    let read = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(read).map_err(|error| {
        let name = error.path().to_string();
        let pointer = if name == "." { "?".to_owned() } else { format!("?{name}") };
        ApiError::wrong(pointer, error.into_inner())
    })
}

impl<T: JsonSchema> Argument for Query<T> {
    const TAKES_PARAMETERS: bool = true;

    fn describe(operation: &mut Operation<'_>) {
        operation.takes_parameters::<T>();
    }
}

/// Refuses whatever stands behind a `?`: a `dry_run` that is passed over would be done for real.
pub(crate) async fn refuse_parameters(request: Request, next: Next) -> Result<Response, ApiError> {
    match request.uri().query() {
        None | Some("") => Ok(next.run(request).await),
        Some(_) => Err(ApiError::wrong("?", "this address takes no parameters")),
    }
}

const MOST: u32 = 200;
const USUAL: u32 = 50;

/// How many entries a page has, from 1 to 200; 50 where it is not told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(pub(crate) u32);

impl Default for Limit {
    fn default() -> Self {
        Limit(USUAL)
    }
}

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "description": "How many entries the page has at most.",
            "minimum": 1, "maximum": MOST, "default": USUAL,
        })
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = u32::deserialize(deserializer)?;
        if (1..=MOST).contains(&limit) {
            Ok(Limit(limit))
        } else {
            Err(D::Error::custom(format_args!("a page has 1 to {MOST} entries, not {limit}")))
        }
    }
}

/// Where a page begins: after this key. Opaque to callers, so that what it stands for can change.
#[derive(Debug, Clone)]
pub(crate) struct Cursor(pub(crate) String);

impl Cursor {
    /// The key that it stands for.
    pub(crate) fn parse<T: FromStr>(&self) -> Result<T, ApiError> {
        self.0.parse().map_err(|_| {
            ApiError::wrong("?cursor", "this is no cursor of this list; take `next` of the page before")
        })
    }

    /// What stands for `key` in an answer.
    pub(crate) fn encode(key: &str) -> String {
        URL_SAFE_NO_PAD.encode(key)
    }
}

impl JsonSchema for Cursor {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Cursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "Where the page begins: `next` of the page before it." })
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let key = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        key.map(Cursor).ok_or_else(|| D::Error::custom("this is no cursor; take `next` of the page before"))
    }
}

/// Which part of a list that takes no filters.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    #[serde(default)]
    #[schemars(with = "Option<Limit>")]
    pub(crate) limit: Limit,
    pub(crate) cursor: Option<Cursor>,
}

/// A part of a list.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub(crate) struct Page<T> {
    /// Its entries.
    pub(crate) data: Vec<T>,
    /// The cursor of the next page; none where this is the last.
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    /// A page out of one entry more than `limit`, which tells whether there is another page. `key` is what the list is
    /// sorted by, and unique.
    pub(crate) fn of(mut found: Vec<T>, limit: Limit, key: impl Fn(&T) -> String) -> Self {
        let has_more = found.len() > limit.0 as usize;
        found.truncate(limit.0 as usize);
        let next = found.last().filter(|_| has_more).map(|last| Cursor::encode(&key(last)));
        Page { data: found, next }
    }
}

impl<T> Page<T> {
    /// A page of what the ledger found, with the cursor of the place where it ended.
    pub(crate) fn of_part<K: Display>(part: Part<T, K>) -> Self {
        Page { data: part.rows, next: part.next.map(|place| Cursor::encode(&place.to_string())) }
    }
}

/// Several words, with commas between them.
pub(crate) struct Several<T>(pub(crate) Vec<T>);

impl<T> Default for Several<T> {
    fn default() -> Self {
        Several(Vec::new())
    }
}

impl<T: JsonSchema> JsonSchema for Several<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Several{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let schema = T::json_schema(generator);
        let forms = schema.get("oneOf").and_then(|forms| forms.as_array()).into_iter().flatten();
        let words = forms.filter_map(|form| form["const"].as_str()).collect::<Vec<_>>().join("|");
        json_schema!({ "type": "string", "pattern": format!("^,*(({words})(,+({words}))*,*)?$") })
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let words = text.split(',').filter(|word| !word.is_empty());
        words.map(|word| word.parse().map_err(D::Error::custom)).collect::<Result<_, _>>().map(Several)
    }
}

impl Limit {
    /// What to ask the ledger for, so that [`Page::of`] knows whether there is more.
    pub(crate) fn and_one(self) -> u32 {
        self.0 + 1
    }
}
