//! Products: found, made, described, and their stock with what moved it.

mod describe;
mod list;
mod new;
mod show;
mod stock;

pub(super) use describe::change;
pub(super) use list::list;
pub(super) use new::{create, new};
pub(super) use show::show;
pub(super) use stock::{adjust, ask_adjust, ask_receive, receive};

use domain::{Currency, DecimalError, DecimalStyle, Money, parse_decimal};
use store::products::Product;

use super::words::{number, priced};

/// The price that somebody typed; none where they left it empty.
fn price_of(amount: &str, currency: &str) -> Result<Option<Money>, String> {
    if amount.trim().is_empty() {
        return Ok(None);
    }
    let currency = Currency::parse(currency).map_err(|error| format!("Currency: {error}"))?;
    match parse_decimal(amount, currency, DecimalStyle::Auto) {
        Ok(amount) => Ok(Some(Money::new(amount, currency))),
        Err(DecimalError::Ambiguous) => {
            Err(format!("Price: “{amount}” may mean thousands; write it without a separator of thousands"))
        }
        Err(error) => Err(format!("Price: {error}")),
    }
}

fn price(product: &Product) -> Option<Money> {
    product.price.zip(product.currency).map(|(amount, currency)| Money::new(amount, currency))
}

/// Units of which a product has so few left that somebody should know.
const FEW: i64 = 5;

/// How a product's stock stands.
struct Level {
    on_hand: String,
    reserved: String,
    available: String,
    price: String,
    /// What to look at: that few or none are left.
    warning: Option<&'static str>,
}

impl Level {
    fn of(product: &Product) -> Self {
        let warning = match product.available() {
            _ if !product.tracked => None,
            ..0 => Some("oversold"),
            0 => Some("none left"),
            1..=FEW => Some("few left"),
            _ => None,
        };
        Level {
            on_hand: number(product.on_hand),
            reserved: number(product.reserved),
            available: number(product.available()),
            price: price(product).map(priced).unwrap_or_default(),
            warning,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::ProductId;

    use super::*;

    fn warning(on_hand: i64, reserved: i64, tracked: bool) -> Option<&'static str> {
        let (id, sku, name) = (ProductId::from_ledger(1), "A".to_owned(), "A".to_owned());
        let (price, currency) = (None, None);
        Level::of(&Product { id, sku, name, price, currency, tracked, on_hand, reserved }).warning
    }

    #[test]
    fn what_runs_out_is_said_where_stock_is_counted() {
        let told = [(100, 94), (100, 95), (7, 7), (7, 8)].map(|(a, b)| warning(a, b, true));
        assert_eq!(told, [None, Some("few left"), Some("none left"), Some("oversold")]);
        assert_eq!(warning(0, 0, false), None);
    }

    #[test]
    fn a_price_is_what_its_currency_can_tell() {
        let told =
            |amount, currency| price_of(amount, currency).map(|price| price.map(|one| one.to_string()));
        assert_eq!(told("", ""), Ok(None));
        assert_eq!(told("12.50", "EUR"), Ok(Some("12.50 EUR".to_owned())));
        assert_eq!(told("12,50", "EUR"), told("12.50", "EUR"));
        assert!(told("12.5055", "EUR").unwrap_err().contains("more decimals than EUR has"));
        assert!(told("12.505", "EUR").unwrap_err().contains("may mean thousands"));
        assert!(told("12", "bread").unwrap_err().starts_with("Currency: "));
    }
}
