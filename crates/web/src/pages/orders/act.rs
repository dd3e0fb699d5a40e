//! Moving an order on: what would come of it is shown, then it is done.

use app::access::sessions::Session;
use app::orders::{self as cases, Deed, Possible, Preview, Shipping};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::{ActionKind, IdempotencyKey, Label, OrderId};

use crate::ApiError;
use crate::access::{SignedForm, SignedIn};
use crate::address::Path;
use crate::pages::frame::Frame;
use crate::pages::once::{fresh_key, keyed};
use crate::pages::parts::Badge;
use crate::pages::words::priced;
use crate::pages::{ORDERS, page};
use crate::server::Web;

/// What can be done to an order by its page.
#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::pages) enum Move {
    Ship,
    Deliver,
    Cancel,
}

#[derive(Template)]
#[template(path = "orders/act.html")]
struct ActPage<'p> {
    frame: Frame<'p>,
    id: OrderId,
    name: String,
    deed: Move,
    outcome: Outcome,
    lines: Vec<Line>,
    carrier: String,
    tracking: String,
    reason: String,
    version: i64,
    key: String,
}

/// What would come of it.
enum Outcome {
    Refused(String),
    Told(Effects),
}

/// What would be different.
struct Effects {
    status: [Badge; 3],
    stock: Vec<String>,
    refunds: Vec<String>,
    told: Vec<String>,
}

/// Units of a line that can leave.
struct Line {
    number: i64,
    name: String,
    most: i64,
    units: i64,
}

/// All of it, without a word more.
pub(super) fn whole(deed: Move) -> Deed {
    match deed {
        Move::Ship => Deed::Ship(Shipping::default()),
        Move::Deliver => Deed::Deliver,
        Move::Cancel => Deed::Cancel { reason: None },
    }
}

impl Move {
    pub(super) fn parse(text: &str) -> Option<Self> {
        [Move::Ship, Move::Deliver, Move::Cancel].into_iter().find(|deed| deed.as_str() == text)
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Move::Ship => "ship",
            Move::Deliver => "deliver",
            Move::Cancel => "cancel",
        }
    }

    pub(super) const fn question(self) -> &'static str {
        match self {
            Move::Ship => "Ship",
            Move::Deliver => "Mark as delivered",
            Move::Cancel => "Cancel",
        }
    }

    const fn kind(self) -> ActionKind {
        match self {
            Move::Ship => ActionKind::Ship,
            Move::Deliver => ActionKind::Deliver,
            Move::Cancel => ActionKind::Cancel,
        }
    }
}

/// What a form says.
#[derive(Default)]
struct Filled {
    units: Vec<(i64, i64)>,
    carrier: String,
    tracking: String,
    reason: String,
    version: i64,
    key: String,
    is_look: bool,
}

impl Filled {
    fn read(fields: Vec<(String, String)>) -> Result<Self, ApiError> {
        let mut filled = Filled::default();
        for (name, value) in fields {
            match name.as_str() {
                "carrier" => filled.carrier = value,
                "tracking" => filled.tracking = value,
                "reason" => filled.reason = value,
                "key" => filled.key = value,
                "version" => filled.version = number(&name, &value)?,
                "look" => filled.is_look = true,
                _ => match name.strip_prefix("units_").and_then(|line| line.parse().ok()) {
                    Some(_) if value.trim().is_empty() => {}
                    Some(line) => filled.units.push((line, number(&name, &value)?)),
                    None => return Err(ApiError::wrong(format!("/{name}"), "the form has no such field")),
                },
            }
        }
        filled.units.retain(|(_, units)| *units != 0);
        Ok(filled)
    }

    fn deed(&self, deed: Move) -> Result<Deed, ApiError> {
        Ok(match deed {
            Move::Deliver => Deed::Deliver,
            Move::Cancel => Deed::Cancel { reason: label("reason", &self.reason)? },
            Move::Ship => Deed::Ship(Shipping {
                lines: self.units.clone(),
                carrier: label("carrier", &self.carrier)?,
                tracking: label("tracking", &self.tracking)?,
            }),
        })
    }
}

/// A text of a form; none where it was left empty.
pub(super) fn label(field: &str, text: &str) -> Result<Option<String>, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let label = Label::parse(text).map(|label| Some(label.into()));
    label.map_err(|error| ApiError::wrong(format!("/{field}"), error))
}

