//! The promises of the use cases and jobs, on real databases and servers.
#![allow(clippy::unwrap_used)]

mod deeds;
mod engine;
mod figures;
mod gateway;
mod gateway_faults;
mod import_control;
mod import_history;
mod import_inputs;
mod imports;
mod inbox;
mod jobs;
mod kpis;
mod ledger;
mod lived;
mod notifications;
mod order_file;
mod order_lists;
mod payments;
mod redis;
mod refund_sequences;
mod refunds;
mod stock;
mod support;
mod verify;
