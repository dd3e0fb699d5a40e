use domain::OrderId;

/// What the figures can answer besides their result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Sql(#[from] sql::Error),
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] redis_link::Error),
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
    /// A sum that no figure can hold exactly.
    #[error(
        "{what} grows beyond 2^53 minor units, which no figure holds; correct the orders, then run `ordermill analytics rebuild`"
    )]
    SumTooLarge {
        /// Which sum.
        what: String,
    },
    /// The figures in Redis are gone or too old, and are being built anew.
    #[error("the figures are being rebuilt from the ledger; ask again once that is done")]
    Rebuilding,
    /// The figures are kept elsewhere than this process was told.
    #[error(
        "the figures are kept in {home} since another process was started with other settings; start this one with the \
         same `[redis] url`"
    )]
    Elsewhere {
        /// Where.
        home: &'static str,
    },
    /// Somebody else changed the figures in Redis again and again meanwhile.
    #[error("the figures changed too fast to be read at one moment; ask again")]
    Restless,
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

impl Error {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_passing(&self) -> bool {
        match self {
            Error::Sql(error) => error.is_transient(),
            Error::Redis(error) => error.is_passing(),
            Error::Rebuilding | Error::Restless => true,
            _ => false,
        }
    }
}

/// The result of a call to the figures.
pub type Result<T, E = Error> = std::result::Result<T, E>;
