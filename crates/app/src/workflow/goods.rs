use std::collections::HashMap;

use domain::{OrderId, ProductId};
use sql::Tx;
use store::orders::Line;
use store::products::Level;

use crate::Result;

/// The lines of orders and the levels of the products in them.
#[derive(Default)]
pub(crate) struct Goods {
    lines: HashMap<OrderId, Vec<Line>>,
    levels: HashMap<ProductId, Level>,
}

impl Goods {
    /// Reads the lines of orders and, for those that move stock, locks their products in the order of ids.
    pub(crate) fn lock(tx: &mut Tx<'_>, orders: &[OrderId]) -> Result<Self> {
        let mut goods = Self::read(tx, orders)?;
        let mut products: Vec<ProductId> = goods.lines.values().flatten().map(|line| line.product).collect();
        products.sort_unstable();
        products.dedup();
        goods.levels = store::products::lock_levels(tx, &products)?;
        Ok(goods)
    }

    fn read(tx: &mut Tx<'_>, orders: &[OrderId]) -> Result<Self> {
        let mut lines: HashMap<OrderId, Vec<Line>> = HashMap::with_capacity(orders.len());
        for line in store::orders::list_lines(tx, orders)? {
            lines.entry(line.order).or_default().push(line);
        }
        Ok(Goods { lines, levels: HashMap::new() })
    }

    /// Adds the lines of other orders, without levels.
    pub(super) fn add_lines(&mut self, tx: &mut Tx<'_>, orders: &[OrderId]) -> Result<()> {
        self.lines.extend(Self::read(tx, orders)?.lines);
        Ok(())
    }

    /// The lines of an order.
    pub(crate) fn lines(&self, order: OrderId) -> &[Line] {
        self.lines.get(&order).map_or(&[], Vec::as_slice)
    }

    /// The level of a product whose stock is counted.
    pub(crate) fn level_mut(&mut self, product: ProductId) -> Option<&mut Level> {
        self.levels.get_mut(&product).filter(|level| level.tracked)
    }

    /// Units of a product that can be sold; none where its stock is not counted.
    pub(crate) fn available(&self, product: ProductId) -> Option<i64> {
        self.levels.get(&product).filter(|level| level.tracked).map(|level| level.on_hand - level.reserved)
    }

    /// Whether the stock of a product is counted.
    pub(super) fn is_tracked(&self, product: ProductId) -> bool {
        self.levels.get(&product).is_some_and(|level| level.tracked)
    }
}
