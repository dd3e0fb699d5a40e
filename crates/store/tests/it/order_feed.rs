use domain::{EventKind, OrderId};
use jiff::{SignedDuration, Timestamp};
use sql::Tx;
use store::Error;
use store::events::{NewEvent, insert};
use store::order_feed::{Told, continues, counter, list_after, number, prune};

use crate::{AT, Ledger};

const LATER: Timestamp = Timestamp::constant(1_000, 0);

/// Tells of an event of each of these orders, in one transaction.
fn tell(tx: &mut Tx<'_>, orders: std::ops::RangeInclusive<i64>, at: Timestamp) -> Result<(), Error> {
    let event = |order| NewEvent {
        order: OrderId::from_ledger(order),
        version: 1,
        kind: EventKind::OrderPlaced,
        before: None,
        after: 111,
        data: None,
    };
    insert(tx, &orders.map(event).collect::<Vec<_>>(), "test", at)
}

fn orders(rows: &[Told]) -> Vec<i64> {
    rows.iter().flat_map(|row| row.listed.iter().map(|news| news.order.get())).collect()
}

#[test]
fn what_is_committed_late_is_numbered_late_and_passed_over_by_nobody() {
    let ledger = Ledger::new();
    let read_to = ledger.write(|tx| {
        tell(tx, 1..=1, AT)?;
        tell(tx, 2..=2, AT)?;
        number(tx, LATER)?;
        Ok(counter(tx)?.numbered)
    });
    let read_to = read_to.unwrap();
    // A row whose id was taken before the others', by a transaction that was slower than theirs.
    let late = ledger.write(move |tx| {
        tell(tx, 3..=3, AT)?;
        tx.execute("UPDATE order_feed SET id = -1 WHERE number IS NULL", &[])?;
        number(tx, AT)?;
        list_after(tx, read_to, 10)
    });
    let late = late.unwrap();
    assert_eq!((orders(&late), late[0].number), (vec![3], read_to + 1));
}

#[test]
fn a_transaction_of_many_events_is_told_in_part() {
    let told = Ledger::new().write(|tx| {
        tell(tx, 1..=250, AT)?;
        number(tx, AT)?;
        list_after(tx, 0, 10)
    });
    let told = told.unwrap();
    assert_eq!((told.len(), told[0].listed.len(), told[0].more), (1, 100, 150));
}

#[test]
fn whoever_has_read_to_what_is_still_kept_can_go_on_and_nobody_else() {
    let ledger = Ledger::new();
    let numbers = ledger.write(|tx| {
        for order in 1..=3 {
            tell(tx, order..=order, if order == 3 { LATER } else { AT })?;
        }
        number(tx, LATER)?;
        Ok(list_after(tx, 0, 10)?.iter().map(|row| row.number).collect::<Vec<_>>())
    });
    let numbers = numbers.unwrap();
    let go_on = |numbers: Vec<i64>| {
        ledger.write(move |tx| {
            numbers.iter().map(|number| continues(tx, *number)).collect::<Result<Vec<_>, _>>()
        })
    };
    assert_eq!(go_on(numbers.clone()).unwrap(), [true; 3]);
    assert!(!ledger.write(|tx| prune(tx, LATER, LATER)).unwrap());
    // The second is the last that is gone: all after it is there.
    assert_eq!(go_on(numbers.clone()).unwrap(), [false, true, true]);
    assert_eq!(orders(&ledger.write(|tx| list_after(tx, 0, 10)).unwrap()), [3]);
    let strangers = vec![-1, numbers[2] + 1, numbers[0] - 1, i64::MAX];
    assert_eq!(go_on(strangers).unwrap(), [false; 4]);
}

#[test]
fn what_was_never_read_and_is_forgotten_is_missed_by_whoever_read_before() {
    let ledger = Ledger::new();
    let read_to = ledger.write(|tx| {
        tell(tx, 1..=1, LATER)?;
        number(tx, LATER)?;
        tell(tx, 2..=2, AT)?;
        Ok(counter(tx)?.numbered)
    });
    let read_to = read_to.unwrap();
    assert!(ledger.write(move |tx| continues(tx, read_to)).unwrap());
    let now = LATER + SignedDuration::from_secs(1);
    assert!(!ledger.write(move |tx| prune(tx, LATER, now)).unwrap());
    assert!(!ledger.write(move |tx| continues(tx, read_to)).unwrap());
    let again = ledger.write(|tx| {
        let from = counter(tx)?.numbered;
        tell(tx, 3..=3, LATER)?;
        number(tx, AT)?;
        list_after(tx, from, 10)
    });
    assert_eq!(orders(&again.unwrap()), [3]);
}
