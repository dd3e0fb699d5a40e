//! Finding products.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::Label;
use serde::Deserialize;
use sql::Tx;
use store::products::{self as rows, Product};

use super::Level;
use crate::ApiError;
use crate::access::SignedIn;
use crate::pages::asked::{Asked, Filled};
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, Pager};
use crate::pages::{PRODUCTS, links, page};
use crate::query::{Cursor, Limit, Page};
use crate::server::Web;

/// Which products a list shows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Listed {
    /// The beginning of their SKUs.
    sku: Option<Label>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

#[derive(Template)]
#[template(path = "products/list.html")]
struct ProductsPage<'p> {
    frame: Frame<'p>,
    rows: Vec<Row>,
    pager: Pager,
    filled: Filled,
}

struct Row {
    address: String,
    sku: String,
    name: String,
    is_counted: bool,
    level: Level,
    warning: Option<Badge>,
}

/// `GET /products`: by SKU.
pub(in crate::pages) async fn list(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    asked: Asked<Listed>,
) -> Result<Response, ApiError> {
    let (Listed { sku, limit, cursor }, filled) = asked.parts();
    let after = cursor.map(|cursor| cursor.0).unwrap_or_default();
    let read = move |tx: &mut Tx<'_>| -> app::Result<_> {
        Ok(match &sku {
            Some(sku) => rows::list_beginning(tx, sku.as_str(), &after, limit.and_one())?,
            None => rows::list_from(tx, &after, limit.and_one())?,
        })
    };
    let found = web.app.read("list_products", read).await?;
    let Page { data, next } = Page::of(found, limit, |product| product.sku.clone());
    page(
        StatusCode::OK,
        &ProductsPage {
            frame: Frame::new(&web.app, &session, PRODUCTS),
            rows: data.into_iter().map(Row::new).collect(),
            pager: Pager::new(PRODUCTS, &filled, next.as_deref()),
            filled,
        },
    )
}

impl Row {
    fn new(product: Product) -> Self {
        let level = Level::of(&product);
        Row {
            address: links::product(&product.sku),
            warning: level.warning.map(Badge::new),
            level,
            is_counted: product.tracked,
            sku: product.sku,
            name: product.name,
        }
    }
}
