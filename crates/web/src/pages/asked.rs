//! What the address of a page asks for: as a form without a script sends it, with all its fields.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::ApiError;
use crate::query;

/// The field of a cursor.
const CURSOR: &str = "cursor";
/// The field in which a form tells the page that comes after it what it has done. It asks for nothing.
const DONE: &str = "done";

/// The parameters of a page. A field that was left empty was not filled in.
pub(super) struct Asked<T> {
    pub(super) fields: T,
    /// What was done just before.
    pub(super) done: Option<Done>,
    filled: Filled,
}

/// The fields that were filled in, as they were written.
#[derive(Clone, Default)]
pub(super) struct Filled(Vec<(String, String)>);

/// What a form has done, and to how many: `retry.12`.
pub(super) struct Done {
    pub(super) what: String,
    pub(super) count: i64,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let filled = Filled::of(pairs.map(|(name, value)| (name.into_owned(), value.into_owned()))).0;
        let (done, filled): (Vec<_>, Vec<_>) = filled.into_iter().partition(|(name, _)| name == DONE);
        let done = done.first().and_then(|(_, value)| Done::parse(value));
        let filled = Filled(filled);
        Ok(Asked { fields: query::read(filled.query().trim_start_matches('?'))?, done, filled })
    }
}

impl<T> Asked<T> {
    /// What was asked for, and how it was written.
    pub(super) fn parts(self) -> (T, Filled) {
        (self.fields, self.filled)
    }
}

impl Done {
    fn parse(text: &str) -> Option<Self> {
        let (what, count) = text.split_once('.')?;
        Some(Done { what: what.to_owned(), count: count.parse().ok()? })
    }

    /// The field that tells of it.
    pub(super) fn field(what: &str, count: usize) -> (String, String) {
        (DONE.to_owned(), format!("{what}.{count}"))
    }
}

impl Filled {
    /// What is filled in of a form.
    pub(super) fn of(fields: impl IntoIterator<Item = (String, String)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name, value.trim().to_owned()));
        Filled(fields.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// What an address asks for, as it is written behind it.
    pub(super) fn written(query: &str) -> Self {
        Filled::of(form_urlencoded::parse(query.as_bytes()).into_owned())
    }

    /// The fields with these values, where they have any.
    pub(super) fn given(fields: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Self {
        let filled = |(name, value): (&'static str, Option<String>)| Some((name.to_owned(), value?));
        Filled(fields.into_iter().filter_map(filled).collect())
    }

    /// The names and values of the fields.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The same, and what was done.
    pub(super) fn after(&self, what: &str, count: usize) -> String {
        written(self.0.iter().chain([&Done::field(what, count)]))
    }

    /// What a field holds; nothing where it was left empty.
    pub(super) fn value(&self, name: &str) -> &str {
        self.0.iter().find(|(one, _)| one == name).map_or("", |(_, value)| value)
    }

    /// Whether a field holds this.
    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }

    /// Whether anything narrows what is shown.
    pub(super) fn is_narrowed(&self) -> bool {
        self.0.iter().any(|(name, _)| name != CURSOR && name != "sort")
    }

    /// Whether this is not the first part of a list.
    pub(super) fn goes_on(&self) -> bool {
        !self.value(CURSOR).is_empty()
    }

    /// What stands behind an address that asks for the same.
    pub(super) fn query(&self) -> String {
        written(self.0.iter())
    }

    /// The same from the first part on.
    pub(super) fn begun_again(&self) -> String {
        written(self.0.iter().filter(|(name, _)| name != CURSOR))
    }

    /// The same with another value of one field.
    pub(super) fn with(&self, name: &str, value: &str) -> String {
        let other = (name.to_owned(), value.to_owned());
        let kept = self.0.iter().filter(|(one, _)| one != name && (one != CURSOR || name == CURSOR));
        written(kept.chain([&other]))
    }

    /// The part of the list behind this cursor.
    pub(super) fn at_cursor(&self, cursor: &str) -> String {
        self.with(CURSOR, cursor)
    }
}

fn written<'p>(pairs: impl Iterator<Item = &'p (String, String)>) -> String {
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    if text.is_empty() { text } else { format!("?{text}") }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        text: Option<String>,
        limit: Option<u32>,
        cursor: Option<String>,
    }

    async fn asked(address: &str) -> Result<Asked<Wanted>, ApiError> {
        let request = axum::http::Request::get(address).body(()).unwrap();
        Asked::from_request_parts(&mut request.into_parts().0, &()).await
    }

    #[tokio::test]
    async fn a_field_that_is_left_empty_was_not_filled_in() {
        let (wanted, filled) = asked("/orders?text=+&limit=&cursor=a%2Fb").await.unwrap().parts();
        assert_eq!((wanted.text, wanted.limit, wanted.cursor.as_deref()), (None, None, Some("a/b")));
        assert!(filled.goes_on() && !filled.is_narrowed());
        assert_eq!((filled.query().as_str(), filled.begun_again().as_str()), ("?cursor=a%2Fb", ""));
    }

    #[tokio::test]
    async fn another_filter_begins_with_the_first_part() {
        let (_, filled) = asked("/orders?text=ann&cursor=7").await.unwrap().parts();
        assert_eq!(filled.with("limit", "5"), "?text=ann&limit=5");
        assert_eq!(filled.at_cursor("9"), "?text=ann&cursor=9");
        assert!(filled.is("text", "ann") && filled.is_narrowed());
    }

    #[tokio::test]
    async fn what_was_done_is_told_once_and_asks_for_nothing() {
        let asked = asked("/orders?text=ann&done=retry.12").await.unwrap();
        let done = asked.done.as_ref().expect("it is told");
        assert_eq!((done.what.as_str(), done.count), ("retry", 12));
        let (_, filled) = asked.parts();
        assert_eq!(
            (filled.query(), filled.after("retry", 3)),
            ("?text=ann".into(), "?text=ann&done=retry.3".into())
        );
    }

    #[tokio::test]
    async fn what_is_no_field_is_refused() {
        assert!(asked("/orders?colour=red").await.is_err());
        assert!(asked("/orders?limit=many").await.is_err());
    }
}
