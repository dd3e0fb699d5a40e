use std::fmt::{Display, Formatter};

use socket2::{Domain, Socket, Type};

/// A port of the loopback that is nobody else's while this is held: a server that is told of it can listen there, at
/// once or later and more than once; until one does, connections are refused.
///
/// A port that was merely free a moment ago may have become the near end of another test's connection. This one is
/// bound and never listens, so Linux gives its number to nobody who asks for any, and lets servers that set
/// `SO_REUSEADDR` in by name. It shows as `127.0.0.1:PORT`.
pub struct Port {
    number: u16,
    _bound: Socket,
}

impl Port {
    /// Some free port.
    pub fn reserve() -> Self {
        let bound = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        bound.set_reuse_address(true).expect("an address to share");
        bound
            .bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .expect("a free port on the loopback");
        let at = bound.local_addr().ok().and_then(|at| at.as_socket());
        Port { number: at.expect("the address of a bound socket").port(), _bound: bound }
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}

impl Display for Port {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        write!(out, "127.0.0.1:{}", self.number)
    }
}
