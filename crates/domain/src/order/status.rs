//! The statuses of an order and of what belongs to it.

use crate::coded::coded_enum;

coded_enum! {
    /// Where the order as a whole stands.
    OrderStatus ("order status") {
        /// Placed; nothing is held for it yet.
        Pending = 1 => "pending",
        /// Its stock is held; payment is awaited.
        Reserved = 2 => "reserved",
        /// Paid; to be shipped.
        Confirmed = 3 => "confirmed",
        /// Delivered.
        Completed = 4 => "completed",
        /// Given up; see [`FailReason`].
        Failed = 5 => "failed",
        /// Called off by someone.
        Cancelled = 6 => "cancelled",
    }
}

coded_enum! {
    /// Why an order failed.
    FailReason ("reason of failure") {
        /// A line could not be served.
        OutOfStock = 1 => "out_of_stock",
        /// The last attempt to pay was declined.
        Declined = 2 => "declined",
        /// No payment came before the deadline.
        Expired = 3 => "expired",
    }
}

coded_enum! {
    /// Where the order's money stands.
    PaymentStatus ("payment status") {
        /// No charge was accepted by the gateway.
        Unpaid = 1 => "unpaid",
        /// The gateway accepted a charge and has not decided it.
        Pending = 2 => "pending",
        /// The charge was declined, voided or never decided.
        Failed = 3 => "failed",
        /// The whole total was captured.
        Paid = 4 => "paid",
        /// A part went back.
        PartiallyRefunded = 5 => "partially_refunded",
        /// All of it went back.
        Refunded = 6 => "refunded",
    }
}

coded_enum! {
    /// Where the order's goods stand.
    FulfilmentStatus ("fulfilment status") {
        /// Nothing left the house.
        Unfulfilled = 1 => "unfulfilled",
        /// Some units left.
        PartiallyShipped = 2 => "partially_shipped",
        /// Every unit that was not refunded left.
        Shipped = 3 => "shipped",
        /// They arrived.
        Delivered = 4 => "delivered",
        /// They all came back.
        Returned = 5 => "returned",
    }
}

coded_enum! {
    /// Where one attempt to charge an order stands.
    ChargeStatus ("charge status") {
        /// Recorded; the gateway may or may not know it.
        Requested = 1 => "requested",
        /// Accepted by the gateway; its deadline runs.
        Accepted = 2 => "accepted",
        /// The money was taken.
        Captured = 3 => "captured",
        /// The gateway said no.
        Declined = 4 => "declined",
        /// Called off by us.
        Voided = 5 => "voided",
    }
}

coded_enum! {
    /// Where a shipment stands.
    ShipmentStatus ("shipment status") {
        /// On its way.
        Shipped = 1 => "shipped",
        /// Arrived.
        Delivered = 2 => "delivered",
    }
}

impl OrderStatus {
    /// Failed or cancelled: it holds no stock and keeps no money.
    pub const fn is_dead(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }
}

impl ChargeStatus {
    /// Whether the gateway may still capture it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Accepted)
    }
}
