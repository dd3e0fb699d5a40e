//! Lists of orders that somebody keeps.

use app::orders as cases;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::Label;
use serde::Deserialize;

use crate::access::SignedForm;
use crate::api::orders::Listed;
use crate::pages::ORDERS;
use crate::pages::asked::Filled;
use crate::server::Web;
use crate::{ApiError, query};

/// What is kept under which name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Kept {
    name: Label,
    /// What the list asks for, as it stands behind its address.
    #[serde(default)]
    query: String,
}

/// `POST /orders/views`: leads back to the list.
pub(in crate::pages) async fn keep(
    State(web): State<Web>,
    SignedForm { session, fields: Kept { name, query: wanted } }: SignedForm<Kept>,
) -> Result<Response, ApiError> {
    let filled = Filled::written(wanted.trim_start_matches('?'));
    // What no list could show is not kept.
    let wanted = filled.begun_again();
    query::read::<Listed>(wanted.trim_start_matches('?'))?;
    cases::keep_view(&web.app, &session.caller.actor, name, wanted.clone()).await?;
    Ok(Redirect::to(&format!("{ORDERS}{wanted}")).into_response())
}

/// Which is forgotten.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Named {
    name: Label,
}

/// `POST /orders/views/forget`
pub(in crate::pages) async fn forget(
    State(web): State<Web>,
    SignedForm { session, fields: Named { name } }: SignedForm<Named>,
) -> Result<Response, ApiError> {
    cases::forget_view(&web.app, &session.caller.actor, name).await?;
    Ok(Redirect::to(ORDERS).into_response())
}
