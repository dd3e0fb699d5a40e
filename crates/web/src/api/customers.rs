//! Customers.

use axum::Json;
use axum::extract::State;
use domain::CustomerId;
use sql::Tx;
use store::customers::Customer;

use crate::ApiError;
use crate::address::Path;
use crate::server::Web;

/// `GET /api/customers/{id}`
pub(crate) async fn show(
    State(web): State<Web>,
    Path(id): Path<CustomerId>,
) -> Result<Json<Customer>, ApiError> {
    let read = move |tx: &mut Tx<'_>| -> app::Result<_> { Ok(store::customers::get(tx, id)?) };
    Ok(Json(web.app.read("get_customer", read).await?))
}
