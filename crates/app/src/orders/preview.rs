use domain::{NotificationKind, OrderId, ProductId};
use schemars::JsonSchema;
use serde::Serialize;
use sql::Tx;
use store::notifications::Notification;
use store::orders::OrderRow;
use store::products::Product;

use crate::Result;
use crate::refunds::RefundView;

/// What would come of something that is done to an order.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Preview {
    /// The order as it would stand.
    pub order: OrderRow,
    /// The stock of its products that would change.
    pub stock: Vec<StockChange>,
    /// Money that would go back.
    pub refunds: Vec<RefundView>,
    /// What the customer would be told.
    pub notifications: Vec<Told>,
}

/// How the stock of a product would change, in units.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StockChange {
    #[serde(skip)]
    product: ProductId,
    /// The product.
    pub sku: String,
    /// Units in the house.
    pub on_hand: i64,
    /// Units of them that orders hold.
    pub reserved: i64,
}

/// What a customer would be told.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Told {
    #[serde(skip)]
    id: domain::NotificationId,
    /// Of what.
    pub kind: NotificationKind,
    /// Where to.
    pub recipient: String,
}

impl Preview {
    /// All of it, as it stands within a transaction.
    pub(super) fn look(tx: &mut Tx<'_>, id: OrderId) -> Result<Self> {
        let mut products: Vec<ProductId> =
            store::orders::list_lines(tx, &[id])?.iter().map(|line| line.product).collect();
        products.sort_unstable();
        products.dedup();
        Ok(Preview {
            order: store::orders::get_view(tx, id)?.row,
            stock: store::products::list(tx, &products)?.into_iter().map(StockChange::from).collect(),
            refunds: store::refunds::list_of_order(tx, id)?.into_iter().map(RefundView::from).collect(),
            notifications: store::notifications::list_of_order(tx, id)?.into_iter().map(Told::from).collect(),
        })
    }

    /// What is different from an earlier look; stock as a difference.
    pub(super) fn since(mut self, before: &Preview) -> Self {
        for level in &mut self.stock {
            if let Some(earlier) = before.stock.iter().find(|earlier| earlier.product == level.product) {
                level.on_hand -= earlier.on_hand;
                level.reserved -= earlier.reserved;
            }
        }
        self.stock.retain(|change| (change.on_hand, change.reserved) != (0, 0));
        self.refunds.retain(|refund| before.refunds.iter().all(|earlier| earlier.id != refund.id));
        self.notifications.retain(|told| before.notifications.iter().all(|earlier| earlier.id != told.id));
        self
    }
}

impl From<Product> for StockChange {
    fn from(product: Product) -> Self {
        let Product { id, sku, on_hand, reserved, .. } = product;
        StockChange { product: id, sku, on_hand, reserved }
    }
}

impl From<Notification> for Told {
    fn from(notification: Notification) -> Self {
        let Notification { id, kind, recipient, .. } = notification;
        Told { id, kind, recipient }
    }
}
