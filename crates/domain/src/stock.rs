//! Stock: two counts per product, changed only by movements.

use std::collections::BTreeMap;

use crate::coded::coded_enum;
use crate::ids::ProductId;

coded_enum! {
    /// What a movement does to a product's counts.
    MovementKind ("stock movement") {
        /// Goods arrive: on hand grows.
        Receive = 1 => "receive",
        /// Goods are set aside: reserved grows.
        Reserve = 2 => "reserve",
        /// They are let go: reserved shrinks.
        Release = 3 => "release",
        /// They leave: both shrink.
        Ship = 4 => "ship",
        /// They come back: on hand grows.
        Return = 5 => "return",
        /// A count is put right: on hand grows or, below zero, shrinks.
        Adjust = 6 => "adjust",
    }
}

coded_enum! {
    /// What a movement happens for. With the cause's id and the kind it is unique.
    CauseKind ("cause of a movement") {
        /// A line of an order.
        OrderLine = 1 => "order_line",
        /// A line of a refund.
        RefundLine = 2 => "refund_line",
        /// A line of a shipment.
        ShipmentLine = 3 => "shipment_line",
        /// Goods received.
        Receipt = 4 => "receipt",
        /// A count put right.
        Adjustment = 5 => "adjustment",
    }
}

/// The counts of one product; always `0 ≤ reserved ≤ on_hand`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StockLevel {
    /// Units in the house.
    pub on_hand: i64,
    /// Those of them that are set aside for orders.
    pub reserved: i64,
}

/// A movement that a product's counts do not allow. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StockError {
    /// More is wanted than there is.
    #[error("{wanted} wanted, {available} available")]
    Short {
        /// Units wanted.
        wanted: i64,
        /// Units available.
        available: i64,
    },
    /// More is to be released or shipped than was set aside.
    #[error("{wanted} to be taken from what is reserved, {reserved} reserved")]
    NotReserved {
        /// Units wanted.
        wanted: i64,
        /// Units reserved.
        reserved: i64,
    },
    /// A movement of nothing, or a negative one where only an adjustment may be.
    #[error("{0} is no quantity for a movement of this kind")]
    BadQuantity(i64),
    /// It does not fit 64 bits.
    #[error("the stock would be too large")]
    TooLarge,
}

impl StockLevel {
    /// Units that can still be sold.
    pub const fn available(self) -> i64 {
        self.on_hand - self.reserved
    }

    /// The counts after a movement of `quantity` units.
    pub fn apply(self, kind: MovementKind, quantity: i64) -> Result<Self, StockError> {
        if quantity == 0 || (quantity < 0 && kind != MovementKind::Adjust) {
            return Err(StockError::BadQuantity(quantity));
        }
        let Self { on_hand, reserved } = self;
        match kind {
            MovementKind::Reserve if quantity > self.available() => Err(self.short(quantity)),
            MovementKind::Reserve => Ok(Self { on_hand, reserved: reserved + quantity }),
            MovementKind::Release | MovementKind::Ship if quantity > reserved => {
                Err(StockError::NotReserved { wanted: quantity, reserved })
            }
            MovementKind::Release => Ok(Self { on_hand, reserved: reserved - quantity }),
            MovementKind::Ship => Ok(Self { on_hand: on_hand - quantity, reserved: reserved - quantity }),
            MovementKind::Adjust if quantity < -self.available() => {
                Err(self.short(quantity.checked_neg().ok_or(StockError::BadQuantity(quantity))?))
            }
            MovementKind::Receive | MovementKind::Return | MovementKind::Adjust => self.grown_by(quantity),
        }
    }

    fn grown_by(self, quantity: i64) -> Result<Self, StockError> {
        let on_hand = self.on_hand.checked_add(quantity).ok_or(StockError::TooLarge)?;
        Ok(Self { on_hand, ..self })
    }

    const fn short(self, wanted: i64) -> StockError {
        StockError::Short { wanted, available: self.available() }
    }
}

/// What an order, or many, need of each product: summed, so that two lines of one product are checked as one, and
/// in the order of product ids, in which rows are locked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Demand(BTreeMap<ProductId, i64>);

/// A product of which there is less than an order needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortfall {
    /// The product.
    pub product: ProductId,
    /// Units needed, over all lines.
    pub wanted: i64,
    /// Units there are.
    pub available: i64,
}

impl Demand {
    /// Adds one line's need.
    pub fn add(&mut self, product: ProductId, quantity: i64) {
        let sum = self.0.entry(product).or_insert(0);
        *sum = sum.saturating_add(quantity);
    }

    /// Every product with its sum, by product id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ProductId, i64)> {
        self.0.iter().map(|(product, quantity)| (*product, *quantity))
    }

    /// Every product that is short. `available` tells how much there is; none means that it is not tracked.
    pub fn shortfalls(&self, available: impl Fn(ProductId) -> Option<i64>) -> Vec<Shortfall> {
        let short = |(product, wanted)| {
            let available = available(product)?;
            (wanted > available).then_some(Shortfall { product, wanted, available })
        };
        self.iter().filter_map(short).collect()
    }

    /// Whether nothing is needed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(ProductId, i64)> for Demand {
    fn from_iter<I: IntoIterator<Item = (ProductId, i64)>>(lines: I) -> Self {
        let mut demand = Self::default();
        lines.into_iter().for_each(|(product, quantity)| demand.add(product, quantity));
        demand
    }
}
