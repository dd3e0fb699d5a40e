//! The pure rules of ordermill: money, ids, orders, payments, fulfilment, refunds, stock and KPI definitions.
