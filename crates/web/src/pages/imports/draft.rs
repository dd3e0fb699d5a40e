//! A file that waits to be told how it is to be imported: what it looks like, and what its import would do.

use app::App;
use app::access::sessions::Session;
use app::imports::{self as cases, Draft, DryRun, ImportOptions, Started};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::ImportId;

use super::begin::gone;
use super::report::Report;
use super::seen::{DELIMITERS, Seen};
use super::terms::{Deed, Terms};
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
