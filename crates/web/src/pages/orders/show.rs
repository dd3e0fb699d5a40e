//! One order, with everything that belongs to it.

use app::App;
use app::orders::{self as cases, Possible, Story};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{ActionKind, Money, OrderId};
use store::orders::LineView;

use super::timeline::{Entry, entries};
use crate::ApiError;
use crate::access::SignedIn;
use crate::address::Path;
use crate::pages::frame::Frame;
use crate::pages::links;
use crate::pages::parts::{Badge, When};
use crate::pages::words::{number, priced};
use crate::pages::{ORDERS, page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "orders/show.html")]
struct OrderPage<'p> {
    frame: Frame<'p>,
    order: Order,
}

/// What changes while somebody looks.
#[derive(Template)]
#[template(path = "orders/live.html")]
struct LivePart {
    operates: bool,
    order: Order,
}

/// An order as its page shows it.
struct Order {
    id: OrderId,
    name: String,
    placed: When,
    status: [Badge; 3],
    actions: Vec<Action>,
    money: Vec<(&'static str, String)>,
    customer_id: i64,
    customer: Vec<(&'static str, String)>,
    details: Vec<(String, String)>,
    origin: Option<(i64, i64)>,
    lines: Vec<Line>,
    payments: Vec<Payment>,
    refunds: Vec<Refund>,
    shipments: Vec<Shipment>,
    entries: Vec<Entry>,
    jobs: Jobs,
}

/// What is known of an order's jobs.
enum Jobs {
    /// They are looked for once the rest is shown.
    Later,
    All,
    /// Of a queue this long only the newest were looked at.
    Newest,
}

/// Something that can be done.
struct Action {
    word: &'static str,
    told: &'static str,
    is_destructive: bool,
}

struct Line {
    number: i64,
    sku: String,
    address: String,
    name: String,
    quantity: String,
    unit_price: String,
    total: String,
    shipped: String,
    refunded: String,
    stock: String,
}

struct Payment {
    attempt: i64,
    status: Badge,
    amount: String,
    captured: String,
    reference: String,
    reason: String,
    at: When,
}

struct Refund {
    id: i64,
    status: Badge,
    amount: String,
    cause: String,
    reason: String,
    at: When,
}

struct Shipment {
    status: Badge,
    carrier: String,
    tracking: String,
    shipped: When,
}

/// `GET /orders/{id}`
pub(in crate::pages) async fn show(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path(id): Path<OrderId>,
) -> Result<Response, ApiError> {
    let (story, possible) = cases::story_and_possible(&web.app, id).await?;
    let order = Order::new(&web.app, &story, &possible, None);
    page(StatusCode::OK, &OrderPage { frame: Frame::new(&web.app, &session, ORDERS), order })
}

/// `GET /orders/{id}/live`: the same with its jobs, which no index tells.
pub(in crate::pages) async fn live(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path(id): Path<OrderId>,
) -> Result<Response, ApiError> {
    let (story, possible) = cases::story_and_possible(&web.app, id).await?;
    let jobs = cases::jobs_of(&web.app, &story).await?;
    let operates = session.caller.role.covers(domain::Role::Operator);
    page(StatusCode::OK, &LivePart { operates, order: Order::new(&web.app, &story, &possible, Some(&jobs)) })
}

impl Order {
    fn new(app: &App, story: &Story, possible: &Possible, jobs: Option<&cases::OrderJobs>) -> Self {
        let row = &story.order.row;
        Order {
            id: row.id,
            name: format!("{}/{}", row.source, row.external_id),
            placed: When::new(app, row.placed_at),
            status: [row.fail_reason.unwrap_or(row.status), row.payment, row.fulfilment].map(Badge::new),
            actions: actions(possible),
            money: money(possible),
            customer_id: row.customer_id,
            customer: customer(story),
            details: details(story),
            origin: row.import_id.zip(row.import_line),
            lines: story.order.lines.iter().map(|line| Line::new(possible, line)).collect(),
            payments: story.payments.iter().map(|one| Payment::new(app, one)).collect(),
            refunds: story.refunds.iter().map(|one| Refund::new(app, one)).collect(),
            shipments: story.shipments.iter().map(|one| Shipment::new(app, one)).collect(),
            entries: entries(app, story, jobs),
            jobs: jobs.map_or(Jobs::Later, |jobs| if jobs.complete { Jobs::All } else { Jobs::Newest }),
        }
    }
}

/// What takes the order further comes first.
fn actions(possible: &Possible) -> Vec<Action> {
    let mut actions: Vec<Action> = possible.actions.iter().filter_map(|kind| Action::of(*kind)).collect();
    actions.sort_by_key(|action| action.is_destructive);
    actions
}

fn money(possible: &Possible) -> Vec<(&'static str, String)> {
    let (row, totals) = (&possible.order.row, &possible.order.totals);
    let of = |amount| priced(Money::new(amount, row.total.currency));
    let parts = [
        ("Lines", totals.subtotal),
        ("Discount", -totals.discount),
        ("Shipping", totals.shipping),
        (if totals.tax_included { "Tax (included)" } else { "Tax" }, totals.tax),
        ("Adjustment", totals.adjustment),
    ];
    let mut facts: Vec<_> = parts
        .into_iter()
        .filter(|(_, amount)| *amount != 0)
        .map(|(name, amount)| (name, of(amount)))
        .collect();
    facts.extend([
        ("Total", priced(row.total)),
        ("Captured", priced(row.captured)),
        ("Refunded", priced(row.refunded)),
    ]);
    if row.refund_pending.amount != 0 {
        facts.push(("On its way back", priced(row.refund_pending)));
    }
    facts.push(("Can be refunded", of(possible.room.left())));
    facts
}

fn customer(story: &Story) -> Vec<(&'static str, String)> {
    let one = &story.customer;
    let known = [("Name", &one.name), ("E-mail", &one.email), ("Id in the source", &one.external_id)];
    known.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
}

/// Notes, payment method, addresses: as they came.
fn details(story: &Story) -> Vec<(String, String)> {
    let Some(serde_json::Value::Object(fields)) = &story.order.details else { return Vec::new() };
    let written = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    fields.iter().map(|(name, value)| (name.replace('_', " "), written(value))).collect()
}

impl Action {
    fn of(kind: ActionKind) -> Option<Self> {
        let (word, told, is_destructive) = match kind {
            ActionKind::Ship => ("ship", "Ship", false),
            ActionKind::Deliver => ("deliver", "Mark as delivered", false),
            ActionKind::RequestRefund => ("refund", "Refund", true),
            ActionKind::Cancel => ("cancel", "Cancel", true),
            _ => return None,
        };
        Some(Action { word, told, is_destructive })
    }
}

impl Line {
    fn new(possible: &Possible, line: &LineView) -> Self {
        let room = possible.room.lines.iter().find(|room| room.line_no == line.line_no);
        let stock = room.and_then(|room| possible.products.iter().find(|one| one.id == room.product));
        let refunded = match line.refund_pending {
            0 => number(line.refunded),
            pending => format!("{} (+{pending} pending)", number(line.refunded)),
        };
        Line {
            number: line.line_no,
            address: links::product(stock.map_or(&line.sku, |product| &product.sku)),
            sku: line.sku.clone(),
            name: line.name.clone(),
            quantity: number(line.quantity),
            unit_price: priced(line.unit_price),
            total: priced(line.total),
            shipped: number(line.shipped),
            refunded,
            stock: match stock {
                Some(product) if product.tracked => {
                    format!("{} ({} reserved)", number(product.on_hand), number(product.reserved))
                }
                _ => "not counted".to_owned(),
            },
        }
    }
}

impl Payment {
    fn new(app: &App, one: &cases::PaymentView) -> Self {
        Payment {
            attempt: one.attempt,
            status: Badge::new(one.status),
            amount: priced(one.amount),
            captured: priced(one.captured),
            reference: one.reference.clone().unwrap_or_default(),
            reason: one.reason.clone().unwrap_or_default(),
            at: When::new(app, one.created_at),
        }
    }
}

impl Refund {
    fn new(app: &App, one: &app::refunds::RefundView) -> Self {
        Refund {
            id: one.id.get(),
            status: Badge::new(one.status),
            amount: priced(one.amount),
            cause: one.cause.replace('_', " "),
            reason: one.reason.clone().unwrap_or_default(),
            at: When::new(app, one.requested_at),
        }
    }
}

impl Shipment {
    fn new(app: &App, one: &store::shipments::Shipment) -> Self {
        Shipment {
            status: Badge::new(one.status),
            carrier: one.carrier.clone().unwrap_or_default(),
            tracking: one.tracking.clone().unwrap_or_default(),
            shipped: When::new(app, one.shipped_at),
        }
    }
}
