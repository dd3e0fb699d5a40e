//! A file that waits to be told how it is to be imported: what it looks like, and what its import would do.

use app::App;
use app::access::sessions::Session;
use app::imports::{self as cases, Draft, DryRun, Field, ImportOptions, Looked, Started};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::ImportId;

use super::begin::gone;
use super::report::Report;
use super::terms::{COLUMN, Deed, Terms};
use crate::ApiError;
use crate::access::{SignedForm, SignedIn};
use crate::address::Path;
use crate::pages::asked::Filled;
use crate::pages::frame::Frame;
use crate::pages::parts::Choice;
use crate::pages::words::number;
use crate::pages::{IMPORTS, page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "imports/draft.html")]
struct DraftPage<'p> {
    frame: Frame<'p>,
    token: &'p str,
    draft: &'p Draft,
    size: String,
    refusal: String,
    done_before: Option<ImportId>,
    report: Option<Report>,
    seen: Option<Seen>,
    choices: Choices,
    filled: &'p Filled,
}

/// What can be chosen besides columns.
struct Choices {
    delimiter: Vec<Choice>,
    encoding: Vec<Choice>,
    profile: Vec<Choice>,
    workflow: Vec<Choice>,
    notify: Vec<Choice>,
    unknown_products: Vec<Choice>,
    on_error: Vec<Choice>,
    returns: Vec<Choice>,
    total_mismatch: Vec<Choice>,
}

/// What a file looks like.
struct Seen {
    compression: &'static str,
    encoding: &'static str,
    delimiter: String,
    profile: String,
    workflow: &'static str,
    header_line: u64,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    unshown: usize,
    mapping: Vec<Mapped>,
}

/// A field, and the column that it is read from.
struct Mapped {
    id: String,
    field: String,
    /// Whether an order needs it, and whether it has a column, or another that stands for it.
    is_needed: bool,
    is_missing: bool,
    columns: Vec<Choice>,
    samples: Vec<String>,
}

/// What came of what somebody wanted.
enum Outcome {
    Looked,
    Tried(Box<DryRun>),
    Started(ImportId),
    DoneBefore(ImportId),
}

/// `GET /imports/new/{draft}`
pub(in crate::pages) async fn look(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path(token): Path<String>,
) -> Result<Response, ApiError> {
    let Some(draft) = Draft::find(&web.app, &session.caller.actor, &token).await? else {
        return gone(&web, &session);
    };
    let options = draft.usual_options(&web.app).await?;
    let terms = Terms::usual(&options)?;
    Shown { web: &web, session: &session, token: &token, draft: &draft, terms: &terms }
        .page(&options, Ok(Outcome::Looked))
        .await
}

/// `POST /imports/new/{draft}`: shows it as it would be read, tries it, or imports it.
pub(in crate::pages) async fn decide(
    State(web): State<Web>,
    Path(token): Path<String>,
    SignedForm { session, fields }: SignedForm<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let Some(draft) = Draft::find(&web.app, &session.caller.actor, &token).await? else {
        return gone(&web, &session);
    };
    let terms = Terms::of(fields);
    let wanted = wanted(&web.app, &draft, &terms).await;
    let (options, outcome) = match wanted {
        Ok(options) => (options.clone(), act(&web.app, &session, &draft, &terms, options).await),
        Err(error) => (terms.options().unwrap_or_default(), Err(error)),
    };
    if let Ok(Outcome::Started(id)) = outcome {
        return Ok(Redirect::to(&format!("{IMPORTS}/{id}")).into_response());
    }
    Shown { web: &web, session: &session, token: &token, draft: &draft, terms: &terms }
        .page(&options, outcome)
        .await
}

/// How the file is to be read and imported.
async fn wanted(app: &App, draft: &Draft, terms: &Terms) -> Result<ImportOptions, ApiError> {
    let options = terms.options()?;
    if terms.columns.is_empty() {
        // Nobody could choose any, because the file could not be shown.
        let ImportOptions { columns, ignored_columns, .. } = draft.usual_options(app).await?;
        return Ok(ImportOptions { columns, ignored_columns, ..options });
    }
    let found = draft.look(app, &options).await?;
    terms.with_columns(options, &found)
}

async fn act(
    app: &App,
    session: &Session,
    draft: &Draft,
    terms: &Terms,
    options: ImportOptions,
) -> Result<Outcome, ApiError> {
    Ok(match terms.deed {
        Deed::Look => Outcome::Looked,
        Deed::Try => Outcome::Tried(Box::new(draft.dry_run(app, options).await?)),
        Deed::Import => match draft.import(app, &session.caller.actor, options, terms.force).await? {
            Started::New(id) | Started::Resumed(id) => Outcome::Started(id),
            Started::Done(before) => Outcome::DoneBefore(before.id),
        },
    })
}

/// A draft that is shown to whoever sent it.
struct Shown<'p> {
    web: &'p Web,
    session: &'p Session,
    token: &'p str,
    draft: &'p Draft,
    terms: &'p Terms,
}

