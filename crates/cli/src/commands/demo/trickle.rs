//! Orders that go on coming while somebody looks around.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::{Context as _, Result};
use app::orders::{NewCustomer, NewOrder, NewOrderLine, place};
use app::{Actor, App};
use domain::{Email, ExternalId, Quantity, SourceName};
use store::products::Product;

/// How often one comes.
const EVERY: Duration = Duration::from_secs(2);
/// The source that they come from.
const SOURCE: &str = "live";
/// Products that they are of, and customers who place them.
const PRODUCTS: u32 = 24;
const CUSTOMERS: usize = 17;

/// Places an order every two seconds, for as long as it is let.
pub async fn trickle(app: &App) -> Result<Infallible> {
    let products = app.read("list_products", |tx| store::products::list_from(tx, "", PRODUCTS)).await;
    let mut products = products.map_err(app::Error::from)?;
    products.retain(|product| !product.tracked || product.available() > 0);
    for number in 1.. {
        tokio::time::sleep(EVERY).await;
        let product = products.get(number * 7 % products.len().max(1)).context("the demo has no product")?;
        place(app, &Actor::SYSTEM, order(app, number, product)?).await?;
    }
    anyhow::bail!("numbers have come to their end")
}

/// One to three units, for one of a few customers.
fn order(app: &App, number: usize, product: &Product) -> Result<NewOrder> {
    let customer = format!("visitor-{}@example.org", number % CUSTOMERS);
    Ok(NewOrder {
        source: SOURCE.parse::<SourceName>()?,
        external_id: format!("LIVE-{number}").parse::<ExternalId>()?,
        customer: NewCustomer { email: Some(customer.parse::<Email>()?), ..NewCustomer::default() },
        currency: product.currency.unwrap_or_else(|| app.currency()),
        placed_at: None,
        lines: vec![NewOrderLine {
            sku: product.sku.parse()?,
            quantity: Quantity::new(1 + (number % 3) as i64)?,
            unit_price: product.price.is_none().then_some(1_250),
        }],
        shipping: 0,
        discount: 0,
        notify: true,
    })
}
