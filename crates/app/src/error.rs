use domain::order::OrderTotals;

/// What a use case can answer besides its result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The state does not allow it.
    #[error(transparent)]
    Refused(#[from] domain::Refused),
    /// The caps do not allow it.
    #[error(transparent)]
    RefundRefused(#[from] domain::RefundRefused),
    /// The request contradicts itself or what is known.
    #[error("{0}")]
    Invalid(String),
    /// A file that is sent has more bytes than it may.
    #[error("the file has more than {limit} bytes, the most that `[imports] max_file_bytes` allows")]
    TooLarge {
        /// Bytes.
        limit: u64,
    },
    /// A file cannot be fetched from where it is said to be.
    #[error("the file cannot be fetched: {reason}")]
    Fetch {
        /// Why.
        reason: String,
        /// Whether it may be fetched later.
        passing: bool,
    },
    /// A fault of ours.
    #[error("{0}")]
    Internal(String),
    /// It stands where that cannot be done to it.
    #[error("{0}")]
    WrongState(String),
    /// There is one of that name.
    #[error("there is a {what} {name} already")]
    Exists {
        /// The kind of thing.
        what: &'static str,
        /// How it was named.
        name: String,
    },
    /// The order has moved on since the caller looked at it.
    #[error("order {order} is at version {version}, not at {expected}; look at it again")]
    Moved {
        /// The order.
        order: domain::OrderId,
        /// The version that was expected.
        expected: i64,
        /// The version that it is at.
        version: i64,
    },
    /// The catalogue says something else of the product than what the caller saw.
    #[error("the product {sku} was changed since; look at it again")]
    ProductChanged {
        /// The product.
        sku: String,
    },
    /// A key was used before for a request with another body.
    #[error(
        "the key `{key}` was used before for another request; take a fresh key, or repeat that request as it was"
    )]
    KeyTaken {
        /// The key.
        key: String,
    },
    /// A key was used before for something else.
    #[error(
        "the key `{key}` was used before for another refund (order {order}, {amount}); take a fresh key, or repeat that \
         request as it was"
    )]
    KeyReused {
        /// The key.
        key: String,
        /// The order of the first request.
        order: domain::OrderId,
        /// The amount of the first request.
        amount: domain::Money,
    },
    /// The file cannot be imported.
    #[error(transparent)]
    Import(#[from] importer::ReadError),
    /// The payment gateway.
    #[error(transparent)]
    Gateway(#[from] crate::gateways::GatewayError),
    /// The figures.
    #[error(transparent)]
    Analytics(#[from] analytics::Error),
    /// Redis.
    #[error(transparent)]
    Redis(#[from] redis_link::Error),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] queue::Error),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] store::Error),
    /// A file.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The settings.
    #[error("{0}")]
    Config(String),
}

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<sql::Error> for Error {
    fn from(error: sql::Error) -> Self {
        Error::Ledger(error.into())
    }
}

impl Error {
    /// Whether it is ours to mend, and nobody's who asks for something.
    pub fn is_internal(&self) -> bool {
        use importer::ReadError as Read;
        match self {
            Error::Internal(_) => true,
            // A profile that a caller names is one of ours or of the settings' folder.
            Error::Import(error) => matches!(
                error,
                Read::Open { .. } | Read::Io(_) | Read::Write(_) | Read::Spill(_) | Read::BadProfile { .. }
            ),
            _ => false,
        }
    }

    /// Whether there was no room for a file.
    pub fn is_disk_full(&self) -> bool {
        use importer::ReadError as Read;
        let (Error::File { source, .. } | Error::Import(Read::Write(source) | Read::Spill(source))) = self
        else {
            return false;
        };
        source.kind() == std::io::ErrorKind::StorageFull
    }

    /// Whether repeating it later may succeed without anybody changing anything.
    pub fn is_passing(&self) -> bool {
        match self {
            Error::Ledger(store::Error::Conflict { .. }) => true,
            Error::Ledger(store::Error::Database(error)) | Error::Queue(queue::Error::Database(error)) => {
                error.is_transient()
            }
            Error::Fetch { passing, .. } => *passing,
            Error::Gateway(error) => error.is_passing(),
            Error::Redis(error) | Error::Queue(queue::Error::Redis(error)) => error.is_passing(),
            Error::Analytics(error) => error.is_passing(),
            _ => false,
        }
    }
}

/// Totals that a request's lines add up to.
pub(crate) fn totals_of(
    result: std::result::Result<OrderTotals, domain::order::TotalsError>,
) -> Result<OrderTotals> {
    result.map_err(|error| Error::Invalid(error.to_string()))
}
