use domain::{CustomerId, Email, ExternalId};
use sql::Tx;
use store::Error;
use store::customers::{CustomerRef, find_or_insert, get};

use crate::{AT, with_ledger};

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
