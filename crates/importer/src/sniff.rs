//! Finding out what a file is: compression, encoding, delimiter, header and profile.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::layout::fit;
use crate::records::{Scan, scan, split};
use crate::{Charset, Compression, Layout, Profile, ReadError, ReadOptions, foreign, spool};

const DELIMITERS: [u8; 4] = *b",;\t|";
/// How many records are looked at for the header, which may stand under a preamble.
const HEADER_SEARCH: usize = 20;
/// How many rows below the header are shown.
pub(crate) const SHOWN: usize = 5;

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sniffed {
    /// How it is compressed.
    pub compression: Compression,
    /// Its encoding, as far as its beginning shows; [`Spooled`](crate::Spooled) has the last word.
    pub encoding: Charset,
    /// How its rows are read.
    pub layout: Layout,
}

impl Sniffed {
    /// Whether the file must be decoded to a spool before ranges of it can be read.
    pub fn needs_spool(&self) -> bool {
        self.compression != Compression::None || self.encoding != Charset::UTF_8
    }
}

/// Looks at the beginning of a file. Fails with what it is if it is no order file.
pub fn sniff(path: &Path, options: &ReadOptions) -> Result<Sniffed, ReadError> {
    let head = spool::head(path, options)?;
    foreign::refuse_opening(&head.text)?;
    let layout = find_layout(&head.text, head.whole, options)?.checked(options)?;
    Ok(Sniffed { compression: head.compression, encoding: head.encoding, layout })
}

/// How the rows of a file are read.
pub(crate) struct Reading {
    pub(crate) layout: Layout,
    /// Why nothing in it looks like a header. The layout is then that of the first row.
    pub(crate) headless: Option<ReadError>,
}

impl Reading {
    /// Fails if rows cannot be read like that.
    pub(crate) fn checked(self, options: &ReadOptions) -> Result<Layout, ReadError> {
        if let Some(headless) = self.headless {
            return Err(headless);
        }
        self.layout.check(options)?;
        Ok(self.layout)
    }
}

struct Candidate {
    delimiter: u8,
    profile: Profile,
    line: u64,
    header: Vec<String>,
}

/// The reading of the first rows that knows the most columns: delimiter, row and profile are voted on at once.
pub(crate) fn find_layout(text: &str, whole: bool, options: &ReadOptions) -> Result<Reading, ReadError> {
    let profiles = options.candidates()?;
    let declared = declared_delimiter(text);
    let delimiters = match options.delimiter.or(declared) {
        Some(delimiter) => vec![delimiter],
        None => DELIMITERS.to_vec(),
    };
    let mut best: Option<(crate::layout::Fit, Candidate)> = None;
    let mut widest: Option<Candidate> = None;
    let mut first_row = None;
    for delimiter in delimiters {
        let rows = first_rows(text, whole, delimiter, declared.is_some());
        for (index, (line, header)) in rows.into_iter().take(HEADER_SEARCH).enumerate() {
            first_row.get_or_insert_with(|| header.join(&char::from(delimiter).to_string()));
            if index == 0 && widest.as_ref().is_none_or(|other| header.len() > other.header.len()) {
                let (profile, header) = (profiles[0].clone(), header.clone());
                widest = Some(Candidate { delimiter, profile, line, header });
            }
            for profile in &profiles {
                let fit = fit(&header, profile, options);
                if fit.matched > 0 && best.as_ref().is_none_or(|(other, _)| fit > *other) {
                    let (profile, header) = (profile.clone(), header.clone());
                    best = Some((fit, Candidate { delimiter, profile, line, header }));
                }
            }
        }
    }
    let (found, headless) = match (best, widest) {
        (Some((_, found)), _) => (found, None),
        (None, Some(widest)) => (widest, Some(headless(&profiles[0], &first_row.unwrap_or_default()))),
        (None, None) => return Err(ReadError::Empty),
    };
    let layout = Layout::new(found.header, found.line, found.delimiter, found.profile, options);
    Ok(Reading { layout, headless })
}

fn headless(profile: &Profile, first_row: &str) -> ReadError {
    let required = profile.required().map(|group| group[0].as_str()).collect::<Vec<_>>();
    let first_line = first_row.lines().next().unwrap_or_default().chars().take(120).collect();
    ReadError::NoHeader { first_line, expected: required.join(",") }
}

/// Spreadsheets write a first line `sep=;` to say what the delimiter is.
fn declared_delimiter(text: &str) -> Option<u8> {
    let line = text.split(['\r', '\n']).next()?.trim_matches('"');
    let declared = line.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).map(|_| &line[4..])?;
    match declared.as_bytes() {
        [delimiter] if delimiter.is_ascii_punctuation() || *delimiter == b'\t' => Some(*delimiter),
        _ => None,
    }
}

/// The first records with their lines, without the one that the sample cuts off.
pub(crate) fn first_rows(
    text: &str,
    whole: bool,
    delimiter: u8,
    skip_first: bool,
) -> Vec<(u64, Vec<String>)> {
    let bytes = text.as_bytes();
    let (mut rows, mut at, mut line) = (Vec::new(), 0, 1);
    while rows.len() < HEADER_SEARCH + SHOWN {
        match scan(&bytes[at..], delimiter, whole) {
            Scan::Record { end, next, lines } => {
                let mut cells = Vec::new();
                split(bytes, at, at + end, delimiter, &mut cells);
                let names: Vec<String> = cells.iter().map(|cell| cell.text(text).trim().to_owned()).collect();
                if names.iter().any(|name| !name.is_empty()) && !(skip_first && line == 1) {
                    rows.push((line, names));
                }
                at += next;
                line += lines;
            }
            Scan::Blank { next, lines } => {
                at += next;
                line += lines;
            }
            Scan::Incomplete | Scan::UnclosedQuote { .. } | Scan::End => break,
        }
    }
    rows
}
