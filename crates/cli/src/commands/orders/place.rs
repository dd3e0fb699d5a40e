use anyhow::{Context as _, Result};
use app::orders::{NewCustomer, NewOrder, NewOrderLine, place};
use app::{Actor, App};
use clap::Args;
use domain::{Currency, DecimalStyle, Email, ExternalId, Quantity, Sku, SourceName, parse_decimal};
use serde_json::json;

use super::print;
use crate::output::Out;
use crate::session::Exit;
use crate::words;

/// Place an order; one that is there already under the same source and id is left as it is
#[derive(Debug, Args)]
pub struct Place {
    /// Where it comes from
    #[arg(long, default_value = "cli", value_parser = SourceName::parse)]
    source: SourceName,
    /// Its id there [default: a fresh one]
    #[arg(long, value_parser = ExternalId::parse)]
    id: Option<ExternalId>,
    /// The customer's e-mail
    #[arg(long, value_parser = Email::parse, required_unless_present = "customer")]
    email: Option<Email>,
    /// The customer's id in the source
    #[arg(long, value_name = "ID", value_parser = ExternalId::parse)]
    customer: Option<ExternalId>,
    /// The customer's name
    #[arg(long)]
    name: Option<String>,
    /// The currency of every amount [default: the shop's]
    #[arg(long, value_parser = Currency::parse)]
    currency: Option<Currency>,
    /// What is bought, such as TEA-1:2 or TEA-1:2:19.99; may be given again. Without a price: the catalogue's
    #[arg(long, required = true, value_name = "SKU:UNITS[:PRICE]")]
    line: Vec<String>,
    /// What is paid for shipping
    #[arg(long, value_name = "AMOUNT")]
    shipping: Option<String>,
    /// What is taken off
    #[arg(long, value_name = "AMOUNT")]
    discount: Option<String>,
    /// Tell the customer nothing
    #[arg(long)]
    no_notify: bool,
}

impl Place {
    pub async fn run(self, app: &App, out: Out) -> Result<Exit> {
        let currency = self.currency.unwrap_or(app.currency());
        let amount = |text: &Option<String>| match text {
            None => Ok(0),
            Some(text) => parse_decimal(text, currency, DecimalStyle::Auto)
                .with_context(|| format!("`{text}` is no amount")),
        };
        let order = NewOrder {
            source: self.source,
            external_id: match self.id {
                Some(id) => id,
                None => ExternalId::parse(&words::fresh("cli")).context("a fresh id could not be made")?,
            },
            customer: NewCustomer { external_id: self.customer, email: self.email, name: self.name },
            currency,
            placed_at: None,
            lines: self.line.iter().map(|text| line(text, currency)).collect::<Result<_>>()?,
            shipping: amount(&self.shipping)?,
            discount: amount(&self.discount)?,
            notify: !self.no_notify,
        };
        let (row, is_new) = place(app, &Actor::CLI, order).await?;
        if out.is_json() {
            out.json(&json!({ "order": row, "is_new": is_new }))?;
            return Ok(Exit::Done);
        }
        print(out, &row)?;
        out.line(if is_new {
            "placed; workers move it on: `ordermill work --until-idle`"
        } else {
            "it was there already, and stays as it is"
        })?;
        Ok(Exit::Done)
    }
}

/// `SKU:UNITS` or `SKU:UNITS:PRICE`. A SKU may have colons of its own.
fn line(text: &str, currency: Currency) -> Result<NewOrderLine> {
    let malformed =
        || format!("`{text}` is no line; write SKU:UNITS or SKU:UNITS:PRICE, such as TEA-1:2:19.99");
    let (front, last) = text.rsplit_once(':').with_context(malformed)?;
    let (sku, units, price) = match front.rsplit_once(':') {
        Some((sku, units)) if units.parse::<u64>().is_ok() => (sku, units, Some(last)),
        _ => (front, last, None),
    };
    let price = price.map(|price| parse_decimal(price, currency, DecimalStyle::Auto)).transpose();
    Ok(NewOrderLine {
        sku: sku.parse::<Sku>().with_context(malformed)?,
        quantity: units.parse::<Quantity>().with_context(malformed)?,
        unit_price: price.with_context(malformed)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_sku_its_units_and_maybe_a_price() {
        let currency = Currency::parse("EUR").unwrap();
        let read = |text| {
            let line = line(text, currency).unwrap();
            (line.sku.to_string(), line.quantity.get(), line.unit_price)
        };
        assert_eq!(read("TEA-1:2"), ("TEA-1".to_owned(), 2, None));
        assert_eq!(read("TEA-1:2:19.99"), ("TEA-1".to_owned(), 2, Some(1999)));
        assert_eq!(read("A:B:3"), ("A:B".to_owned(), 3, None));
        for wrong in ["TEA-1", "TEA-1:0", "TEA-1:x", ":2", "TEA-1:2:cheap"] {
            assert!(line(wrong, currency).is_err(), "{wrong}");
        }
    }
}
