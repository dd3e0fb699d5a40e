//! The one door to a database: pools, whole transactions, values, dialects and migrations.
