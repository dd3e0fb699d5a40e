use redis::{ErrorKind, RedisError, ServerErrorKind};

/// What a call can answer besides its result.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is none that we know.
    #[error(
        "`{0}` is not an address of Redis; use `redis://HOST:PORT`, `redis+cluster://HOST:PORT,…` or \
         `redis+sentinel://HOST:PORT,…/NAME`, with `rediss` for TLS"
    )]
    Address(String),
    /// The server cannot be reached, does not answer in time, or cannot take writes now. The call may have been
    /// carried out all the same.
    #[error("Redis at {target} cannot be used now")]
    Unavailable {
        /// Where it is.
        target: String,
        /// What happened.
        source: RedisError,
    },
    /// The server refused the call.
    #[error("Redis refused a call")]
    Refused {
        /// What it said.
        source: RedisError,
    },
}

/// The result of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn of(target: &str, source: RedisError) -> Self {
        if is_passing(&source) {
            Error::Unavailable { target: target.to_owned(), source }
        } else {
            Error::Refused { source }
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_passing(&self) -> bool {
        matches!(self, Error::Unavailable { .. })
    }
}

fn is_passing(error: &RedisError) -> bool {
    let passing = matches!(
        error.kind(),
        ErrorKind::Io
            | ErrorKind::ClusterConnectionNotFound
            | ErrorKind::MasterNameNotFoundBySentinel
            | ErrorKind::NoValidReplicasFoundBySentinel
            | ErrorKind::Server(
                ServerErrorKind::BusyLoading
                    | ServerErrorKind::Moved
                    | ServerErrorKind::Ask
                    | ServerErrorKind::TryAgain
                    | ServerErrorKind::ClusterDown
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::ReadOnly
            )
    );
    passing
        || error.is_timeout()
        || error.is_connection_dropped()
        || error.is_cluster_error()
        // A script that another one keeps waiting, a replica that lacks its primary, a disk that refuses a snapshot.
        || matches!(error.code(), Some("BUSY" | "NOREPLICAS" | "MISCONF" | "OOM" | "UNBLOCKED"))
}
