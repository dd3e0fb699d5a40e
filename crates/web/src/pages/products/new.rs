//! A product that is made.

use app::access::sessions::Session;
use app::products::{self as catalogue, Wanted};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::{IdempotencyKey, ProductName, Sku};
use serde::Deserialize;

use super::price_of;
use crate::ApiError;
use crate::access::{SignedForm, SignedIn};
use crate::pages::frame::Frame;
use crate::pages::once::{fresh_key, keyed};
use crate::pages::{NEW_PRODUCT, PRODUCTS, links, page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "products/new.html")]
struct NewProductPage<'p> {
    frame: Frame<'p>,
    form: &'p NewProduct,
    refusal: &'p str,
}

/// What somebody types.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct NewProduct {
    key: IdempotencyKey,
    sku: String,
    name: String,
    price: String,
    currency: String,
}

impl NewProduct {
    fn wanted(&self) -> Result<Wanted, String> {
        let sku = Sku::parse(&self.sku).map_err(|error| error.to_string())?;
        let name = Some(self.name.trim()).filter(|name| !name.is_empty()).map(ProductName::parse);
        let name = name.transpose().map_err(|error| error.to_string())?;
        Ok(Wanted { sku, name, price: price_of(&self.price, &self.currency)? })
    }
}

/// `GET /products/new`
pub(in crate::pages) async fn new(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
) -> Result<Response, ApiError> {
    let form = NewProduct {
        key: IdempotencyKey::parse(&fresh_key()).map_err(|error| ApiError::BadKey(error.to_string()))?,
        sku: String::new(),
        name: String::new(),
        price: String::new(),
        currency: web.app.currency().code().to_owned(),
    };
    form_page(&web, &session, StatusCode::OK, &form, "")
}

fn form_page(
    web: &Web,
    session: &Session,
    status: StatusCode,
    form: &NewProduct,
    refusal: &str,
) -> Result<Response, ApiError> {
    page(status, &NewProductPage { frame: Frame::new(&web.app, session, PRODUCTS), form, refusal })
}

/// `POST /products/new`
pub(in crate::pages) async fn create(
    State(web): State<Web>,
    SignedForm { session, fields: form }: SignedForm<NewProduct>,
) -> Result<Response, ApiError> {
    let again = |refusal: &str| form_page(&web, &session, StatusCode::UNPROCESSABLE_ENTITY, &form, refusal);
    let wanted = match form.wanted() {
        Ok(wanted) => wanted,
        Err(refusal) => return again(&refusal),
    };
    let fields = [&*form.sku, &form.name, &form.price, &form.currency];
    let keyed = keyed(&session, form.key.clone(), NEW_PRODUCT, &fields);
    match catalogue::create_once(&web.app, &session.caller.actor, wanted, Some(keyed)).await {
        Ok(made) => Ok(Redirect::to(&links::product(&made.result.sku)).into_response()),
        Err(error) => again(&ApiError::from(error).mendable()?),
    }
}
