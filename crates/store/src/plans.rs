//! How the engine under test runs the statements behind lists: each must be a range of one index, in its order, so that a
//! page costs the same however much the ledger holds.

use domain::order::OrderTotals;
use domain::{Currency, CustomerId, Money, OrderId, OrderState, ProductId};
use jiff::Timestamp;
use sql::{Database, Dialect, Migrations, Server, Settings, Tx, Value};
use testkit::Space;

use crate::named::{by_prefix, next_source};
use crate::orders::search::{OF_CUSTOMER, Sort, WITH_SKU, by_arrival, by_placed};
use crate::orders::{NewLine, NewOrder, insert};
use crate::{Error, customers, refunds, webhooks};

static SCHEMA: &[&Migrations] = &[&crate::MIGRATIONS];
/// Enough for an optimizer to prefer an index.
const ORDERS: i64 = 3_000;

fn order(id: i64, external_id: &str) -> NewOrder<'_> {
    let total = Money { amount: 1_000, currency: Currency::parse("EUR").unwrap() };
    NewOrder {
        id: OrderId::from_ledger(id),
        source: "shop",
        external_id,
        customer: CustomerId::from_ledger(id % 300 + 1),
        state: OrderState::placed(total, 1),
        totals: OrderTotals::new([1_000], 0, 0, 0, false).unwrap(),
        placed_at: Timestamp::from_second(id * 60).unwrap(),
        import: None,
        stock_untracked: false,
        notify: true,
        content_hash: None,
        details: None,
        lines: vec![NewLine {
            product: ProductId::from_ledger(1),
            sku: "S",
            name: "S",
            quantity: 1,
            unit_price: 1_000,
            discount: 0,
            tax: 0,
            total: 1_000,
            shipped: 0,
            refunded: 0,
        }],
    }
}

fn fill(tx: &mut Tx<'_>) -> Result<(), Error> {
    let names: Vec<String> = (0..ORDERS).map(|id| format!("A-{id}")).collect();
    let orders: Vec<NewOrder<'_>> = names.iter().zip(1..).map(|(name, id)| order(id, name)).collect();
    insert(tx, &orders, Timestamp::UNIX_EPOCH)?;
    let ids: Vec<domain::ExternalId> = (0..300).map(|id| format!("C-{id}").parse().unwrap()).collect();
    let emails: Vec<domain::Email> =
        (0..300).map(|id| format!("c{id}@example.org").parse().unwrap()).collect();
    let wanted: Vec<customers::CustomerRef<'_>> = ids
        .iter()
        .zip(&emails)
        .map(|(id, email)| customers::CustomerRef { external_id: Some(id), email: Some(email), name: None })
        .collect();
    customers::find_or_insert(tx, "shop", &wanted, Timestamp::UNIX_EPOCH)?;
    Ok(())
}

/// The indexes that a statement goes along, and whether it sorts by itself.
fn plan(tx: &mut Tx<'_>, text: &str, params: &[Value<'_>]) -> Result<(Vec<String>, bool), Error> {
    match tx.dialect() {
        Dialect::Sqlite => {
            let steps =
                tx.query(&format!("EXPLAIN QUERY PLAN {text}"), params, |row| row.get::<String>(3))?;
            let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE"));
            let of_index = |step: &String| {
                let words: Vec<&str> = step.split(' ').collect();
                let found = words.iter().position(|word| *word == "INDEX").and_then(|at| words.get(at + 1));
                match found {
                    Some(name) => (*name).to_owned(),
                    None if step.contains("PRIMARY KEY") => "PRIMARY".to_owned(),
                    None => step.clone(),
                }
            };
            Ok((steps.iter().filter(|step| !step.contains("B-TREE")).map(of_index).collect(), sorts))
        }
        Dialect::Mysql(server) => {
            // The one has a column more than the other.
            let (words, key, extra) = match server {
                Server::MariaDb => ("EXPLAIN", 5, 9),
                Server::Mysql => ("EXPLAIN FORMAT=TRADITIONAL", 6, 11),
            };
            let steps = tx.query(&format!("{words} {text}"), params, |row| {
                Ok((row.get::<Option<String>>(key)?, row.get::<Option<String>>(extra)?))
            })?;
            let sorts =
                steps.iter().any(|(_, extra)| extra.as_deref().is_some_and(|e| e.contains("filesort")));
            Ok((
                steps.into_iter().map(|(key, _)| key.unwrap_or_else(|| "everything".to_owned())).collect(),
                sorts,
            ))
        }
    }
}

