use domain::OrderId;

/// What the figures can answer besides their result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Sql(#[from] sql::Error),
    /// An amount that no figure can hold exactly.
    #[error(
        "order {order_id} brings an amount beyond 2^53 minor units; correct the order, no figure was changed"
    )]
    TooLarge {
        /// Which order.
        order_id: OrderId,
    },
    /// The stored time zone or currency is not known to this program.
    #[error(
        "the stored figures name `{found}`, which is no {expected} that this program knows; run `ordermill analytics rebuild`"
    )]
    Unreadable {
        /// What was expected.
        expected: &'static str,
        /// What is stored.
        found: String,
    },
    /// A span of days that ends before it begins.
    #[error("the span ends on {to}, before it begins on {from}; swap the two")]
    Span {
        /// Its first day.
        from: jiff::civil::Date,
        /// Its last day.
        to: jiff::civil::Date,
    },
    /// Another rebuild was started after this one.
    #[error("another rebuild has taken over; let it finish, nothing of this one was kept")]
    Superseded,
    /// A rebuild was to be compared or switched to before all orders were in.
    #[error("the rebuild has not read all orders yet; add the rest before it is compared or switched to")]
    Unfinished,
}

/// The result of a call to the figures.
pub type Result<T, E = Error> = std::result::Result<T, E>;
