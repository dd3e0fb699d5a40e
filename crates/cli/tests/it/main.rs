//! The real program, in processes of its own.
#![allow(clippy::unwrap_used)]

mod accounts;
mod backups;
mod books;
mod browser;
mod calls;
mod chaos;
mod clusters;
mod deploying;
mod documents;
mod faults;
mod fetching;
mod figures;
mod gateway;
mod importing;
mod killed;
mod listening;
mod mails;
mod nasty;
mod online_retail;
mod ordering;
mod printing;
mod refunding;
mod retail;
mod servers;
mod settings;
mod sharing;
mod shell;
mod showing;
mod small_orders;
mod sqlite;
mod stopping;
mod support;
mod tracing;
mod uploading;
mod zombie;
