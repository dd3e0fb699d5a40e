//! The rows that an import rejected.

use std::str::FromStr;

use app::App;
use domain::ImportId;
use sql::Tx;
use store::imports::Reject;

use crate::ApiError;
use crate::pages::parts::Badge;
use crate::pages::words::clipped;
use crate::query::{Cursor, Limit, Page};

/// Rejected rows of a page.
const REJECTS: Limit = Limit(100);
/// Letters of a row that are shown; the file of the rejects has all of it.
pub(super) const LETTERS: usize = 300;

/// A rejected row as people read it.
pub(super) struct RejectRow {
    pub(super) line: i64,
    pub(super) code: Badge,
    pub(super) field: String,
    pub(super) message: String,
    pub(super) raw: String,
}

/// A part of the rows that an import rejected.
pub(super) async fn list(app: &App, id: ImportId, cursor: Option<&Cursor>) -> Result<Page<Reject>, ApiError> {
    let after = cursor.map(Cursor::parse::<Place>).transpose()?.map_or((0, -1), |Place(place)| place);
    let list = move |tx: &mut Tx<'_>| -> app::Result<_> {
        Ok(store::imports::list_rejects(tx, id, after, REJECTS.and_one())?)
    };
    let found = app.read("list_rejects", list).await?;
    Ok(Page::of(found, REJECTS, |reject| format!("{}.{}", reject.line, reject.position)))
}

/// A place in the rejects: a line, and which of its rejects.
struct Place((i64, i64));

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (line, position) = text.split_once('.').ok_or(())?;
        Ok(Place((line.parse().map_err(drop)?, position.parse().map_err(drop)?)))
    }
}

impl RejectRow {
    pub(super) fn new(reject: Reject) -> Self {
        RejectRow {
            line: reject.line,
            code: Badge::new(&reject.code),
            field: reject.field.unwrap_or_default().replace('_', " "),
            message: reject.message,
            raw: clipped(&reject.raw, LETTERS),
        }
    }
}
