use anyhow::{Context as _, Result};
use app::stock::{self as cases, Receipt};
use app::{Actor, App};
use clap::{Args, Subcommand};
use domain::{Currency, DecimalStyle, Label, Money, Sku, parse_decimal};
use serde::Serialize;
use serde_json::json;
use sql::Tx;
use store::products::Product;
use store::stock::Recorded;

use crate::output::{Listing, Out, cell, maybe, time};
use crate::session::{Exit, Session};

/// See products and their stock, receive goods, and put counts right
#[derive(Debug, Subcommand)]
pub enum Stock {
    /// List products by SKU
    List {
        /// Only those after this SKU: the next page
        #[arg(long, default_value = "")]
        after: String,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
    },
    /// Show a product with its last movements
    Show {
        /// Its SKU
        sku: String,
        /// So many movements at most
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
    },
    Receive(Receive),
    /// Put the count of a product right by so many units, such as -3
    Adjust {
        /// Its SKU
        #[arg(value_parser = Sku::parse)]
        sku: Sku,
        /// Units to add, or to take off
        #[arg(allow_hyphen_values = true)]
        change: i64,
        /// Why
        #[arg(long, default_value = "counted")]
        note: String,
    },
}

/// Receive goods; a product that is not there is made
#[derive(Debug, Args)]
pub struct Receive {
    /// The product's SKU
    #[arg(value_parser = Sku::parse)]
    sku: Sku,
    /// Units
    quantity: i64,
    /// Its name, where it is made [default: its SKU]
    #[arg(long, value_parser = Label::parse)]
    name: Option<Label>,
    /// Its price, where it is made
    #[arg(long, value_name = "AMOUNT")]
    price: Option<String>,
    /// The price's currency [default: the shop's]
    #[arg(long, value_parser = Currency::parse)]
    currency: Option<Currency>,
    /// Why
    #[arg(long)]
    note: Option<String>,
}

impl Stock {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let (app, out) = (session.open().await?, session.out);
        match self {
            Stock::List { after, limit } => list(&app, out, after, limit).await?,
            Stock::Show { sku, limit } => show(&app, out, sku, limit).await?,
            Stock::Receive(receive) => print(out, receive.run(&app).await?)?,
            Stock::Adjust { sku, change, note } => {
                print(out, vec![cases::adjust(&app, &Actor::CLI, sku, change, note).await?])?;
            }
        }
        Ok(Exit::Done)
    }
}

impl Receive {
    async fn run(self, app: &App) -> Result<Vec<Product>> {
        let currency = self.currency.unwrap_or(app.currency());
        let price = self
            .price
            .as_deref()
            .map(|text| parse_decimal(text, currency, DecimalStyle::Auto).map(|amount| (amount, currency)))
            .transpose()
            .context("the price is no amount")?;
        let receipt =
            Receipt { sku: self.sku, name: self.name, price, quantity: self.quantity, note: self.note };
        Ok(cases::receive(app, &Actor::CLI, vec![receipt]).await?)
    }
}

/// A product as it is shown.
#[derive(Debug, Serialize)]
struct ProductShown {
    id: domain::ProductId,
    sku: String,
    name: String,
    price: Option<Money>,
    tracked: bool,
    on_hand: i64,
    reserved: i64,
    available: i64,
}

impl From<Product> for ProductShown {
    fn from(product: Product) -> Self {
        ProductShown {
            available: product.available(),
            id: product.id,
            sku: product.sku,
            name: product.name,
            price: product.price.zip(product.currency).map(|(amount, currency)| Money::new(amount, currency)),
            tracked: product.tracked,
            on_hand: product.on_hand,
            reserved: product.reserved,
        }
    }
}

async fn list(app: &App, out: Out, after: String, limit: u32) -> Result<()> {
    let page =
        move |tx: &mut Tx<'_>| -> app::Result<_> { Ok(store::products::list_from(tx, &after, limit)?) };
    let products = app.read("list_products", page).await?;
    let next = products.last().filter(|_| products.len() == limit as usize).map(|last| last.sku.clone());
    if out.is_json() {
        let products: Vec<ProductShown> = products.into_iter().map(ProductShown::from).collect();
        return Ok(out.json(&json!({ "products": products, "next": next }))?);
    }
    print(out, products)?;
    if let Some(next) = next {
        out.line(out.dim(format_args!("more: --after {next:?}")))?;
    }
    Ok(())
}

async fn show(app: &App, out: Out, sku: String, limit: u32) -> Result<()> {
    let read = move |tx: &mut Tx<'_>| -> app::Result<_> {
        let product = store::products::get_by_sku(tx, &sku)?;
        let movements = store::stock::list_of_product(tx, product.id, limit)?;
        Ok((product, movements))
    };
    let (product, movements) = app.read("show_product", read).await?;
    if out.is_json() {
        let movements: Vec<_> = movements.iter().map(movement).collect();
        return Ok(out.json(&json!({ "product": ProductShown::from(product), "movements": movements }))?);
    }
    print(out, vec![product])?;
    out.heading("Last movements")?;
    let mut table = out.listing(&["at", "kind", "units", "cause", "note"]).right(&[2]);
    for Recorded { movement, at, note } in &movements {
        let cause = format!("{} {}", movement.cause.as_str().replace('_', " "), movement.cause_id);
        let kind = cell(movement.kind.as_str());
        table.row([time(*at), kind, cell(movement.quantity), cell(cause), maybe(note.as_ref())]);
    }
    Ok(out.table(&table, "there are none")?)
}

fn movement(recorded: &Recorded) -> serde_json::Value {
    let Recorded { movement, at, note } = recorded;
    json!({
        "at": at,
        "kind": movement.kind,
        "quantity": movement.quantity,
        "cause": movement.cause,
        "cause_id": movement.cause_id,
        "line_no": movement.line_no,
        "note": note,
    })
}

fn print(out: Out, products: Vec<Product>) -> Result<()> {
    let products: Vec<ProductShown> = products.into_iter().map(ProductShown::from).collect();
    if out.is_json() {
        return Ok(out.json(&json!({ "products": products }))?);
    }
    let mut listing: Listing =
        out.listing(&["SKU", "name", "price", "on hand", "reserved", "available"]).right(&[2, 3, 4, 5]);
    for product in &products {
        let available =
            if product.tracked { product.available.to_string() } else { "not counted".to_owned() };
        listing.row([
            cell(&product.sku),
            cell(&product.name),
            maybe(product.price),
            cell(product.on_hand),
            cell(product.reserved),
            cell(available),
        ]);
    }
    Ok(out.table(&listing, "there are no products")?)
}
