//! Addresses that hold what others have named.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::asked::Filled;
use super::{NEW_PRODUCT, PRODUCTS};

/// All that is written as it is within a part of an address.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Where a product is.
pub(super) fn product(sku: &str) -> String {
    let address = format!("{PRODUCTS}/{}", utf8_percent_encode(sku, PLAIN));
    if address != NEW_PRODUCT {
        return address;
    }
    // Its first letter alone would do: what is written otherwise is another address to the router, and the same SKU.
    let letters: String = sku.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("{PRODUCTS}/{letters}")
}

/// A page that is asked about something by its name.
pub(super) fn asking(page: &str, field: &str, name: &str) -> String {
    format!("{page}{}", Filled::default().with(field, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_sku_holds_is_one_part_of_an_address() {
        assert_eq!(product("MUG-1"), "/products/MUG-1");
        assert_eq!(product("A/B c?d#e%"), "/products/A%2FB%20c%3Fd%23e%25");
        assert_eq!(product("ü\"><"), "/products/%C3%BC%22%3E%3C");
        assert_eq!(product("new"), "/products/%6E%65%77", "that is where products are made");
    }
}
