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
mod page_customers;
mod page_imports;
mod page_notifications;
mod page_orders;
mod page_people;
mod page_products;
mod page_queues;
mod page_refunds;
mod page_system;
mod page_webhooks;
mod pages;
mod problems;
mod session;
mod sessions;
mod setup;
mod support;
mod webhooks;
mod wrong_requests;
