//! Giving money back: within the caps, shown before it is asked for.

use app::access::sessions::Session;
use app::orders::{self as cases, Possible};
use app::refunds::{self, Asked, Request, Restock};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::refund::RefundPlan;
use domain::{Currency, DecimalStyle, IdempotencyKey, Money, OrderId, RefundRequest, parse_decimal};

use super::act::{label, number};
use crate::ApiError;
use crate::access::{SignedForm, SignedIn};
use crate::address::Path;
use crate::pages::frame::Frame;
use crate::pages::once::fresh_key;
use crate::pages::words::priced;
use crate::pages::{ORDERS, page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "orders/refund.html")]
struct RefundPage<'p> {
    frame: Frame<'p>,
    id: OrderId,
    name: String,
    currency: Currency,
    left: String,
    shipping_left: String,
    lines: Vec<Line>,
    wish: Wish,
    outcome: Option<Outcome>,
}

/// What would come of a wish.
enum Outcome {
    Refused(String),
    Planned { amount: String, parts: Vec<String> },
}

struct Line {
    number: i64,
    name: String,
    most: i64,
    units: i64,
    restock: bool,
}

/// How much goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum How {
    #[default]
    Lines,
    Amount,
    All,
}

/// What a form says.
#[derive(Default)]
struct Wish {
    how: How,
    units: Vec<(i64, i64)>,
    restock: Vec<i64>,
    amount: String,
    shipping: String,
    reason: String,
    key: String,
    /// What was wished for when it was last looked at.
    looked_at: String,
    is_sure: bool,
}

impl Wish {
    fn read(fields: Vec<(String, String)>) -> Result<Self, ApiError> {
        let mut wish = Wish::default();
        for (name, value) in fields {
            let line = |prefix: &str| name.strip_prefix(prefix).and_then(|line| line.parse::<i64>().ok());
            match (name.as_str(), value.as_str()) {
                ("how", "lines") => wish.how = How::Lines,
                ("how", "amount") => wish.how = How::Amount,
                ("how", "all") => wish.how = How::All,
                ("amount", _) => wish.amount = value,
                ("shipping", _) => wish.shipping = value,
                ("reason", _) => wish.reason = value,
                ("key", _) => wish.key = value,
                ("looked_at", _) => wish.looked_at = value,
                ("sure", _) => wish.is_sure = true,
                _ => match (line("units_"), line("restock_")) {
                    (Some(_), _) if value.trim().is_empty() => {}
                    (Some(line), _) => wish.units.push((line, number(&name, &value)?)),
                    (None, Some(line)) => wish.restock.push(line),
                    (None, None) => {
                        return Err(ApiError::wrong(
                            format!("/{name}"),
                            "the form has no such field or value".to_owned(),
                        ));
                    }
                },
            }
        }
        wish.units.retain(|(_, units)| *units != 0);
        Ok(wish)
    }

    /// All that decides what goes back.
    fn written(&self) -> String {
        let Wish { how, units, restock, amount, shipping, .. } = self;
        format!("{how:?} {units:?} {restock:?} {amount:?} {shipping:?}")
    }

    fn what(&self, currency: Currency) -> Result<RefundRequest, ApiError> {
        Ok(match self.how {
            How::All => RefundRequest::All,
            How::Amount => RefundRequest::Amount(amount("amount", &self.amount, currency)?),
            How::Lines => RefundRequest::Lines {
                lines: self.units.clone(),
                shipping: if self.shipping.trim().is_empty() {
                    0
                } else {
                    amount("shipping", &self.shipping, currency)?
                },
            },
        })
    }
}

fn amount(field: &str, text: &str, currency: Currency) -> Result<i64, ApiError> {
    parse_decimal(text.trim(), currency, DecimalStyle::Auto)
        .map_err(|error| ApiError::wrong(format!("/{field}"), format!("`{text}`: {error}")))
}

/// `GET /orders/{id}/refund`
pub(in crate::pages) async fn ask(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path(id): Path<OrderId>,
) -> Result<Response, ApiError> {
    let possible = cases::possible(&web.app, id).await?;
    let restock = possible.room.lines.iter().map(|line| line.line_no).collect();
    let wish = Wish { restock, key: fresh_key(), ..Wish::default() };
    shown(&web, &session, &possible, wish, None)
}

