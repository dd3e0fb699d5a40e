//! What the job engine promises, checked on every place that jobs can be kept in.

#![allow(clippy::unwrap_used)]

mod alerts;
mod figures;
mod lab;
mod model;
mod plans;
mod redis;
mod rules;
mod settings;
mod supervising;
