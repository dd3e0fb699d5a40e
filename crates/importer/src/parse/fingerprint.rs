//! A hash of what an order says.

use sha2::{Digest, Sha256};

use super::{ParsedLine, ParsedOrder};

/// Changes when the fields below or their order do.
const VERSION: u8 = 1;

/// The first 128 bits of a SHA-256 over the order's content: not of where it stood, nor of how it was written.
pub(super) fn of(order: &ParsedOrder, buffer: &mut Vec<u8>) -> [u8; 16] {
    buffer.clear();
    buffer.push(VERSION);
    text(buffer, Some(order.external_id.as_str()));
    number(buffer, order.placed_at.as_microsecond());
    text(buffer, Some(order.currency.code()));
    let customer = &order.customer;
    text(buffer, customer.external_id.as_ref().map(AsRef::as_ref));
    text(buffer, customer.email.as_ref().map(AsRef::as_ref));
    text(buffer, customer.name.as_ref().map(AsRef::as_ref));
    lines(buffer, &order.lines);
    lines(buffer, &order.returns);
    let totals = &order.totals;
    for amount in [totals.discount, totals.shipping, totals.tax, totals.total, order.recorded.refunded] {
        number(buffer, amount);
    }
    text(buffer, order.payment_method.as_ref().map(AsRef::as_ref));
    text(buffer, order.notes.as_deref());
    let recorded = &order.recorded;
    text(buffer, recorded.payment.map(domain::PaymentStatus::as_str));
    text(buffer, recorded.fulfilment.map(domain::FulfilmentStatus::as_str));
    buffer.push(u8::from(recorded.cancelled));

    let mut hash = [0; 16];
    hash.copy_from_slice(&Sha256::digest(&buffer)[..16]);
    hash
}

fn lines(buffer: &mut Vec<u8>, lines: &[ParsedLine]) {
    number(buffer, lines.len() as i64);
    for line in lines {
        text(buffer, Some(line.sku.as_str()));
        text(buffer, Some(line.name.as_str()));
        number(buffer, line.unit_price);
        number(buffer, i64::from(line.quantity.get()));
    }
}

fn number(buffer: &mut Vec<u8>, number: i64) {
    buffer.extend_from_slice(&number.to_le_bytes());
}

/// With its length in front, so that no two lists of texts look alike; nothing is not the empty text.
fn text(buffer: &mut Vec<u8>, text: Option<&str>) {
    number(buffer, text.map_or(-1, |text| text.len() as i64));
    buffer.extend_from_slice(text.unwrap_or_default().as_bytes());
}
