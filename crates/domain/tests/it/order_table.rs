//! The state machine as a table, in `docs/states.md`, which cannot go stale.

use std::fmt::Write;
use std::path::Path;

use domain::{Action, Effects, NotificationKind, OrderState, RefundedUnits, Transition};

use crate::world::{AT, euro};

const TOTAL: i64 = 1000;
const UNITS: i64 = 4;
const SOME: RefundedUnits = RefundedUnits { total: 1, unshipped: 1, returned: 0 };
const SHIPPED: RefundedUnits = RefundedUnits { total: UNITS, unshipped: 0, returned: 0 };
const CAME_BACK: RefundedUnits = RefundedUnits { returned: UNITS, ..SHIPPED };

const CAPTURE: Action = Action::Capture { money: euro(TOTAL) };
const ACCEPT: Action = Action::AcceptCharge { deadline: AT };
const LAST_DECLINE: Action = Action::Decline { attempts_left: false };
const ALL_MONEY: Action = Action::RequestRefund { amount: TOTAL, units: RefundedUnits::NONE };
const ALL_MONEY_BACK: Action =
    Action::RefundSucceeded { amount: TOTAL, units: RefundedUnits::NONE, surplus: false };

/// Every situation the table tells of, and how an order gets there.
fn situations() -> Vec<(&'static str, Vec<Action>)> {
    use Action::{Cancel, Deliver, Expire, FailReservation, Reserve, Ship};
    let part = Action::RequestRefund { amount: 250, units: SOME };
    let part_back = Action::RefundSucceeded { amount: 250, units: SOME, surplus: false };
    let goods = Action::RequestRefund { amount: TOTAL, units: SHIPPED };
    let goods_back = Action::RefundSucceeded { amount: TOTAL, units: CAME_BACK, surplus: false };
    let late_back = Action::RefundSucceeded { amount: TOTAL, units: RefundedUnits::NONE, surplus: true };
    let paid = [Reserve, ACCEPT, CAPTURE];
    let all = Ship { units: UNITS };
    let after_paid = |more: &[Action]| paid.iter().chain(more).copied().collect();
    vec![
        ("placed", vec![]),
        ("reserved", vec![Reserve]),
        ("reserved, charge accepted", vec![Reserve, ACCEPT]),
        ("confirmed", paid.to_vec()),
        ("confirmed, part in refund", after_paid(&[part])),
        ("confirmed, part refunded", after_paid(&[part, part_back])),
        ("confirmed, all refunded", after_paid(&[ALL_MONEY, ALL_MONEY_BACK])),
        ("confirmed, paid twice", after_paid(&[CAPTURE])),
        ("partly shipped", after_paid(&[Ship { units: 1 }])),
        ("shipped", after_paid(&[all])),
        ("delivered", after_paid(&[all, Deliver])),
        ("delivered, all in refund", after_paid(&[all, Deliver, goods])),
        ("returned", after_paid(&[all, Deliver, goods, goods_back])),
        ("out of stock", vec![FailReservation]),
        ("declined", vec![Reserve, ACCEPT, LAST_DECLINE]),
        ("expired", vec![Reserve, ACCEPT, Expire]),
        ("expired, paid late", vec![Reserve, ACCEPT, Expire, CAPTURE]),
        ("expired, late payment returned", vec![Reserve, ACCEPT, Expire, CAPTURE, late_back]),
        ("cancelled unpaid", vec![Reserve, ACCEPT, Cancel]),
        ("cancelled paid", after_paid(&[Cancel])),
        ("cancelled and refunded", after_paid(&[Cancel, ALL_MONEY_BACK])),
    ]
}

/// Every action, and every way of it that the state machine tells apart.
fn actions(state: &OrderState) -> Vec<(&'static str, Action)> {
    let pending = state.refund_pending.max(1);
    let units = RefundedUnits {
        total: state.units_refund_pending,
        unshipped: state.units_release_pending,
        returned: state.units_refund_pending - state.units_release_pending,
    };
    let part = RefundedUnits::NONE;
    vec![
        ("reserve", Action::Reserve),
        ("fail reservation", Action::FailReservation),
        ("accept charge", ACCEPT),
        ("capture", CAPTURE),
        ("capture of another amount", Action::Capture { money: euro(TOTAL + 1) }),
        ("decline, attempts left", Action::Decline { attempts_left: true }),
        ("decline, none left", LAST_DECLINE),
        ("expire", Action::Expire),
        ("cancel", Action::Cancel),
        ("ship one unit", Action::Ship { units: 1 }),
        ("ship every unit left", Action::Ship { units: state.units_to_ship() }),
        ("deliver", Action::Deliver),
        ("request refund, part", Action::RequestRefund { amount: 1, units: part }),
        ("request refund, all", Action::RequestRefund { amount: state.refundable().max(1), units: part }),
        ("refund succeeded", Action::RefundSucceeded { amount: pending, units, surplus: is_surplus(state) }),
        ("refund failed", Action::RefundFailed { amount: pending, units }),
    ]
}

