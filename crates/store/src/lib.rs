//! The ledger's SQL.