/// A whole number of a form.
pub(super) fn number(field: &str, text: &str) -> Result<i64, ApiError> {
    let number = text.trim().parse();
    number.map_err(|_| ApiError::wrong(format!("/{field}"), format!("`{text}` is no whole number")))
}

/// `GET /orders/{id}/ship`, `…/deliver`, `…/cancel`: what would come of it.
pub(in crate::pages) async fn ask(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path((id, deed)): Path<(OrderId, Move)>,
) -> Result<Response, ApiError> {
    let possible = cases::possible(&web.app, id).await?;
    let units = shippable(&possible).collect();
    let filled = Filled { units, version: possible.order.row.version, key: fresh_key(), ..Filled::default() };
    shown(&web, &session, &possible, deed, filled).await
}

/// `POST` of the same: does it, or shows what would come of what was filled in.
pub(in crate::pages) async fn act(
    State(web): State<Web>,
    Path((id, deed)): Path<(OrderId, Move)>,
    SignedForm { session, fields }: SignedForm<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let filled = Filled::read(fields)?;
    let nothing_leaves = deed == Move::Ship && filled.units.is_empty();
    if filled.is_look || nothing_leaves {
        let possible = cases::possible(&web.app, id).await?;
        return shown(&web, &session, &possible, deed, filled).await;
    }
    let key = IdempotencyKey::parse(&filled.key).map_err(|error| ApiError::BadKey(error.to_string()))?;
    let told = filled.deed(deed)?;
    let keyed = keyed(&session, key, &format!("{ORDERS}/{id}/{}", deed.as_str()), &[&format!("{told:?}")]);
    cases::move_once(&web.app, &session.caller.actor, id, told, Some(filled.version), Some(keyed)).await?;
    Ok(Redirect::to(&format!("{ORDERS}/{id}")).into_response())
}

async fn shown(
    web: &Web,
    session: &Session,
    possible: &Possible,
    deed: Move,
    filled: Filled,
) -> Result<Response, ApiError> {
    let row = &possible.order.row;
    let outcome = if deed == Move::Ship && filled.units.is_empty() && possible.actions.contains(&deed.kind())
    {
        Outcome::Refused("Nothing would leave: no line has units to ship.".to_owned())
    } else {
        match cases::preview(&web.app, &session.caller.actor, row.id, filled.deed(deed)?, None).await {
            Ok(preview) => Outcome::Told(Effects::of(preview)),
            Err(error) => Outcome::Refused(ApiError::from(error).mendable()?),
        }
    };
    let line = |(line_no, most): (i64, i64)| Line {
        number: line_no,
        most,
        name: possible
            .order
            .lines
            .iter()
            .find(|line| line.line_no == line_no)
            .map(|line| format!("{} {}", line.sku, line.name))
            .unwrap_or_default(),
        units: filled.units.iter().find(|(line, _)| *line == line_no).map_or(0, |(_, units)| *units),
    };
    let told = ActPage {
        frame: Frame::new(&web.app, session, ORDERS),
        id: row.id,
        name: format!("{}/{}", row.source, row.external_id),
        deed,
        outcome,
        lines: if deed == Move::Ship { shippable(possible).map(line).collect() } else { Vec::new() },
        version: row.version,
        carrier: filled.carrier,
        tracking: filled.tracking,
        reason: filled.reason,
        key: filled.key,
    };
    page(StatusCode::OK, &told)
}

/// The lines that something is left to ship of, and how much.
fn shippable(possible: &Possible) -> impl Iterator<Item = (i64, i64)> {
    let lines = possible.room.lines.iter().map(|line| (line.line_no, line.units.shippable()));
    lines.filter(|(_, units)| *units > 0)
}

impl Effects {
    fn of(preview: Preview) -> Self {
        let order = &preview.order;
        let counted = |count: i64, what: &str| (count != 0).then(|| format!("{count:+} {what}"));
        let stock = |change: &cases::StockChange| {
            let parts = [counted(change.on_hand, "on hand"), counted(change.reserved, "reserved")];
            format!("{}: {}", change.sku, parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
        };
        Effects {
            status: [order.status, order.payment, order.fulfilment].map(Badge::new),
            stock: preview.stock.iter().map(stock).collect(),
            refunds: preview.refunds.iter().map(|refund| priced(refund.amount)).collect(),
            told: preview
                .notifications
                .iter()
                .map(|one| format!("{} is told: {}", one.recipient, one.kind.as_str().replace('_', " ")))
                .collect(),
        }
    }
}
