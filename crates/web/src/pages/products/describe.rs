//! What the catalogue says of a product, changed.

use app::products::{self as catalogue, Change};
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::{ProductName, Sku};

use super::price_of;
use super::show::{Described, refused};
use crate::ApiError;
use crate::access::SignedForm;
use crate::address::Path;
use crate::pages::links;
use crate::server::Web;

/// `POST /products/{sku}/change`: only where the catalogue still says what the form showed.
pub(in crate::pages) async fn change(
    State(web): State<Web>,
    Path(sku): Path<Sku>,
    SignedForm { session, fields: form }: SignedForm<Described>,
) -> Result<Response, ApiError> {
    let change = match wanted(&form) {
        Ok(change) => change,
        Err(refusal) => return refused(&web, &session, sku, (form, &refusal)).await,
    };
    let seen = Some(form.tag.clone());
    match catalogue::change(&web.app, &session.caller.actor, sku.clone(), change, seen).await {
        Ok(product) => Ok(Redirect::to(&links::product(&product.sku)).into_response()),
        Err(error) => refused(&web, &session, sku, (form, &ApiError::from(error).mendable()?)).await,
    }
}

fn wanted(form: &Described) -> Result<Change, String> {
    let name = ProductName::parse(&form.name).map_err(|error| error.to_string())?;
    Ok(Change { name: Some(name), price: Some(price_of(&form.price, &form.currency)?) })
}
