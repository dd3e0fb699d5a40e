//! What is told to customers, over what, and how far it got.

use crate::coded::coded_enum;

coded_enum! {
    /// What a notification tells.
    NotificationKind ("notification kind") {
        /// The order is paid and confirmed.
        Confirmation = 1 => "confirmation",
        /// The payment was declined and the order given up.
        PaymentFailed = 2 => "payment_failed",
        /// A line could not be served, so the order was given up.
        OutOfStock = 3 => "out_of_stock",
        /// No payment came before the deadline.
        Expired = 4 => "expired",
        /// A parcel left.
        Shipped = 5 => "shipped",
        /// The goods arrived.
        Delivered = 6 => "delivered",
        /// The order was cancelled.
        Cancelled = 7 => "cancelled",
        /// Money went back.
        Refunded = 8 => "refunded",
    }
}

coded_enum! {
    /// How far a notification got.
    NotificationStatus ("notification status") {
        /// Recorded, to be sent.
        Queued = 1 => "queued",
        /// Claimed by a worker: an attempt is under way or its worker died.
        Sending = 2 => "sending",
        /// Handed over.
        Sent = 3 => "sent",
        /// Not sent on purpose: no recipient, or switched off.
        Skipped = 4 => "skipped",
        /// Given up.
        Failed = 5 => "failed",
        /// Nobody knows whether the last attempt arrived.
        Unknown = 6 => "unknown",
    }
}

coded_enum! {
    /// The way a notification goes out.
    Channel ("notification channel") {
        /// A line in the log.
        Log = 1 => "log",
        /// A mail.
        Smtp = 2 => "smtp",
        /// A signed call to the shop's own receiver.
        Webhook = 3 => "webhook",
    }
}

impl NotificationStatus {
    /// Whether nothing more will happen by itself.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Sending)
    }
}
