use std::net::SocketAddr;

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken, not ours, or not allowed.
    #[error("cannot listen on {address}; end what listens there, or choose another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The gateway's settings.
    #[error("[gateway] {setting}: {reason}")]
    Setting {
        /// Which one.
        setting: &'static str,
        /// What is wrong with it, and what to write.
        reason: String,
    },
    /// The client that sends callbacks.
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
    /// Something else of this process counts already, elsewhere.
    #[error("metrics cannot be counted: something else in this process counts them")]
    Metrics,
    /// A server that was asked whether it is ready gave no answer.
    #[error("the server at {address} gives no answer")]
    NoAnswer {
        /// Where it was asked.
        address: SocketAddr,
        /// What happened.
        source: axum::BoxError,
    },
    /// A server said that it is not ready.
    #[error("the server is not ready: {reason}")]
    NotReady {
        /// What is not, and why.
        reason: String,
    },
    /// The gateway's own database.
    #[error(transparent)]
    Database(#[from] sql::Error),
    /// The gateway's own queue.
    #[error(transparent)]
    Queue(#[from] queue::Error),
}

/// The result of running a server.
pub type Result<T, E = Error> = std::result::Result<T, E>;
