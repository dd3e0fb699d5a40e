//! What the payment gateway tells us.

use std::sync::{Mutex, PoisonError};

use app::App;
use app::gateways::signature::Headers;
use app::gateways::simulator::Callback;
use app::payments::{self, Incoming, Receipt, Standing};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::Verdict;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sql::Tx;
use store::webhooks::DeliveryRow;

use crate::ApiError;
use crate::body::RawJson;
use crate::openapi::Operation;
use crate::problem::kinds;
use crate::query::{Cursor, Limit, Page, Query};
use crate::server::Web;

/// The most that a delivery may have.
const LIMIT: usize = 64 * 1024;
/// Deliveries with a wrong signature that are recorded within a second.
const RECORDED_A_SECOND: u32 = 50;

/// What was done about a delivery.
#[derive(Serialize, JsonSchema)]
pub(crate) struct VerdictView {
    /// The verdict.
    #[schemars(with = "domain::Verdict")]
    verdict: &'static str,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Which deliveries a list shows.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// Only those with this verdict.
    verdict: Option<Verdict>,
    #[serde(default)]
    #[schemars(with = "Option<Limit>")]
    limit: Limit,
    cursor: Option<Cursor>,
}

impl Listed {
    /// The deliveries that it shows.
    pub(crate) async fn read(self, app: &App) -> Result<Page<DeliveryRow>, ApiError> {
        let Listed { verdict, limit, cursor } = self;
        let before = cursor.map(|cursor| cursor.parse()).transpose()?;
        let read = move |tx: &mut Tx<'_>| -> app::Result<_> {
            Ok(store::webhooks::search_deliveries(tx, verdict, before, limit.0)?)
        };
        Ok(Page::of_part(app.read("list_webhooks", read).await?))
    }
}

/// `GET /api/webhooks`: what came, good or bad, and what was done about it; newest first.
pub(crate) async fn list(
    State(web): State<Web>,
    Query(listed): Query<Listed>,
) -> Result<Json<Page<DeliveryRow>>, ApiError> {
    Ok(Json(listed.read(&web.app).await?))
}

/// `POST /api/webhooks/payments`
///
/// A genuine event is answered 200 whatever its verdict, also when it contradicts the ledger: it is kept, and
/// sending it again would change nothing.
pub(crate) async fn receive(
    State(web): State<Web>,
    headers: HeaderMap,
    RawJson(body): RawJson<LIMIT>,
) -> Result<Json<VerdictView>, ApiError> {
    let incoming = Incoming { headers: signed_headers(&headers), body: body.into() };
    let checked = payments::check(&web.app, incoming);
    if checked.standing() == Standing::NotGenuine && !web.forgeries.admit(web.app.now()) {
        return Err(ApiError::TooManyForgeries);
    }
    answer(payments::receive_checked(&web.app, checked).await?)
}

/// Says what deliveries must bring.
pub(crate) fn received(operation: &mut Operation<'_>) {
    operation
        .says("Signed after Standard Webhooks. A genuine event is answered 200 whatever its verdict.")
        .takes_json::<Callback>(true, LIMIT)
        .takes_header::<String>("webhook-id", true, "The event; a second delivery of it changes nothing.")
        .takes_header::<String>(
            "webhook-timestamp",
            true,
            "When it was sent, in seconds of the epoch: within 5 minutes.",
        )
        .is_secured_by("signature")
        .refuses(&[
            kinds::WEBHOOK_NOT_GENUINE,
            kinds::WEBHOOK_UNREADABLE,
            kinds::TOO_MANY_REQUESTS,
            kinds::DISK_FULL,
        ]);
}

/// A header that is missing or not ASCII is empty: the check says what it lacks.
fn signed_headers(headers: &HeaderMap) -> Headers {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Headers {
        id: text("webhook-id").to_owned(),
        timestamp: text("webhook-timestamp").to_owned(),
        signature: text("webhook-signature").to_owned(),
    }
}

fn answer(receipt: Receipt) -> Result<Json<VerdictView>, ApiError> {
    let Receipt { standing, verdict, reason } = receipt;
    match standing {
        Standing::Event => Ok(Json(VerdictView { verdict: verdict.as_str(), reason })),
        Standing::Unreadable => Err(ApiError::UnreadableEvent(reason.unwrap_or_default())),
        Standing::NotGenuine => Err(ApiError::NotGenuine(reason.unwrap_or_default())),
    }
}

/// How many deliveries with a wrong signature came within the running second.
#[derive(Default)]
pub(crate) struct Forgeries(Mutex<(i64, u32)>);

impl Forgeries {
    /// Whether one more is worth a row.
    fn admit(&self, now: Timestamp) -> bool {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (second, count) = &mut *running;
        if *second != now.as_second() {
            (*second, *count) = (now.as_second(), 0);
        }
        *count = count.saturating_add(1);
        if *count == RECORDED_A_SECOND + 1 {
            tracing::warn!(
                recorded = RECORDED_A_SECOND,
                "a flood of webhooks with wrong signatures: no more are recorded within this second"
            );
        }
        *count <= RECORDED_A_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_forgeries_a_second_are_recorded_and_no_more() {
        let forgeries = Forgeries::default();
        let admitted = |second: i64, tries: usize| {
            let at = Timestamp::from_second(second).unwrap();
            (0..tries).filter(|_| forgeries.admit(at)).count()
        };
        assert_eq!(admitted(1_000, 30), 30);
        assert_eq!(admitted(1_000, 30), 20);
        assert_eq!(admitted(1_001, 60), 50);
        assert_eq!(admitted(999, 1), 1, "a clock that went back blocks nobody");
    }
}
