//! The real program, in processes of its own.

mod figures;
mod importing;
mod nasty;
mod ordering;
mod printing;
mod refunding;
mod settings;
mod showing;
mod small_orders;
mod support;
