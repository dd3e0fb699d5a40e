//! What the transitions of a step ask for, each kind written in one set.

use std::collections::HashMap;

use analytics::Fact;
use domain::{
    CauseKind, Channel, Effects, Money, MovementKind, NotificationId, NotificationKind, NotificationStatus,
    OrderId,
};
use sql::Tx;
use store::notifications::NewNotification;
use store::orders::Change;
use store::payments::PaymentRef;
use store::stock::Movement;

use super::facts;
use super::goods::Goods;
use super::step::{Done, Step};
use crate::Result;
use crate::jobs::{Payload as _, TakePayment, VoidCharge, sending};
use crate::refunds::owed::{self, Owed};

impl Step<'_> {
    /// Each transition, guarded by its order's version, with its event.
    pub(super) fn save(&self, tx: &mut Tx<'_>) -> Result<()> {
        let changes: Vec<Change<'_>> = self
            .done
            .iter()
            .map(|done| Change {
                head: done.before,
                state: done.transition.state,
                event: done.transition.event,
                data: done.data.as_deref(),
            })
            .collect();
        Ok(store::orders::save(tx, &changes, self.actor.as_str(), self.at)?)
    }

    /// The lines that the effects need; their products are locked only where stock moves.
    pub(super) fn read_goods(&self, tx: &mut Tx<'_>) -> Result<Goods> {
        let ids = |wanted: fn(&Effects) -> bool| -> Vec<OrderId> {
            let of = self.done.iter().filter(|done| wanted(&done.transition.effects));
            of.map(|done| done.before.id).collect()
        };
        let moving = ids(|effects| effects.reserve_stock || effects.release_stock);
        let counted = ids(|effects| effects.count_confirmed);
        let mut goods = if moving.is_empty() { Goods::default() } else { Goods::lock(tx, &moving)? };
        if !counted.is_empty() {
            goods.add_lines(tx, &counted)?;
        }
        Ok(goods)
    }

    /// Movements and the levels that they add up to.
    pub(super) fn move_stock(&mut self, tx: &mut Tx<'_>, goods: &Goods) -> Result<()> {
        for done in self.done.iter().filter(|done| !done.before.stock_untracked) {
            let Effects { reserve_stock, release_stock, .. } = done.transition.effects;
            let kind = match (reserve_stock, release_stock) {
                (true, _) => MovementKind::Reserve,
                (_, true) => MovementKind::Release,
                _ => continue,
            };
            for line in goods.lines(done.before.id).iter().filter(|line| goods.is_tracked(line.product)) {
                let quantity = line.units.held();
                if quantity > 0 {
                    self.movements.push(Movement {
                        cause: CauseKind::OrderLine,
                        cause_id: line.order.get(),
                        line_no: line.line_no,
                        kind,
                        product: line.product,
                        quantity,
                    });
                }
            }
        }
        Ok(store::stock::insert_movements(tx, &self.movements, self.at, None)?)
    }

    /// The intents to charge, and the jobs that do.
    pub(super) fn charge(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let mut requested = Vec::new();
        for done in self.done.iter().filter(|done| done.transition.effects.take_payment) {
            let state = done.transition.state;
            let payment = PaymentRef { order: done.before.id, attempt: done.next_attempt };
            // A later transition of the same step may have paid it: nothing is charged for an order of total 0.
            if state.total > 0 {
                requested.push((payment, Money { amount: state.total, currency: state.currency }));
                self.jobs.push(self.app.traced(payment.order, TakePayment::new(payment).job()));
            }
        }
        Ok(store::payments::insert_requested(tx, &requested, self.at)?)
    }

    /// The jobs that call open charges off.
    pub(super) fn void_charges(&mut self) {
        for done in self.done.iter().filter(|done| done.transition.effects.void_charge) {
            let order = done.before.id;
            self.jobs.push(self.app.traced(order, VoidCharge { order }.job()));
        }
    }

    /// The refunds that nobody asked for, and their jobs.
    pub(super) fn refund(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        for done in &self.done {
            if let Some(amount) = done.transition.effects.request_refund {
                let (order, version) = (done.before.id, done.before.version + 1);
                let owed = Owed { order, version, attempt: done.surplus_of };
                let job = owed::insert(tx, &done.before, owed, amount, self.at)?;
                self.jobs.push(self.app.traced(order, job));
            }
        }
        Ok(())
    }

    /// What customers are told, per channel, and the jobs that tell them.
    pub(super) fn notify(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let told: Vec<(&Done, NotificationKind)> = self
            .done
            .iter()
            .filter(|done| done.before.notify)
            .filter_map(|done| done.transition.effects.notify.map(|kind| (done, kind)))
            .collect();
        let channels = self.app.channels();
        if told.is_empty() || channels.is_empty() {
            return Ok(());
        }
        let customers: Vec<_> = told.iter().map(|(done, _)| done.before.customer).collect();
        let emails: HashMap<_, _> = store::customers::list(tx, &customers)?
            .into_iter()
            .map(|customer| (customer.id, customer.email))
            .collect();
        let mut ids = tx.next_ids("notifications", (told.len() * channels.len()) as u64)?;
        let mut rows = Vec::with_capacity(told.len() * channels.len());
        for (done, kind) in &told {
            let email = emails.get(&done.before.customer).and_then(Option::as_deref);
            for (channel, id) in channels.iter().zip(&mut ids) {
                let recipient = self.app.notifier().receiver(*channel).or(email);
                rows.push(notification(NotificationId::from_ledger(id), done, *kind, *channel, recipient));
            }
        }
        store::notifications::insert(tx, &rows, self.at)?;
        let queued = rows.iter().filter(|row| row.status == NotificationStatus::Queued);
        self.jobs.extend(queued.map(|row| self.app.traced(row.order, sending(row.channel, row.id))));
        Ok(())
    }

    /// What the figures are told.
    pub(super) fn count(&mut self, goods: &Goods) {
        for Done { before, transition, reason, .. } in &self.done {
            let (order_id, customer_id) = (before.id, before.customer);
            let (currency, placed_at) = (before.state.currency, before.placed_at);
            let effects = transition.effects;
            if effects.count_confirmed {
                let lines = facts::sold(&before.totals, goods.lines(order_id));
                let (units, gross) = (transition.state.units, transition.state.total);
                let at = self.at;
                let fact =
                    Fact::Confirmed { order_id, customer_id, currency, placed_at, at, units, gross, lines };
                self.facts.push(fact);
            }
            if let (true, Some(reason)) = (effects.count_failed, *reason) {
                self.facts.push(Fact::Failed { order_id, currency, placed_at, reason });
            }
            if effects.count_cancelled {
                self.facts.push(Fact::Cancelled { order_id, currency, placed_at });
            }
        }
    }

    /// What an operator is told.
    pub(super) fn alert(&self) {
        for done in self.done.iter().filter(|done| done.transition.effects.alert) {
            tracing::error!(
                order = done.before.id.get(),
                event = done.transition.event.as_str(),
                data = done.data.as_deref().unwrap_or_default(),
                "an order needs a person's attention"
            );
        }
    }
}

fn notification<'e>(
    id: NotificationId,
    done: &Done,
    kind: NotificationKind,
    channel: Channel,
    recipient: Option<&'e str>,
) -> NewNotification<'e> {
    let (status, error) = match recipient {
        Some(_) => (NotificationStatus::Queued, None),
        None => (NotificationStatus::Skipped, Some("no e-mail address of the customer is known")),
    };
    NewNotification {
        id,
        order: done.before.id,
        kind,
        cause: done.before.version + 1,
        channel,
        recipient: recipient.unwrap_or_default(),
        status,
        error,
        resend_of: None,
    }
}
