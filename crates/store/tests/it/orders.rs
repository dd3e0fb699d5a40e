use domain::order::OrderTotals;
use domain::{Action, CustomerId, Money, OrderId, OrderState, OrderStatus, ProductId};
use sql::Tx;
use store::Error;
use store::events::{NewEvent, state_code};
use store::orders::{
    Change, NewLine, NewOrder, UnitChange, change_units, insert, list_totals, lock_heads, resolve, save,
};

use crate::{AT, Ledger, is_duplicate, is_refused};

fn order(id: i64, external_id: &str) -> NewOrder<'_> {
    let total = Money { amount: 2_000, currency: domain::Currency::parse("EUR").unwrap() };
    NewOrder {
        id: OrderId::from_ledger(id),
        source: "shop",
        external_id,
        customer: CustomerId::from_ledger(1),
        state: OrderState::placed(total, 2),
        totals: OrderTotals::new([2_000], 0, 0, 0, false).unwrap(),
        placed_at: AT,
        import: None,
        stock_untracked: false,
        notify: true,
        content_hash: None,
        details: None,
        lines: vec![NewLine {
            product: ProductId::from_ledger(1),
            sku: "S",
            name: "S",
            quantity: 2,
            unit_price: 1_000,
            discount: 0,
            tax: 0,
            total: 2_000,
            shipped: 0,
            refunded: 0,
        }],
    }
}

fn placed(ledger: &Ledger) -> OrderId {
    ledger.write(|tx| insert(tx, &[order(1, "A-1")], AT)).unwrap();
    OrderId::from_ledger(1)
}

#[test]
fn an_order_of_a_source_is_there_once() {
    let ledger = Ledger::new();
    placed(&ledger);
    assert!(is_duplicate(&ledger.write(|tx| insert(tx, &[order(2, "A-1")], AT))));
    assert_eq!(ledger.write(|tx| resolve(tx, "shop/A-1")).unwrap(), OrderId::from_ledger(1));
    assert_eq!(ledger.write(|tx| resolve(tx, "1")).unwrap(), OrderId::from_ledger(1));
    for nobody in ["2", "shop/A-2", "A-1", ""] {
        let missing = ledger.write(move |tx| resolve(tx, nobody));
        assert!(matches!(missing, Err(Error::Missing { .. })), "{nobody}: {missing:?}");
    }
}

#[test]
fn a_change_of_a_version_that_has_passed_is_a_conflict() {
    let ledger = Ledger::new();
    let id = placed(&ledger);
    let reserve = move |tx: &mut Tx<'_>| {
        let head = lock_heads(tx, &[id])?[0];
        let transition = head.state.apply(Action::Reserve, AT).unwrap();
        let change = Change { head, state: transition.state, event: transition.event, data: None };
        save(tx, std::slice::from_ref(&change), "test", AT)?;
        save(tx, &[change], "test", AT)
    };
    let twice = ledger.write(reserve);
    assert!(matches!(twice, Err(Error::Conflict { .. })), "{twice:?}");
    assert_eq!(ledger.write(move |tx| lock_heads(tx, &[id])).unwrap()[0].version, 1);
}

#[test]
fn totals_are_those_of_orders_in_the_status_alone() {
    let ledger = Ledger::new();
    let reserved = placed(&ledger);
    let placed = ledger.write(|tx| {
        insert(tx, &[order(2, "A-2")], AT)?;
        let head = lock_heads(tx, &[OrderId::from_ledger(1)])?[0];
        let transition = head.state.apply(Action::Reserve, AT).unwrap();
        let change = Change { head, state: transition.state, event: transition.event, data: None };
        save(tx, &[change], "test", AT).map(|()| OrderId::from_ledger(2))
    });
    let ids = [placed.unwrap(), reserved, OrderId::from_ledger(3), reserved];
    let totals = ledger.write(move |tx| list_totals(tx, &ids, OrderStatus::Reserved)).unwrap();
    assert_eq!(totals, [(reserved, Money { amount: 2_000, currency: domain::Currency::EUR })]);
}

#[test]
fn a_version_has_one_event() {
    let ledger = Ledger::new();
    let id = placed(&ledger);
    let twice = ledger.write(move |tx| {
        let state = lock_heads(tx, &[id])?[0].state;
        let kind = domain::EventKind::OrderPlaced;
        let (before, after) = (None, state_code(&state));
        let event = NewEvent { order: id, version: 1, kind, before, after, data: None };
        store::events::insert(tx, &[event.clone(), event], "test", AT)
    });
    assert!(is_duplicate(&twice), "{twice:?}");
}

#[test]
fn a_line_refunds_and_ships_no_more_than_was_ordered() {
    let ledger = Ledger::new();
    let id = placed(&ledger);
    for change in [
        UnitChange { refunded: 1, refund_pending: 2, ..UnitChange::none(id, 1) },
        UnitChange { shipped: 3, ..UnitChange::none(id, 1) },
    ] {
        let refused = ledger.write(move |tx| change_units(tx, &[change]));
        assert!(is_refused(&refused), "{refused:?}");
    }
}
