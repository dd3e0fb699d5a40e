//! Customers.

use app::App;
use axum::Json;
use axum::extract::State;
use domain::{CustomerId, Label};
use schemars::JsonSchema;
use serde::Deserialize;
use sql::Tx;
use store::customers::Customer;

use crate::ApiError;
use crate::address::Path;
use crate::query::{Cursor, Limit, Page, Query};
use crate::server::Web;

/// Which customers a list shows.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// The beginning of their e-mail or of their id in their source.
    text: Option<Label>,
    #[serde(default)]
    #[schemars(with = "Option<Limit>")]
    limit: Limit,
    cursor: Option<Cursor>,
}

impl Listed {
    /// The customers that it shows.
    pub(crate) async fn read(self, app: &App) -> Result<Page<Customer>, ApiError> {
        let Listed { text, limit, cursor } = self;
        let before = cursor.map(|cursor| cursor.parse()).transpose()?;
        let read = move |tx: &mut Tx<'_>| -> app::Result<_> {
            Ok(store::customers::search(tx, text.as_ref().map(Label::as_str), before, limit.0)?)
        };
        Ok(Page::of_part(app.read("list_customers", read).await?))
    }
}

/// `GET /api/customers`: newest first.
pub(crate) async fn list(
    State(web): State<Web>,
    Query(listed): Query<Listed>,
) -> Result<Json<Page<Customer>>, ApiError> {
    Ok(Json(listed.read(&web.app).await?))
}

/// `GET /api/customers/{id}`
pub(crate) async fn show(
    State(web): State<Web>,
    Path(id): Path<CustomerId>,
) -> Result<Json<Customer>, ApiError> {
    let read = move |tx: &mut Tx<'_>| -> app::Result<_> { Ok(store::customers::get(tx, id)?) };
    Ok(Json(web.app.read("get_customer", read).await?))
}
