//! The first person, who comes by the link that the server printed.

use app::access::{Password, sessions, setup};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::Email;
use serde::Deserialize;

use super::{FORM_LIMIT, HOME, LOGIN, page, redirect};
use crate::address::Path;
use crate::body::UrlEncoded;
use crate::server::Web;
use crate::visitor::Visitor;
use crate::{ApiError, cookie, same_origin};

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage<'p> {
    shop: &'p str,
    email: &'p str,
    refusal: &'p str,
}

#[derive(Template)]
#[template(path = "setup_over.html")]
struct SetupOverPage<'p> {
    shop: &'p str,
}

/// Who the first person will be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Admin {
    email: String,
    password: String,
}

/// `GET /setup/{link}`: looking uses nothing up.
pub(crate) async fn show(State(web): State<Web>, Path(link): Path<String>) -> Result<Response, ApiError> {
    if !setup::is_good(&web.app, &link).await? {
        return over(&web);
    }
    page(StatusCode::OK, &SetupPage { shop: &web.app.config().shop.name, email: "", refusal: "" })
}

/// `POST /setup/{link}`: makes the admin, and signs them in.
pub(crate) async fn admit(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    Path(link): Path<String>,
    headers: HeaderMap,
    UrlEncoded(form): UrlEncoded<Admin, FORM_LIMIT>,
) -> Result<Response, ApiError> {
    same_origin::check(&web.front, &headers)?;
    let email = Email::parse(&form.email).map_err(|error| error.to_string());
    let wanted = email.and_then(|email| {
        let password = Password::choose(&form.password).map_err(|error| error.to_string())?;
        Ok((email, password))
    });
    let again = |refusal: &str| {
        let shop = &web.app.config().shop.name;
        page(StatusCode::UNPROCESSABLE_ENTITY, &SetupPage { shop, email: &form.email, refusal })
    };
    let (email, password) = match wanted {
        Ok(wanted) => wanted,
        // Whoever has no good link learns nothing of what would be taken.
        Err(_) if !setup::is_good(&web.app, &link).await? => return over(&web),
        Err(refusal) => return again(&refusal),
    };
    let admin = match setup::admit(&web.app, &link, email, password).await {
        Ok(Some(admin)) => admin,
        Ok(None) => return over(&web),
        Err(app::Error::Invalid(refusal)) => return again(&refusal),
        Err(error) => return Err(error.into()),
    };
    let shown = cookie::shown(&headers, visitor);
    let begun = sessions::begin(&web.app, admin, shown.as_deref(), visitor.address).await?;
    Ok(match begun {
        Some(secret) => redirect(HOME, cookie::given(&secret, visitor)),
        None => redirect(LOGIN, cookie::taken_back(visitor)),
    })
}

fn over(web: &Web) -> Result<Response, ApiError> {
    page(StatusCode::NOT_FOUND, &SetupOverPage { shop: &web.app.config().shop.name })
}
