//! Use cases, jobs, gateways and configuration.
