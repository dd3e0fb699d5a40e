//! KPIs and leaderboards, kept in the ledger's transaction and rebuilt from it.