impl Shown<'_> {
    async fn page(
        self,
        options: &ImportOptions,
        outcome: Result<Outcome, ApiError>,
    ) -> Result<Response, ApiError> {
        let app = &self.web.app;
        let (mut status, mut refusal) = (StatusCode::OK, String::new());
        let (mut report, mut done_before) = (None, None);
        match outcome {
            Ok(Outcome::Tried(told)) => report = Some(Report::new(*told)),
            Ok(Outcome::DoneBefore(id)) => done_before = Some(id),
            Ok(Outcome::Looked | Outcome::Started(_)) => {}
            Err(error) => (status, refusal) = error.told(),
        }
        if self.terms.deed == Deed::Look {
            // Whoever only looks is answered, whatever it looks like.
            status = StatusCode::OK;
        }
        let seen = match self.draft.look(app, options).await {
            Ok(looked) => {
                if let (Some(refused), true) = (&looked.refused, refusal.is_empty()) {
                    refusal = refused.to_string();
                }
                Some(Seen::new(looked, &self.terms.columns))
            }
            Err(error) => {
                if refusal.is_empty() {
                    refusal = ApiError::from(error).told().1;
                }
                None
            }
        };
        page(
            status,
            &DraftPage {
                frame: Frame::new(app, self.session, IMPORTS),
                token: self.token,
                draft: self.draft,
                size: self.draft.bytes().map(|bytes| number(bytes.cast_signed())).unwrap_or_default(),
                refusal,
                done_before,
                report,
                seen,
                choices: Choices::new(&self.terms.filled, cases::profile_names(app)?),
                filled: &self.terms.filled,
            },
        )
    }
}

/// How a delimiter is called, and its number.
const DELIMITERS: [(&str, &str); 4] =
    [("44", "comma ,"), ("59", "semicolon ;"), ("9", "tab"), ("124", "bar |")];

/// Encodings that files of orders come in.
const ENCODINGS: [&str; 10] = [
    "UTF-8",
    "UTF-16LE",
    "UTF-16BE",
    "windows-1252",
    "windows-1250",
    "windows-1251",
    "ISO-8859-15",
    "Shift_JIS",
    "GBK",
    "Big5",
];

impl Choices {
    fn new(filled: &Filled, profiles: Vec<String>) -> Self {
        let of = |name, values: &[(&'static str, &'static str)]| Choice::told(filled, name, values);
        Choices {
            delimiter: of("delimiter", &DELIMITERS),
            encoding: Choice::names(filled, "encoding", ENCODINGS),
            profile: Choice::names(filled, "profile", profiles),
            workflow: of(
                "workflow",
                &[
                    ("process", "new orders: stock, payment, mail"),
                    ("historical", "orders of the past, as they stand"),
                ],
            ),
            notify: of("notify", &[("true", "yes"), ("false", "no")]),
            unknown_products: of(
                "unknown_products",
                &[("create", "make the product"), ("reject", "reject the order")],
            ),
            on_error: of("on_error", &[("reject_order", "rejects its order"), ("stop", "ends the import")]),
            returns: of(
                "returns",
                &[("reject", "reject the order"), ("refund", "refund, in imports of the past")],
            ),
            total_mismatch: of(
                "total_mismatch",
                &[("reject", "reject the order"), ("adjust", "take what the lines add up to")],
            ),
        }
    }
}

/// Columns that are shown with their cells, and letters of each.
const COLUMNS_SHOWN: usize = 30;
const LETTERS: usize = 60;
/// Cells that are shown beside a field.
const SAMPLES: usize = 3;

impl Seen {
    fn new(looked: Looked, chosen: &[(Field, String)]) -> Self {
        let mapping = Field::ALL.map(|field| Mapped::new(field, &looked, chosen)).into();
        let Looked { compression, encoding, layout, rows, .. } = looked;
        let short = |cells: Vec<String>| -> Vec<String> {
            cells.into_iter().take(COLUMNS_SHOWN).map(|cell| shortened(&cell)).collect()
        };
        Seen {
            compression: compression.as_str(),
            encoding: encoding.name(),
            delimiter: delimiter(layout.delimiter),
            workflow: match layout.profile.workflow {
                cases::Workflow::Process => "new orders",
                cases::Workflow::Historical => "orders of the past",
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

fn shortened(cell: &str) -> String {
    let mut letters = cell.chars();
    let shown: String = letters.by_ref().take(LETTERS).collect();
    if letters.next().is_some() { format!("{shown}…") } else { shown }
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
            told: shortened(column),
            is_chosen: column == name,
        };
        Mapped {
            id: format!("{COLUMN}{}", field.as_str()),
            field: field.as_str().replace('_', " "),
            is_needed: group.is_some() && !name.is_empty(),
            is_missing: group.is_some() && !is_there,
            columns: names.into_iter().map(choice).collect(),
            samples: cells.take(SAMPLES).map(|cell| shortened(cell)).collect(),
        }
    }
}
