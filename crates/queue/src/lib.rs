//! A durable job engine: leases with fencing tokens, batch handlers, and effects that land once.