/// `POST /orders/{id}/refund`: shows what would go back, and asks for it once somebody is sure.
pub(in crate::pages) async fn refund(
    State(web): State<Web>,
    Path(order): Path<OrderId>,
    SignedForm { session, fields }: SignedForm<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let wish = Wish::read(fields)?;
    let possible = cases::possible(&web.app, order).await?;
    let what = match wish.what(possible.order.row.total.currency) {
        Ok(what) => what,
        Err(unreadable) => {
            return shown(&web, &session, &possible, wish, Some(Outcome::Refused(unreadable.mendable()?)));
        }
    };
    // Whoever is sure is so of what they were shown, not of what they wrote since.
    if !wish.is_sure || wish.looked_at != wish.written() {
        let outcome = match refunds::preview(&web.app, order, what).await {
            Ok(plan) => planned(&possible, &plan, &wish),
            Err(error) => Outcome::Refused(ApiError::from(error).mendable()?),
        };
        return shown(&web, &session, &possible, wish, Some(outcome));
    }
    let key = IdempotencyKey::parse(&wish.key).map_err(|error| ApiError::BadKey(error.to_string()))?;
    let restock = match wish.how {
        How::Lines => Restock::Lines(wish.restock.iter().copied().collect()),
        How::Amount | How::All => Restock::from(!wish.restock.is_empty()),
    };
    let request = Request { order, key, what, restock, reason: label("reason", &wish.reason)? };
    match refunds::request(&web.app, &session.caller.actor, request).await {
        Ok(Asked { refund, .. }) => Ok(Redirect::to(&format!("/refunds/{}", refund.id)).into_response()),
        Err(error) => {
            shown(&web, &session, &possible, wish, Some(Outcome::Refused(ApiError::from(error).mendable()?)))
        }
    }
}

fn planned(possible: &Possible, plan: &RefundPlan, wish: &Wish) -> Outcome {
    let of = |amount| priced(Money::new(amount, possible.order.row.total.currency));
    let line = |line: &domain::refund::PlannedLine| {
        let back = line.units.total - line.units.unshipped;
        let stock = match (back, wish.restock.contains(&line.line_no)) {
            (0, _) => String::new(),
            (back, true) => format!(", {back} of them back into stock"),
            (back, false) => format!(", {back} of them do not come back into stock"),
        };
        format!(
            "{} for {} units of {}{stock}",
            of(line.amount),
            line.units.total,
            name(possible, line.line_no)
        )
    };
    let mut parts: Vec<String> = plan.lines.iter().map(line).collect();
    if plan.shipping != 0 {
        parts.push(format!("{} of shipping, or for no line", of(plan.shipping)));
    }
    Outcome::Planned { amount: of(plan.amount), parts }
}

fn name(possible: &Possible, line_no: i64) -> String {
    let line = possible.order.lines.iter().find(|line| line.line_no == line_no);
    line.map(|line| format!("{} {}", line.sku, line.name)).unwrap_or_default()
}

fn shown(
    web: &Web,
    session: &Session,
    possible: &Possible,
    wish: Wish,
    outcome: Option<Outcome>,
) -> Result<Response, ApiError> {
    let (row, room) = (&possible.order.row, &possible.room);
    let line = |line: &domain::refund::RefundableLine| Line {
        number: line.line_no,
        name: name(possible, line.line_no),
        most: line.units.refundable(),
        units: wish.units.iter().find(|(one, _)| *one == line.line_no).map_or(0, |(_, units)| *units),
        restock: wish.restock.contains(&line.line_no),
    };
    let of = |amount| priced(Money::new(amount, room.currency));
    let told = RefundPage {
        frame: Frame::new(&web.app, session, ORDERS),
        id: row.id,
        name: format!("{}/{}", row.source, row.external_id),
        currency: room.currency,
        left: of(room.left()),
        shipping_left: of((room.totals.shipping - room.shipping_refunded).max(0)),
        lines: room.lines.iter().map(line).collect(),
        wish,
        outcome,
    };
    page(StatusCode::OK, &told)
}
