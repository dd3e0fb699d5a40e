//! How orders change: a [`Step`] gathers the transitions of one transaction and writes all they ask for, in sets.

pub(crate) mod facts;
mod payment_key;
mod step;

pub(crate) use payment_key::PaymentKey;
pub(crate) use step::{Goods, Step};
