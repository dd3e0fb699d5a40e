//! An order with what belongs to it.

use std::str::FromStr;

use app::orders::{self as cases, OrderJobs, PaymentView};
use app::refunds::RefundView;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::customers::Customer;
use store::events::Event;
use store::notifications::Notification;
use store::orders::{LineView, OrderRow};
use store::shipments::Shipment;
use store::webhooks::DeliveryRow;

use super::{TAG, resolve, tagged};
use crate::ApiError;
use crate::address::Path;
use crate::openapi::Operation;
use crate::query::{Query, Several};
use crate::server::Web;

/// What is shown of an order besides itself and its customer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shown {
    /// These parts alone; all but its jobs, where none is named.
    include: Option<Several<Part>>,
}

/// What belongs to an order.
#[derive(Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Part {
    Lines,
    Payments,
    Refunds,
    Shipments,
    Notifications,
    Webhooks,
    Timeline,
    Jobs,
}

impl Part {
    const ALL: [(&'static str, Part); 8] = [
        ("lines", Part::Lines),
        ("payments", Part::Payments),
        ("refunds", Part::Refunds),
        ("shipments", Part::Shipments),
        ("notifications", Part::Notifications),
        ("webhooks", Part::Webhooks),
        ("timeline", Part::Timeline),
        ("jobs", Part::Jobs),
    ];
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Part::ALL.iter().find(|(word, _)| *word == text).map(|(_, part)| *part);
        known.ok_or_else(|| {
            let words: Vec<&str> = Part::ALL.iter().map(|(word, _)| *word).collect();
            format!("`{text}` is no part of an order; there are {}", words.join(", "))
        })
    }
}

/// `GET /api/orders/{order}`: an id, or `SOURCE:EXTERNAL_ID`. With the parts that are named; where none is, with all but
/// its jobs.
pub(crate) async fn show(
    State(web): State<Web>,
    Path(name): Path<String>,
    Query(Shown { include }): Query<Shown>,
) -> Result<Response, ApiError> {
    let story = cases::story(&web.app, resolve(&web, name).await?).await?;
    let version = story.order.row.version;
    let Some(Several(parts)) = include else { return Ok(tagged(version, StatusCode::OK, &story)) };
    let mut shown = serde_json::to_value(&story).map_err(|error| app::Error::Internal(error.to_string()))?;
    for (word, part) in Part::ALL {
        if !parts.contains(&part)
            && let Some(fields) = shown.as_object_mut()
        {
            fields.remove(word);
        }
    }
    if parts.contains(&Part::Jobs) {
        shown["jobs"] = json!(cases::jobs_of(&web.app, &story).await?);
    }
    Ok(tagged(version, StatusCode::OK, &shown))
}

/// Says what looking at an order answers.
pub(crate) fn shown(operation: &mut Operation<'_>) {
    operation.answers::<StoryShown>(StatusCode::OK, "The order.").carries("etag", true, TAG);
}

/// An order with the parts that were asked for.
#[derive(JsonSchema)]
#[schemars(rename = "OrderStory")]
#[expect(dead_code, reason = "it is its schema")]
struct StoryShown {
    #[serde(flatten)]
    order: OrderRow,
    /// Notes, payment method, addresses.
    details: Option<serde_json::Value>,
    /// Whose it is.
    customer: Customer,
    /// Its lines.
    #[schemars(skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<LineView>>,
    /// The attempts to charge it, oldest first.
    #[schemars(skip_serializing_if = "Option::is_none")]
    payments: Option<Vec<PaymentView>>,
    /// What went back, oldest first.
    #[schemars(skip_serializing_if = "Option::is_none")]
    refunds: Option<Vec<RefundView>>,
    /// What left, oldest first.
    #[schemars(skip_serializing_if = "Option::is_none")]
    shipments: Option<Vec<Shipment>>,
    /// What the customer was told, oldest first.
    #[schemars(skip_serializing_if = "Option::is_none")]
    notifications: Option<Vec<Notification>>,
    /// What the gateway sent about it, oldest first, with what was done about it; the first 200.
    #[schemars(skip_serializing_if = "Option::is_none")]
    webhooks: Option<Vec<DeliveryRow>>,
    /// What happened, oldest first.
    #[schemars(skip_serializing_if = "Option::is_none")]
    timeline: Option<Vec<Event>>,
    /// The jobs about it.
    #[schemars(skip_serializing_if = "Option::is_none")]
    jobs: Option<OrderJobs>,
}
