/// What the ledger can answer besides its rows.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such row.
    #[error("there is no {what} {name}")]
    Missing {
        /// The kind of thing, such as `order`.
        what: &'static str,
        /// How it was named.
        name: String,
    },
    /// The row was changed by somebody else since it was read.
    #[error("{what} {name} was changed by somebody else at the same moment; repeat the request")]
    Conflict {
        /// The kind of thing.
        what: &'static str,
        /// How it is named.
        name: String,
    },
    /// The ledger holds a value that this program does not know.
    #[error("the ledger holds {found} as {what}, which this version of ordermill does not know")]
    Unknown {
        /// The column.
        what: &'static str,
        /// Its value.
        found: String,
    },
    /// It would take looking at more than one request may.
    #[error("{0}")]
    TooBroad(String),
    /// The database.
    #[error(transparent)]
    Database(#[from] sql::Error),
}

/// The result of a ledger call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A row that is not there.
    pub fn missing(what: &'static str, name: impl ToString) -> Self {
        Error::Missing { what, name: name.to_string() }
    }
}
