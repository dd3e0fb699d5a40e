//! How orders change: a [`Step`] gathers the transitions of one transaction and writes all they ask for, in sets.

mod effects;
pub(crate) mod facts;
mod goods;
mod payment_key;
mod step;

pub(crate) use goods::Goods;
pub(crate) use payment_key::PaymentKey;
pub(crate) use step::Step;