fn is_surplus(state: &OrderState) -> bool {
    state.captured > state.needed_money()
}

fn arrive(path: &[Action]) -> OrderState {
    path.iter().fold(OrderState::placed(euro(TOTAL), UNITS), |state, action| {
        state.apply(*action, AT).unwrap_or_else(|refused| panic!("{action:?}: {refused}")).state
    })
}

fn statuses(state: &OrderState) -> String {
    let reason = state.fail_reason.map_or(String::new(), |reason| format!(" ({reason})"));
    format!("{}{reason}, {}, {}", state.status, state.payment, state.fulfilment)
}

fn told(effects: &Effects) -> Vec<String> {
    let marks = [
        (effects.reserve_stock, "reserve stock"),
        (effects.release_stock, "release stock"),
        (effects.ship_stock, "ship stock"),
        (effects.restock, "move refunded stock"),
        (effects.take_payment, "job: take payment"),
        (effects.watch_deadline.is_some(), "job: watch deadline"),
        (effects.void_charge, "void open charge"),
        (effects.count_confirmed, "KPI: confirmed"),
        (effects.count_failed, "KPI: failed"),
        (effects.count_cancelled, "KPI: cancelled"),
        (effects.alert, "alert"),
    ];
    let mut told: Vec<String> =
        marks.iter().filter(|(on, _)| *on).map(|(_, word)| (*word).to_owned()).collect();
    told.extend(effects.request_refund.map(|amount| format!("job: refund {}", euro(amount))));
    told.extend((effects.count_refund > 0).then(|| format!("KPI: refunded {}", euro(effects.count_refund))));
    told.extend(effects.notify.map(NotificationKind::as_str).map(|kind| format!("notify: {kind}")));
    told
}

/// What changes besides the statuses.
fn moved(from: &OrderState, to: &OrderState) -> Vec<String> {
    let money = [
        ("captured", to.captured - from.captured),
        ("in refund", to.refund_pending - from.refund_pending),
        ("refunded", to.refunded - from.refunded),
    ];
    let units = [
        ("units shipped", to.units_shipped - from.units_shipped),
        ("units in refund", to.units_refund_pending - from.units_refund_pending),
        ("units refunded", to.units_refunded - from.units_refunded),
    ];
    let sign = |change: i64| if change < 0 { "−" } else { "+" };
    let money = money.iter().filter(|(_, change)| *change != 0);
    let money = money.map(|(what, change)| format!("{what} {}{}", sign(*change), euro(change.abs())));
    let units = units.iter().filter(|(_, change)| *change != 0);
    money.chain(units.map(|(what, change)| format!("{what} {}{}", sign(*change), change.abs()))).collect()
}

fn row(from: &OrderState, action: &str, transition: &Transition) -> String {
    let to = &transition.state;
    let becomes = if statuses(from) == statuses(to) { "unchanged".to_owned() } else { statuses(to) };
    let mut also = moved(from, to);
    also.extend(told(&transition.effects));
    format!("| {action} | {becomes} | `{}` | {} |\n", transition.event, also.join("; "))
}

fn section(title: &str, state: &OrderState) -> String {
    let money = format!(
        "captured {}, refunded {}, in refund {}",
        euro(state.captured),
        euro(state.refunded),
        euro(state.refund_pending)
    );
    let mut text =
        format!("\n## {title}\n\n{}; {money}; units shipped {}.\n\n", statuses(state), state.units_shipped);
    text.push_str("| action | becomes | event | in the same transaction |\n| --- | --- | --- | --- |\n");
    let mut refused = Vec::new();
    for (name, action) in actions(state) {
        match state.apply(action, AT) {
            Ok(transition) => text.push_str(&row(state, name, &transition)),
            Err(_) => refused.push(name),
        }
    }
    writeln!(text, "\nRefused: {}.", refused.join("; ")).unwrap();
    text
}

fn document() -> String {
    let mut text = String::from(
        "# The state machine, state by state\n\n\
         Written by a test of `crates/domain` that runs every action in every situation an order can be in; the \
         order is one of 10.00 EUR and 4 units. After a change of the state machine: `UPDATE_DOCS=1 cargo test -p \
         ordermill-domain`, then read the difference.\n\n\
         Each state is told as order, payment, fulfilment. “Refused” changes nothing and names what is allowed.\n",
    );
    for (title, path) in situations() {
        let mut title = title.to_owned();
        title[..1].make_ascii_uppercase();
        text.push_str(&section(&title, &arrive(&path)));
    }
    text
}

#[test]
fn the_documented_table_is_what_the_state_machine_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/states.md");
    let document = document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &document).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let differing = written.lines().zip(document.lines()).find(|(written, now)| written != now);
    assert!(
        written == document,
        "docs/states.md is not what the state machine does; run with UPDATE_DOCS=1 and read the difference, \
         which begins with {differing:?}"
    );
}
