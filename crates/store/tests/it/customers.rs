use domain::{CustomerId, Email, ExternalId};
use sql::Tx;
use store::Error;
use store::customers::{CustomerRef, find, find_or_insert, get};

use crate::{AT, Ledger, with_ledger};

fn resolve(
    tx: &mut Tx<'_>,
    source: &str,
    id: Option<&str>,
    email: Option<&str>,
) -> Result<CustomerId, Error> {
    let external_id: Option<ExternalId> = id.map(|id| id.parse().unwrap());
    let email: Option<Email> = email.map(|email| email.parse().unwrap());
    let wanted = CustomerRef { external_id: external_id.as_ref(), email: email.as_ref(), name: None };
    Ok(find_or_insert(tx, source, &[wanted], AT)?[0])
}

#[test]
fn the_id_in_the_source_decides_then_the_email() {
    with_ledger(|tx| {
        let ada = resolve(tx, "shop", Some("1"), Some("ada@example.com"))?;
        assert_eq!(resolve(tx, "shop", Some("1"), Some("new@example.com"))?, ada);
        assert_eq!(resolve(tx, "shop", Some("2"), Some("ADA@example.com "))?, ada);
        assert_eq!(resolve(tx, "other", None, Some("ada@example.com"))?, ada);
        let namesake = resolve(tx, "other", Some("1"), None)?;
        assert_ne!(namesake, ada);
        assert_eq!(get(tx, ada)?.email.as_deref(), Some("ada@example.com"));
        Ok(())
    })
    .unwrap();
}

#[test]
fn one_set_names_a_customer_twice_and_makes_one() {
    let ids = with_ledger(|tx| {
        let (id, email): (ExternalId, Email) = ("7".parse().unwrap(), "seven@example.com".parse().unwrap());
        let by = |external_id, email| CustomerRef { external_id, email, name: None };
        let wanted = [by(Some(&id), Some(&email)), by(Some(&id), None), by(None, Some(&email))];
        find_or_insert(tx, "shop", &wanted, AT)
    })
    .unwrap();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn whoever_inserts_second_finds_what_the_first_has_inserted() {
    with_ledger(|tx| {
        let keys: Vec<ExternalId> = (0..5).map(|n| n.to_string().parse().unwrap()).collect();
        let by = |id| CustomerRef { external_id: Some(id), email: None, name: None };
        let [few, all] = [&keys[..3], &keys[..]].map(|ids| ids.iter().map(by).collect::<Vec<_>>());
        let (second, first) = (find(tx, "shop", &all)?, find(tx, "shop", &few)?);
        assert!(first.insert(tx, AT)?);
        assert!(!second.insert(tx, AT)?, "three of them are there already");
        let again = find(tx, "shop", &all)?;
        assert_eq!(again.ids[..3], first.ids);
        assert_eq!(again.ids[3..], second.ids[3..], "the other two were inserted all the same");
        assert!(again.insert(tx, AT)?);
        Ok(())
    })
    .unwrap();
}

/// Sets of customers of whom two neighbours share half, and one whom nothing tells from others.
#[test]
fn whoever_inserts_the_same_customers_at_once_finds_one_of_each() {
    const SETS: usize = 12;
    const SHARED: usize = 200;
    let ledger = Ledger::new();
    let make = |set: usize| {
        let numbers: Vec<usize> = (set * SHARED..(set + 2) * SHARED).collect();
        let numbers = if set.is_multiple_of(2) { numbers } else { numbers.into_iter().rev().collect() };
        let made = ledger.write(move |tx| {
            let keys: Vec<(ExternalId, Email)> = numbers
                .iter()
                .map(|n| (n.to_string().parse().unwrap(), format!("c{n}@example.com").parse().unwrap()))
                .collect();
            let mut wanted: Vec<CustomerRef<'_>> = keys
                .iter()
                .map(|(id, email)| CustomerRef { external_id: Some(id), email: Some(email), name: None })
                .collect();
            wanted.push(CustomerRef { external_id: None, email: None, name: Some("nobody") });
            find_or_insert(tx, "shop", &wanted, AT)
        });
        made.unwrap()
    };
    let found: Vec<Vec<CustomerId>> = std::thread::scope(|scope| {
        let sets: Vec<_> = (0..SETS).map(|set| scope.spawn(move || make(set))).collect();
        sets.into_iter().map(|set| set.join().unwrap()).collect()
    });
    let count = "SELECT COUNT(*), COUNT(external_id) FROM customers";
    let counts = ledger
        .write(move |tx| Ok(tx.query_one(count, &[], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?));
    let named = ((SETS + 1) * SHARED) as i64;
    assert_eq!(counts.unwrap(), (named + SETS as i64, named));
    let by_number = |set: usize| {
        let mut ids = found[set][..2 * SHARED].to_vec();
        if !set.is_multiple_of(2) {
            ids.reverse();
        }
        ids
    };
    for set in 1..SETS {
        assert_eq!(by_number(set - 1)[SHARED..], by_number(set)[..SHARED], "{} and {set}", set - 1);
    }
}
