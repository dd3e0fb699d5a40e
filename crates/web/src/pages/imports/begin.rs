//! Sending a file, or naming one.

use app::access::sessions::Session;
use app::imports::Draft;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::ImportId;
use serde::Deserialize;

use super::{Drop, begun_at};
use crate::ApiError;
use crate::access::{SignedForm, SignedIn, SignedUpload};
use crate::form::{Form, Received};
use crate::pages::frame::Frame;
use crate::pages::{IMPORTS, NEW_IMPORT, page};
use crate::query::Query;
use crate::server::Web;

#[derive(Template)]
#[template(path = "imports/new.html")]
struct NewImportPage<'p> {
    drop: Drop,
    frame: Frame<'p>,
    corrects: Option<ImportId>,
    refusal: &'p str,
    /// Where files may be named: the folders, and the object stores by their URLs.
    places: Vec<String>,
    named: &'p str,
    to_named: String,
}

/// What an import is begun for.
#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Begun {
    /// The import whose rejects are corrected.
    corrects: Option<ImportId>,
}

/// `GET /imports/new`
pub(in crate::pages) async fn begin(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Query(Begun { corrects }): Query<Begun>,
) -> Result<Response, ApiError> {
    again(&web, &session, corrects, (StatusCode::OK, ""), "")
}

/// `POST /imports/new`: keeps the file until its sender says how it is to be imported.
pub(in crate::pages) async fn upload(
    State(web): State<Web>,
    Query(Begun { corrects }): Query<Begun>,
    SignedUpload { session, form }: SignedUpload,
) -> Result<Response, ApiError> {
    match keep(&web, &session, form, corrects).await {
        Ok(token) => Ok(to_draft(&token)),
        Err(error) => {
            let (status, refusal) = error.told();
            again(&web, &session, corrects, (status, &refusal), "")
        }
    }
}

async fn keep(
    web: &Web,
    session: &Session,
    form: Form,
    corrects: Option<ImportId>,
) -> Result<String, ApiError> {
    let Received { upload, name, .. } = form.receive(&web.app).await?;
    Ok(upload.keep(&web.app, &session.caller.actor, name, corrects).await?)
}

/// A file that is named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Named {
    /// Its path, or its URL.
    named: String,
}

/// `POST /imports/named`: looks at a file that workers will fetch.
pub(in crate::pages) async fn name(
    State(web): State<Web>,
    Query(Begun { corrects }): Query<Begun>,
    SignedForm { session, fields: Named { named } }: SignedForm<Named>,
) -> Result<Response, ApiError> {
    let named = named.trim();
    match Draft::of(&web.app, &session.caller.actor, named.to_owned(), corrects).await {
        Ok(token) => Ok(to_draft(&token)),
        Err(error) => {
            let (status, refusal) = ApiError::from(error).told();
            again(&web, &session, corrects, (status, &refusal), named)
        }
    }
}

/// Says that a file is not kept any more, where another can be sent.
pub(super) fn gone(web: &Web, session: &Session) -> Result<Response, ApiError> {
    let refusal = "This file is not kept here (any more). Files wait for a day, for whoever sent them; several servers must \
                   share the folder of the setting imports.spool. Send it again.";
    again(web, session, None, (StatusCode::NOT_FOUND, refusal), "")
}

fn again(
    web: &Web,
    session: &Session,
    corrects: Option<ImportId>,
    (status, refusal): (StatusCode, &str),
    named: &str,
) -> Result<Response, ApiError> {
    let frame = Frame::new(&web.app, session, IMPORTS);
    let settings = &web.app.config().imports;
    let folders = settings.folders.iter().map(|folder| format!("{}/…", folder.display()));
    let stores = settings.stores.values().map(|store| format!("s3://{}/{}…", store.bucket, store.prefix));
    page(
        status,
        &NewImportPage {
            drop: Drop::new(&frame, corrects),
            frame,
            corrects,
            refusal,
            places: folders.chain(stores).collect(),
            named,
            to_named: begun_at("/imports/named", corrects),
        },
    )
}

fn to_draft(token: &str) -> Response {
    Redirect::to(&format!("{NEW_IMPORT}/{token}")).into_response()
}
