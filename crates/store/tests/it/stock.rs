use domain::{CauseKind, MovementKind, ProductId, Sku};
use sql::Tx;
use store::Error;
use store::products::{NewProduct, get_by_sku, insert};
use store::stock::{Movement, insert_movements};

use crate::{AT, Ledger, is_duplicate, is_refused};

fn product(tx: &mut Tx<'_>) -> Result<ProductId, Error> {
    let sku: Sku = "S".parse().unwrap();
    let new = NewProduct { sku: &sku, name: "S", price: None, currency: None, tracked: true };
    Ok(insert(tx, &[new], AT)?[0])
}

fn moved(product: ProductId, cause_id: i64, kind: MovementKind, quantity: i64) -> Movement {
    Movement { cause: CauseKind::OrderLine, cause_id, line_no: 1, kind, product, quantity }
}

#[test]
fn a_movement_happens_once_per_cause_and_kind() {
    let ledger = Ledger::new();
    let id = ledger.write(product).unwrap();
    let receive =
        move |tx: &mut Tx<'_>| insert_movements(tx, &[moved(id, 1, MovementKind::Receive, 5)], AT, None);
    ledger.write(receive).unwrap();
    assert!(is_duplicate(&ledger.write(receive)));
    assert_eq!(ledger.write(|tx| get_by_sku(tx, "S")).unwrap().on_hand, 5);
}

#[test]
fn the_database_refuses_levels_that_cannot_be() {
    let ledger = Ledger::new();
    let id = ledger.write(product).unwrap();
    for (kind, quantity) in
        [(MovementKind::Reserve, 1), (MovementKind::Release, 1), (MovementKind::Adjust, -1)]
    {
        let refused = ledger.write(move |tx| insert_movements(tx, &[moved(id, 9, kind, quantity)], AT, None));
        assert!(is_refused(&refused), "{kind}: {refused:?}");
    }
    let levels = ledger.write(|tx| get_by_sku(tx, "S")).unwrap();
    assert_eq!((levels.on_hand, levels.reserved), (0, 0));
}
