//! Who speaks, and whether they may.

use app::App;
use app::access::{Caller, tokens};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use domain::Role;

use crate::ApiError;
use crate::server::Web;

/// Lets a request through whose sender may do what `needed` may.
pub(crate) async fn guard(
    State((web, needed)): State<(Web, Role)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = identify(&web.app, request.headers()).await?;
    if !caller.role.covers(needed) {
        return Err(ApiError::Forbidden { needed, role: caller.role });
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Who comes with these headers.
pub(crate) async fn identify(app: &App, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Err(ApiError::Unauthenticated("it brings no token"));
    };
    let text = value.to_str().unwrap_or_default();
    let (scheme, token) = text.split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::Unauthenticated("its `Authorization` is not of the form `Bearer TOKEN`"));
    }
    // Whether a token never was, has ended or was revoked is nobody's business who does not have a good one.
    let caller = tokens::authenticate(app, token.trim()).await?;
    caller.ok_or(ApiError::Unauthenticated("its token is not taken"))
}

/// Whoever speaks, once [`guard`] let them through.
pub(crate) struct By(pub(crate) Caller);

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.map(By).ok_or(ApiError::Unauthenticated("it brings no token"))
    }
}
