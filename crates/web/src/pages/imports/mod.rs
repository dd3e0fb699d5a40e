//! Imports: begun with a file, tried before anything is written, watched, steered, and looked back at.

mod begin;
mod draft;
mod list;
mod rejects;
mod report;
mod seen;
mod show;
mod steer;
mod terms;

pub(super) use begin::{begin, name, upload};
pub(super) use draft::{decide, look};
pub(super) use list::list;
pub(super) use show::show;
pub(super) use steer::{ask_to_cancel, cancel, pause, resume};

use askama::Template;
use askama::filters::HtmlSafe;
use domain::ImportId;

use super::NEW_IMPORT;
use super::frame::Frame;

/// Where a file is dropped, or chosen, to begin an import.
#[derive(Template)]
#[template(path = "imports/drop.html")]
struct Drop {
    csrf_token: String,
    to: String,
    told: &'static str,
}

impl HtmlSafe for Drop {}

impl Drop {
    /// For any file, or for the corrected rejects of an import.
    fn new(frame: &Frame<'_>, corrects: Option<ImportId>) -> Self {
        let told = match corrects {
            Some(_) => "Drop the corrected file here, or choose it",
            None => "Drop a file of orders here, or choose it",
        };
        Drop { csrf_token: frame.csrf_token.clone(), to: begun_at(NEW_IMPORT, corrects), told }
    }
}

/// The address with what is corrected.
fn begun_at(path: &str, corrects: Option<ImportId>) -> String {
    corrects.map_or_else(|| path.to_owned(), |id| format!("{path}?corrects={id}"))
}
