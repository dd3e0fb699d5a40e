//! Finding orders.

use axum::Json;
use axum::extract::State;
use domain::{Calendar, CustomerId, ImportId, Label, OrderStatus, Sku, SourceName};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use sql::Tx;
use store::orders::{OrderRow, Search, Sort};

use crate::ApiError;
use crate::openapi::Operation;
use crate::problem::kinds;
use crate::query::{Cursor, Limit, Page, Query, Several};
use crate::server::Web;

/// Which orders a list shows, and what comes first.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// Only those that stand so, or so.
    #[serde(default)]
    #[schemars(with = "Option<Several<OrderStatus>>")]
    status: Several<OrderStatus>,
    /// Only those of this customer.
    customer: Option<CustomerId>,
    /// Only those with a line of it, as it was sold.
    sku: Option<Sku>,
    /// Placed on this business day or later.
    from: Option<Date>,
    /// Placed on this business day or earlier.
    to: Option<Date>,
    /// Only those of this import.
    import: Option<ImportId>,
    /// Only those of this source.
    source: Option<SourceName>,
    /// Only those that a person means by it: an id, or the beginning of an id in the source or of the customer's e-mail.
    text: Option<Label>,
    /// What comes first; where it is not told the newest, or with `from` or `to` what was placed last.
    sort: Option<Sort>,
    #[serde(default)]
    #[schemars(with = "Option<Limit>")]
    limit: Limit,
    cursor: Option<Cursor>,
}

impl Listed {
    pub(crate) fn search(self, calendar: &Calendar) -> Result<Search, ApiError> {
        let start = |day: Date| calendar.day_start(day);
        Ok(Search {
            statuses: self.status.0,
            customer: self.customer,
            sku: self.sku.map(String::from),
            from: self.from.and_then(start),
            // Where time ends before the day does, nothing was placed later.
            to: self.to.and_then(|day| start(day.tomorrow().ok()?)),
            import: self.import,
            source: self.source.map(String::from),
            text: self.text.map(String::from),
            sort: self.sort,
            after: self.cursor.map(|cursor| cursor.parse()).transpose()?,
            limit: self.limit.0,
        })
    }
}

/// `GET /api/orders`
pub(crate) async fn list(
    State(web): State<Web>,
    Query(listed): Query<Listed>,
) -> Result<Json<Page<OrderRow>>, ApiError> {
    let search = listed.search(web.app.calendar())?;
    let read = move |tx: &mut Tx<'_>| -> app::Result<_> { Ok(store::orders::search(tx, &search)?) };
    Ok(Json(Page::of_part(web.app.read("list_orders", read).await?)))
}

/// Says what a list of orders can meet.
pub(crate) fn listed(operation: &mut Operation<'_>) {
    operation.refuses(&[kinds::TOO_BROAD]);
}
