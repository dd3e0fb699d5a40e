//! The one door to OpenTelemetry: spans where work changes hands, and how a trace travels with what follows from it.
//!
//! A trace begins with a request, a command or an imported order, and each begins one or does not, by the ratio. Whatever
//! goes on in a trace that is kept is a [`Span`] of it; elsewhere a span is nothing and costs nothing. What is to happen
//! later, or elsewhere, takes the [`Trace`] along.
//!
//! Until [`start()`] was called nothing is kept, and asking whether it is costs one load.

mod exporter;
mod sampling;
mod span;
mod start;
mod trace;

pub use span::{Kind, Span, is_on};
pub use start::{Error, Running, Settings, start};
pub use trace::{TRACEPARENT, Trace};
