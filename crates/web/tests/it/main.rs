//! The servers as their clients see them: real sockets, real signatures, databases in folders of their own.

#![allow(clippy::unwrap_used)]

mod access;
mod api_catalogue;
mod api_imports;
mod api_lists;
mod api_orders;
mod api_queue;
mod api_sources;
mod browsers;
mod callbacks;
mod calls;
mod contract;
mod document;
mod documentation;
mod events;
mod gateway;
mod health;
mod hostile;
mod http_payments;
mod limits;
mod metrics;
mod page_queues;
mod pages;
mod problems;
mod session;
mod sessions;
mod setup;
mod support;
mod webhooks;
mod wrong_requests;