#[tokio::test]
async fn every_list_goes_along_an_index_in_its_order() {
    let space = Space::new();
    let db =
        Database::open(&Settings { readers: 1, writers: 1, ..Settings::new(space.database_url()) }).unwrap();
    db.migrate(SCHEMA, Timestamp::UNIX_EPOCH).await.unwrap();
    db.write("fill", fill).await.unwrap();
    let at = |second: i64| Value::Int(second * 1_000_000);
    let few = Value::Int(50);
    let mut statements = Vec::new();
    for sort in [Sort::Newest, Sort::Oldest] {
        statements.push((by_arrival(sort, false), vec![Value::Int(1_500), few.clone()], vec!["PRIMARY"]));
        let params = vec![Value::Int(7), Value::Int(1_500), few.clone()];
        statements.push((by_arrival(sort, true), params, vec!["orders_customer"]));
    }
    for sort in [Sort::PlacedNewest, Sort::PlacedOldest] {
        let [tied, past] = by_placed(sort);
        statements.push((tied, vec![at(6_000), Value::Int(1_500), few.clone()], vec!["orders_placed"]));
        statements.push((past, vec![at(6_000), at(9_000), few.clone()], vec!["orders_placed"]));
    }
    let prefix = |text: &str| vec![text.to_owned().into(), format!("{text}\u{10ffff}").into(), few.clone()];
    let scoped = |text: &str| [vec!["shop".into()], prefix(text)].concat();
    let by_id = |table: &str| by_prefix(table, "external_id", true);
    statements.extend([
        (by_id("orders"), scoped("A-12"), vec!["orders_external"]),
        (by_id("customers"), scoped("C-12"), vec!["customers_external"]),
        (by_prefix("customers", "email", false), prefix("c12"), vec!["customers_email"]),
        (next_source("orders"), vec!["shop".into()], vec!["orders_external"]),
        (next_source("customers"), vec!["shop".into()], vec!["customers_external"]),
        (OF_CUSTOMER.to_owned(), vec![Value::Int(7), few.clone()], vec!["orders_customer"]),
        (WITH_SKU.replace("{in}", "?, ?"), vec!["S".into(), Value::Int(7), Value::Int(9)], vec!["PRIMARY"]),
        (refunds::newest(false), vec![Value::Int(1_500), few.clone()], vec!["PRIMARY"]),
        (products::beginning(), [vec!["A".into()], prefix("A")].concat(), vec!["products_sku"]),
        (
            stock::NEWEST.to_owned(),
            [[1, 1_500, 1_500, 3, 3, 2].map(Value::Int).to_vec(), vec![few.clone()]].concat(),
            vec!["PRIMARY"],
        ),
        (webhooks::NEWEST.to_owned(), vec![Value::Int(1_500), few.clone()], vec!["PRIMARY", "PRIMARY"]),
        (
            webhooks::OF_ORDER.to_owned(),
            vec![Value::Int(7), few.clone()],
            vec!["webhook_deliveries_order", "PRIMARY"],
        ),
    ]);
    for (text, params, indexes) in statements {
        let asked = text.clone();
        let (found, sorts) = db.read("plan", move |tx| plan(tx, &asked, &params)).await.unwrap();
        assert_eq!(found, indexes, "{text}");
        assert!(!sorts, "{text}");
    }
}
