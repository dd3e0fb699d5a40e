//! What one row sells.

use domain::{Quantity, Sku};
use sha2::{Digest, Sha256};

use super::ParsedLine;
use super::amounts::AmountReader;
use super::cells::{Reading, shorten};
use super::order::tidy_label;
use crate::{BlankSku, Field, RejectCode};

type BadCell = (RejectCode, Field, String);

/// Reads a row's product, price and quantity; `true` if it takes units back.
pub(super) fn read(
    order: &Reading<'_, '_>,
    row: usize,
    amounts: &AmountReader<'_>,
) -> Result<(ParsedLine, bool), BadCell> {
    let (sku, name) = product(order, row)?;
    let unit_price = unit_price(order, row, amounts)?;
    let (quantity, is_return) = quantity(&order.value(row, Field::Qty), order.takes_returns())?;
    let total = unit_price.checked_mul(i64::from(quantity.get())).ok_or_else(|| {
        let message = format!("{unit_price} × {quantity} does not fit 64 bits");
        (RejectCode::TotalOutOfRange, Field::UnitPrice, message)
    })?;
    let found = order.row(row);
    let line_no = row as u32 + 1;
    let line = ParsedLine {
        line_no,
        sku,
        name,
        unit_price,
        quantity,
        total,
        file_line: found.line,
        row: found.span,
    };
    Ok((line, is_return))
}

fn product(order: &Reading<'_, '_>, row: usize) -> Result<(Sku, domain::ProductName), BadCell> {
    let sku = order.value(row, Field::ProductSku);
    let name = order.value(row, Field::ProductName);
    let bad_sku = |error: domain::TextError| (RejectCode::InvalidSku, Field::ProductSku, error.to_string());
    let bad_name =
        |error: domain::TextError| (RejectCode::InvalidText, Field::ProductName, error.to_string());
    let sku = if !sku.is_empty() {
        Sku::parse(&sku).map_err(bad_sku)?
    } else if order.layout().profile.blank_sku == BlankSku::FromName && !name.is_empty() {
        Sku::parse(&sku_from_name(&name)).map_err(bad_sku)?
    } else {
        let message = "the SKU is blank, and there is no product name to make one from".to_owned();
        return Err((RejectCode::MissingField, Field::ProductSku, message));
    };
    let name = if name.is_empty() { tidy_label(sku.as_str()) } else { tidy_label(&name) };
    Ok((sku, name.map_err(bad_name)?))
}

/// The letters and digits of a name in capitals, the rest hyphens; long names end in a hash, so that two of them do not
/// become one product.
fn sku_from_name(name: &str) -> String {
    const LONGEST: usize = 64;
    const KEPT: usize = 55;
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_uppercase).collect::<Vec<_>>().join("-");
    if !slug.is_empty() && slug.chars().nth(LONGEST).is_none() {
        return slug;
    }
    let digest = Sha256::digest(name.as_bytes());
    let hash = format!("{:08X}", u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]));
    let kept: String = slug.chars().take(KEPT).collect();
    if kept.is_empty() { hash } else { format!("{}-{hash}", kept.trim_end_matches('-')) }
}

fn unit_price(order: &Reading<'_, '_>, row: usize, amounts: &AmountReader<'_>) -> Result<i64, BadCell> {
    let minor = order.value(row, Field::UnitPriceCents);
    let (field, price) = if minor.is_empty() {
        let price = order.value(row, Field::UnitPrice);
        if price.is_empty() {
            return Err((RejectCode::MissingField, Field::UnitPrice, "the price is blank".to_owned()));
        }
        (Field::UnitPrice, amounts.price(&price))
    } else {
        (Field::UnitPriceCents, amounts.minor_units(&minor))
    };
    let price = price.map_err(|message| (RejectCode::InvalidPrice, field, message))?;
    if price < 0 {
        return Err((RejectCode::NegativePrice, field, format!("the price is {}", amounts.show(price))));
    }
    Ok(price)
}

/// A whole number of units, which a spreadsheet may have written as `2.0`.
fn quantity(text: &str, takes_returns: bool) -> Result<(Quantity, bool), BadCell> {
    let bad = |code, message| (code, Field::Qty, message);
    if text.is_empty() {
        return Err(bad(RejectCode::MissingField, "the quantity is blank".to_owned()));
    }
    let whole = match text.split_once(['.', ',']) {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.len() != 3 && zeros.bytes().all(|b| b == b'0') => {
            whole
        }
        _ => text,
    };
    let number: i64 = whole.parse().map_err(|_| {
        bad(RejectCode::InvalidQuantity, format!("the quantity {:?} is not a whole number", shorten(text)))
    })?;
    if number < 0 && !takes_returns {
        let message =
            format!("the quantity is {number}: returns are only taken with the option returns = refund");
        return Err(bad(RejectCode::NegativeQuantity, message));
    }
    let quantity = Quantity::new(number.saturating_abs()).map_err(|_| {
        let message = format!("the quantity is {number}; 1 to {} are possible", Quantity::MAX);
        bad(RejectCode::QuantityOutOfRange, message)
    })?;
    Ok((quantity, number < 0))
}

/// The rows (from 0) that take back more of a SKU than the order has.
pub(super) fn unmatched_returns(lines: &[ParsedLine], returns: &[ParsedLine]) -> Vec<(usize, Sku)> {
    let sum = |lines: &[ParsedLine], sku: &Sku| -> u64 {
        lines.iter().filter(|line| line.sku == *sku).map(|line| u64::from(line.quantity.get())).sum()
    };
    returns
        .iter()
        .filter(|line| sum(returns, &line.sku) > sum(lines, &line.sku))
        .map(|line| (line.line_no as usize - 1, line.sku.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_sku_is_made_from_the_name() {
        assert_eq!(sku_from_name("ShrimpSafe™ Net (2 pcs.)"), "SHRIMPSAFE-NET-2-PCS");
        let long = |end: &str| sku_from_name(&format!("{}{end}", "Very long name ".repeat(6)));
        assert!((60..=64).contains(&long("a").chars().count()), "{}", long("a"));
        assert_ne!(long("a"), long("b"));
        assert_eq!(sku_from_name("™").len(), 8);
    }

    #[test]
    fn a_quantity_is_a_whole_number_however_a_spreadsheet_writes_it() {
        let read =
            |text| quantity(text, false).map(|(quantity, _)| quantity.get()).map_err(|(code, ..)| code);
        assert_eq!(read("3"), Ok(3));
        assert_eq!(read("3.0"), Ok(3));
        assert_eq!(read("3,00"), Ok(3));
        assert_eq!(read("3.5"), Err(RejectCode::InvalidQuantity));
        assert_eq!(read("1.000"), Err(RejectCode::InvalidQuantity));
        assert_eq!(read("0"), Err(RejectCode::QuantityOutOfRange));
        assert_eq!(read("1000001"), Err(RejectCode::QuantityOutOfRange));
        assert_eq!(read("-1"), Err(RejectCode::NegativeQuantity));
        assert_eq!(read("-9223372036854775808"), Err(RejectCode::NegativeQuantity));
    }
}
