//! Who speaks, and whether they may: programs by a token, people by the session of their browser.

use app::App;
use app::access::sessions::{self, Session};
use app::access::{Caller, tokens};
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use domain::Role;
use serde::de::DeserializeOwned;

use crate::body::{UrlEncoded, from_pairs};
use crate::form::Form;
use crate::openapi::Argument;
use crate::pages::{FORM_LIMIT, LOGIN};
use crate::server::Web;
use crate::visitor::Visitor;
use crate::{ApiError, cookie, same_origin};

/// The header by which a page of ours shows that it is one.
const CSRF_HEADER: &str = "x-csrf-token";
/// The field of a form that does the same.
const CSRF_FIELD: &str = "csrf_token";

/// Lets a request through whose sender may do what `needed` may, and does not ask too often.
pub(crate) async fn guard(
    State((web, needed)): State<(Web, Role)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = identify(&web, &mut request).await?;
    web.limits.admit(&caller)?;
    if !caller.role.covers(needed) {
        return Err(ApiError::Forbidden { needed, role: caller.role });
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

async fn identify(web: &Web, request: &mut Request) -> Result<Caller, ApiError> {
    let shown = Shown::of(request.headers(), visitor(request.extensions())?)?;
    request.extensions_mut().insert(shown.clone());
    let secret = match shown {
        Shown::Token(token) => return by_token(&web.app, &token).await,
        Shown::Session(secret) => secret,
    };
    let session = sessions::authenticate(&web.app, &secret).await?.ok_or(ENDED)?;
    // Browsers bring the session along whoever makes them send something.
    if !request.method().is_safe() {
        same_origin::check(&web.front, request.headers())?;
        check_csrf(&session, csrf_header(request.headers()))?;
    }
    let caller = session.caller.clone();
    request.extensions_mut().insert(session);
    Ok(caller)
}

/// What somebody shows of themselves.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Shown {
    Token(String),
    Session(String),
}

impl Shown {
    fn of(headers: &HeaderMap, visitor: Visitor) -> Result<Self, ApiError> {
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            let secret = cookie::shown(headers, visitor).map(Shown::Session);
            return secret.ok_or(ApiError::Unauthenticated("it brings no token, and no session"));
        };
        let (scheme, token) = value.to_str().unwrap_or_default().split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::Unauthenticated("its `Authorization` is not of the form `Bearer TOKEN`"));
        }
        Ok(Shown::Token(token.trim().to_owned()))
    }

    /// Whether they are still let in. Looking again is no use of a session: one that nobody does anything in ends.
    pub(crate) async fn look_again(&self, app: &App) -> Result<(), ApiError> {
        match self {
            Shown::Token(token) => by_token(app, token).await.map(drop),
            Shown::Session(secret) => sessions::look(app, secret).await?.map(drop).ok_or(ENDED),
        }
    }
}

const ENDED: ApiError = ApiError::Unauthenticated("its session has ended");

async fn by_token(app: &App, token: &str) -> Result<Caller, ApiError> {
    // Whether a token never was, has ended or was revoked is nobody's business who does not have a good one.
    tokens::authenticate(app, token).await?.ok_or(ApiError::Unauthenticated("its token is not taken"))
}

/// The session that a browser shows, if it is one that goes on.
pub(crate) async fn session(
    app: &App,
    headers: &HeaderMap,
    visitor: Visitor,
) -> Result<Option<Session>, ApiError> {
    match cookie::shown(headers, visitor) {
        Some(secret) => Ok(sessions::authenticate(app, &secret).await?),
        None => Ok(None),
    }
}

fn csrf_header(headers: &HeaderMap) -> Option<&str> {
    headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok())
}

fn check_csrf(session: &Session, given: Option<&str>) -> Result<(), ApiError> {
    match given {
        Some(given) if session.is_csrf_token(given) => Ok(()),
        _ => Err(ApiError::NoPageOfOurs),
    }
}

fn visitor(extensions: &Extensions) -> Result<Visitor, ApiError> {
    let visitor = extensions.get::<Visitor>().copied();
    visitor.ok_or_else(|| {
        app::Error::Internal("nobody found out where the request comes from".to_owned()).into()
    })
}

/// Whoever speaks, once [`guard`] let them through.
pub(crate) struct By(pub(crate) Caller);

impl Argument for By {}

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.map(By).ok_or(ApiError::Unauthenticated("it brings no token, and no session"))
    }
}

/// Lets people see a page, or use a form of one, whose session may do what `needed` may. Who has not signed in is sent to
/// where they can.
pub(crate) async fn guard_page(
    State((web, needed)): State<(Web, Role)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let visitor = visitor(request.extensions())?;
    let Some(session) = session(&web.app, request.headers(), visitor).await? else {
        return Ok(to_login(request.headers()));
    };
    let caller = &session.caller;
    web.limits.admit(caller)?;
    if !request.method().is_safe() {
        same_origin::check(&web.front, request.headers())?;
    }
    if !caller.role.covers(needed) {
        return Err(ApiError::Forbidden { needed, role: caller.role });
    }
    request.extensions_mut().insert(session);
    Ok(next.run(request).await)
}

/// A part of a page that is asked for again cannot show where to sign in: the whole page goes there.
fn to_login(headers: &HeaderMap) -> Response {
    if headers.contains_key("hx-request") {
        return ([(HeaderName::from_static("hx-redirect"), HeaderValue::from_static(LOGIN))], StatusCode::OK)
            .into_response();
    }
    Redirect::to(LOGIN).into_response()
}

/// Whoever looks at a page, once [`guard_page`] let them through.
pub(crate) struct SignedIn(pub(crate) Session);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Session>().cloned().map(SignedIn).ok_or(ENDED)
    }
}

/// A form with a file that a page of ours sent for somebody who has signed in. The token of the session comes before the
/// file, or in a header: nothing is taken of anybody else's.
pub(crate) struct SignedUpload {
    pub(crate) session: Session,
    pub(crate) form: Form,
}

impl FromRequest<Web> for SignedUpload {
    type Rejection = ApiError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let SignedIn(session) = SignedIn::from_request_parts(&mut parts, web).await?;
        let request = Request::from_parts(parts, body);
        let by_header = csrf_header(request.headers()).map(str::to_owned);
        // What is no such form shows nothing either.
        let mut form = Form::from_request(request, web).await.map_err(|_| ApiError::NoPageOfOurs)?;
        let given = match by_header {
            Some(given) => Some(given),
            None => form.first(CSRF_FIELD).await?,
        };
        check_csrf(&session, given.as_deref())?;
        Ok(SignedUpload { session, form })
    }
}

/// A form that a page of ours sent for somebody who has signed in. There is no other way to take one.
pub(crate) struct SignedForm<T> {
    pub(crate) session: Session,
    pub(crate) fields: T,
}

impl<T: DeserializeOwned> FromRequest<Web> for SignedForm<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let SignedIn(session) = SignedIn::from_request_parts(&mut parts, web).await?;
        let request = Request::from_parts(parts, body);
        let UrlEncoded(pairs) =
            UrlEncoded::<Vec<(String, String)>, FORM_LIMIT>::from_request(request, web).await?;
        let (token, fields): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| name == CSRF_FIELD);
        check_csrf(&session, token.first().map(|(_, value)| value.as_str()))?;
        Ok(SignedForm { session, fields: from_pairs(fields)? })
    }
}
