//! Order files made up for tests, demos and benches: the same seed gives the same bytes.

mod bad_rows;
mod catalogue;

use std::io::{self, BufWriter, Write};

pub use bad_rows::BadRows;
use catalogue::{Article, catalogue};

const HEADER: &str = "external_order_id,order_placed_at,currency,customer_id,customer_email,customer_name,product_sku,\
                      product_name,unit_price_cents,qty";

const YEAR: u64 = 365 * 86_400;

/// What to make up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// How many orders.
    pub orders: u64,
    /// The least and the most lines of an order.
    pub lines: (u32, u32),
    /// How many customers share the orders; some buy much more often than others.
    pub customers: u32,
    /// How many articles there are; some sell much better than others.
    pub articles: u32,
    /// Seconds since 1970 at which the first order is placed.
    pub first_at: i64,
    /// Seconds from the first order to the last.
    pub span: u64,
    /// ISO 4217 code.
    pub currency: &'static str,
    /// Another seed, other orders.
    pub seed: u64,
    /// The id of the first order; the others count on.
    pub first_id: u64,
    /// Rows that must be rejected.
    pub bad_rows: BadRows,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SampleTotals {
    /// Orders, bad ones included.
    pub orders: u64,
    /// Rows, those of bad orders included.
    pub rows: u64,
    /// Orders with a bad row.
    pub bad_orders: u64,
    /// Rows of those orders.
    pub bad_order_rows: u64,
    /// Units of the good orders.
    pub units: u64,
    /// The good orders' totals in minor units.
    pub gross: i64,
}

impl Sample {
    /// A shop's orders: one to four lines each, about 300 a day, or more so that they fit a year.
    pub fn shop(orders: u64, seed: u64) -> Self {
        Self {
            orders,
            lines: (1, 4),
            customers: (orders / 3).clamp(1, 5_000_000) as u32,
            articles: 400,
            // 2025-01-01
            first_at: 1_735_689_600,
            span: (orders.saturating_mul(288)).min(YEAR),
            currency: "EUR",
            seed,
            first_id: 100_000,
            bad_rows: BadRows::default(),
        }
    }

    /// A wholesaler's orders: many lines each, repeated SKUs, a year of them; the shape of the real data that
    /// the tests use where they have it.
    pub fn online_retail(orders: u64, seed: u64) -> Self {
        Self {
            lines: (1, 42),
            customers: (orders / 4).max(1) as u32,
            articles: 3_665,
            // 2010-12-01
            first_at: 1_291_161_600,
            span: (orders.saturating_mul(1_720)).min(YEAR),
            currency: "GBP",
            first_id: 536_365,
            ..Self::shop(orders, seed)
        }
    }

    /// The same with bad rows.
    pub fn with_bad_rows(self, bad_rows: BadRows) -> Self {
        Self { bad_rows, ..self }
    }

    /// Writes the file and tells what is in it.
    pub fn write(&self, out: impl Write) -> io::Result<SampleTotals> {
        let mut out = BufWriter::with_capacity(1 << 16, out);
        let articles = catalogue(self.articles.max(1), self.seed);
        let mut random = Random(self.seed);
        let mut totals = SampleTotals::default();
        writeln!(out, "{HEADER}")?;
        for number in 0..self.orders {
            let passed = u128::from(self.span) * u128::from(number) / u128::from(self.orders);
            let at = self.first_at + passed as i64;
            self.write_order(&mut out, number, at, &articles, &mut random, &mut totals)?;
        }
        out.flush()?;
        Ok(totals)
    }

    fn write_order(
        &self,
        out: &mut impl Write,
        number: u64,
        at: i64,
        articles: &[Article],
        random: &mut Random,
        totals: &mut SampleTotals,
    ) -> io::Result<()> {
        let (least, most) = self.lines;
        let count = u64::from(least) + random.below(u64::from(most.saturating_sub(least)) + 1);
        let customer = 10_000 + random.skewed(u64::from(self.customers.max(1)));
        let order_cells = Cells {
            id: self.first_id + number,
            placed_at: jiff::Timestamp::from_second(at).map_err(io::Error::other)?,
            currency: self.currency,
            customer,
        };
        let bad_row = self.bad_rows.row_of(number, count);
        let (mut units, mut gross) = (0, 0);
        for row in 0..count {
            let article = &articles[random.skewed(articles.len() as u64) as usize];
            let quantity = 1 + random.skewed(12);
            units += quantity;
            gross += article.price * quantity as i64;
            match bad_row {
                Some(bad) if bad == row => {
                    self.bad_rows.write(out, number, &order_cells, article, quantity)?;
                }
                _ => order_cells.write(out, article, quantity)?,
            }
        }
        totals.orders += 1;
        totals.rows += count;
        if bad_row.is_some() {
            totals.bad_orders += 1;
            totals.bad_order_rows += count;
        } else {
            totals.units += units;
            totals.gross += gross;
        }
        Ok(())
    }
}

/// The cells that the rows of an order share.
struct Cells {
    id: u64,
    placed_at: jiff::Timestamp,
    currency: &'static str,
    customer: u64,
}

impl Cells {
    fn write(&self, out: &mut impl Write, article: &Article, quantity: u64) -> io::Result<()> {
        let Self { id, placed_at, currency, customer } = self;
        let Article { sku, name, price } = article;
        writeln!(
            out,
            "ORD-{id},{placed_at},{currency},C{customer},c{customer}@example.com,{},{sku},{name},{price},{quantity}",
            catalogue::person(*customer)
        )
    }
}

/// SplitMix64: small, fast, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, all alike.
    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number below `bound`, small ones more often: a few sell, or buy, most.
    fn skewed(&mut self, bound: u64) -> u64 {
        let (first, second) = (self.below(bound), self.below(bound));
        if first == 0 { 0 } else { second % first }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes_and_another_one_others() {
        let bytes = |seed| {
            let mut out = Vec::new();
            Sample::shop(50, seed).write(&mut out).unwrap();
            out
        };
        assert_eq!(bytes(1), bytes(1));
        assert_ne!(bytes(1), bytes(2));
    }
}
