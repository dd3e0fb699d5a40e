use std::collections::HashMap;

use analytics::Fact;
use domain::{
    Action, CauseKind, Channel, Effects, FailReason, Money, MovementKind, NotificationId, NotificationKind,
    NotificationStatus, OrderId, ProductId, Refused, Transition,
};
use jiff::Timestamp;
use queue::NewJob;
use sql::Tx;
use store::notifications::NewNotification;
use store::orders::{Change, Head, Line};
use store::payments::PaymentRef;
use store::products::Level;
use store::stock::Movement;

use super::facts;
use crate::jobs::{Payload as _, SendNotification, TakePayment, VoidCharge};
use crate::refunds::owed::{self, Owed};
use crate::{Actor, App, Result};

/// The transitions of one transaction.
///
/// Orders are locked when the step begins, in the order of their ids; products, then figures, when it ends. Every
/// transition goes through [`OrderState::apply`](domain::OrderState::apply), and its effects are written by
/// [`finish`](Self::finish), each kind in one set.
pub(crate) struct Step<'a> {
    app: &'a App,
    actor: &'a Actor,
    at: Timestamp,
    heads: Vec<Head>,
    done: Vec<Done>,
    movements: Vec<Movement>,
    facts: Vec<Fact>,
    jobs: Vec<NewJob>,
    owed: Vec<Owed>,
    goods: Option<Goods>,
}

/// A transition that was applied.
struct Done {
    before: Head,
    transition: Transition,
    data: Option<String>,
    /// The attempt that follows, where one is to be made.
    next_attempt: i64,
    reason: Option<FailReason>,
}

/// The lines of orders and the levels of the products in them.
#[derive(Default)]
pub(crate) struct Goods {
    lines: HashMap<OrderId, Vec<Line>>,
    levels: HashMap<ProductId, Level>,
}

impl Goods {
    /// Reads the lines of orders and, for those that move stock, locks their products in the order of ids.
    pub(crate) fn lock(tx: &mut Tx<'_>, orders: &[OrderId]) -> Result<Self> {
        let mut goods = Self::read(tx, orders)?;
        let mut products: Vec<ProductId> = goods.lines.values().flatten().map(|line| line.product).collect();
        products.sort_unstable();
        products.dedup();
        goods.levels = store::products::lock_levels(tx, &products)?;
        Ok(goods)
    }

    fn read(tx: &mut Tx<'_>, orders: &[OrderId]) -> Result<Self> {
        let mut lines: HashMap<OrderId, Vec<Line>> = HashMap::with_capacity(orders.len());
        for line in store::orders::list_lines(tx, orders)? {
            lines.entry(line.order).or_default().push(line);
        }
        Ok(Goods { lines, levels: HashMap::new() })
    }

    /// The lines of an order.
    pub(crate) fn lines(&self, order: OrderId) -> &[Line] {
        self.lines.get(&order).map_or(&[], Vec::as_slice)
    }

    /// The level of a product whose stock is counted.
    pub(crate) fn level_mut(&mut self, product: ProductId) -> Option<&mut Level> {
        self.levels.get_mut(&product).filter(|level| level.tracked)
    }

    /// Units of a product that can be sold; none where its stock is not counted.
    pub(crate) fn available(&self, product: ProductId) -> Option<i64> {
        self.levels.get(&product).filter(|level| level.tracked).map(|level| level.on_hand - level.reserved)
    }

    fn is_tracked(&self, product: ProductId) -> bool {
        self.levels.get(&product).is_some_and(|level| level.tracked)
    }
}

impl<'a> Step<'a> {
    /// Locks the orders that exist among `ids`.
    pub(crate) fn begin(
        app: &'a App,
        tx: &mut Tx<'_>,
        actor: &'a Actor,
        at: Timestamp,
        ids: &[OrderId],
    ) -> Result<Self> {
        let heads = store::orders::lock_heads(tx, ids)?;
        Ok(Step {
            app,
            actor,
            at,
            heads,
            done: Vec::new(),
            movements: Vec::new(),
            facts: Vec::new(),
            jobs: Vec::new(),
            owed: Vec::new(),
            goods: None,
        })
    }

    /// The orders that are locked, in the order of their ids.
    pub(crate) fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// Spares [`finish`](Self::finish) reading what is at hand: the lines and levels of every order that changes.
    pub(crate) fn take_goods(&mut self, goods: Goods) {
        self.goods = Some(goods);
    }

    /// Where the order stands now, this step's transitions included.
    pub(crate) fn head(&self, id: OrderId) -> Option<&Head> {
        self.heads.binary_search_by_key(&id, |head| head.id).ok().map(|index| &self.heads[index])
    }

    /// Does `action` to an order. `data` is kept with the event.
    pub(crate) fn apply(
        &mut self,
        id: OrderId,
        action: Action,
        data: Option<String>,
    ) -> Result<Result<Transition, Refused>> {
        let index = self
            .heads
            .binary_search_by_key(&id, |head| head.id)
            .map_err(|_| store::Error::missing("order", id))?;
        let before = self.heads[index];
        let transition = match before.state.apply(action, self.at) {
            Ok(transition) => transition,
            Err(refused) => return Ok(Err(refused)),
        };
        let head = &mut self.heads[index];
        head.state = transition.state;
        head.version += 1;
        let reason = transition.state.fail_reason;
        self.done.push(Done { before, transition, data, next_attempt: 1, reason });
        Ok(Ok(transition))
    }

    /// Makes the payment that the last transition asks for this attempt, rather than the first.
    pub(crate) fn set_next_attempt(&mut self, attempt: i64) {
        if let Some(done) = self.done.last_mut() {
            done.next_attempt = attempt;
        }
    }

    /// Adds movements that the transitions do not imply: of shipments and refunds.
    pub(crate) fn add_movements(&mut self, movements: impl IntoIterator<Item = Movement>) {
        self.movements.extend(movements);
    }

    /// Adds a figure that the transitions do not imply: a refund, with its lines.
    pub(crate) fn add_fact(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// Adds a job.
    pub(crate) fn add_job(&mut self, job: NewJob) {
        self.jobs.push(job);
    }

    /// Names the capture whose money the last transition wants to give back.
    pub(crate) fn owe_attempt(&mut self, attempt: i64) {
        if let Some(done) = self.done.last() {
            let order = done.before.id;
            self.owed.push(Owed { order, version: done.before.version + 1, attempt: Some(attempt) });
        }
    }

    /// Writes the transitions and all that they ask for.
    pub(crate) fn finish(mut self, tx: &mut Tx<'_>) -> Result<()> {
        if self.done.is_empty() && self.jobs.is_empty() {
            return Ok(());
        }
        self.save(tx)?;
        let goods = match self.goods.take() {
            Some(goods) => goods,
            None => self.read_goods(tx)?,
        };
        self.move_stock(tx, &goods)?;
        self.charge(tx)?;
        self.void_charges();
        self.refund(tx)?;
        self.notify(tx)?;
        self.count(&goods);
        analytics::apply(tx, self.app.calendar(), &self.facts)?;
        self.app.queue().push_in(tx, &self.jobs)?;
        self.alert();
        Ok(())
    }

    fn save(&self, tx: &mut Tx<'_>) -> Result<()> {
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
    fn read_goods(&self, tx: &mut Tx<'_>) -> Result<Goods> {
        let ids = |wanted: fn(&Effects) -> bool| -> Vec<OrderId> {
            let of = self.done.iter().filter(|done| wanted(&done.transition.effects));
            of.map(|done| done.before.id).collect()
        };
        let moving = ids(|effects| effects.reserve_stock || effects.release_stock);
        let counted = ids(|effects| effects.count_confirmed);
        let mut goods = if moving.is_empty() { Goods::default() } else { Goods::lock(tx, &moving)? };
        if !counted.is_empty() {
            goods.lines.extend(Goods::read(tx, &counted)?.lines);
        }
        Ok(goods)
    }

    fn move_stock(&mut self, tx: &mut Tx<'_>, goods: &Goods) -> Result<()> {
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

    fn charge(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let mut requested = Vec::new();
        for done in self.done.iter().filter(|done| done.transition.effects.take_payment) {
            let state = done.transition.state;
            let payment = PaymentRef { order: done.before.id, attempt: done.next_attempt };
            // A later transition of the same step may have paid it: nothing is charged for an order of total 0.
            if state.total > 0 {
                requested.push((payment, Money { amount: state.total, currency: state.currency }));
                self.jobs.push(TakePayment::new(payment).job());
            }
        }
        Ok(store::payments::insert_requested(tx, &requested, self.at)?)
    }

    fn void_charges(&mut self) {
        for done in self.done.iter().filter(|done| done.transition.effects.void_charge) {
            self.jobs.push(VoidCharge { order: done.before.id }.job());
        }
    }

    fn refund(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        for done in &self.done {
            if let Some(amount) = done.transition.effects.request_refund {
                let version = done.before.version + 1;
                let named =
                    self.owed.iter().find(|owed| owed.order == done.before.id && owed.version == version);
                let attempt = named.and_then(|owed| owed.attempt);
                let owed = Owed { order: done.before.id, version, attempt };
                self.jobs.push(owed::insert(tx, &done.before, owed, amount, self.at)?);
            }
        }
        Ok(())
    }

    fn notify(&mut self, tx: &mut Tx<'_>) -> Result<()> {
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
                rows.push(notification(NotificationId::from_ledger(id), done, *kind, *channel, email));
            }
        }
        store::notifications::insert(tx, &rows, self.at)?;
        let queued = rows.iter().filter(|row| row.status == NotificationStatus::Queued);
        self.jobs.extend(queued.map(|row| SendNotification { notification: row.id }.job()));
        Ok(())
    }

    fn count(&mut self, goods: &Goods) {
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

    fn alert(&self) {
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
    email: Option<&'e str>,
) -> NewNotification<'e> {
    let (status, error) = match email {
        Some(_) => (NotificationStatus::Queued, None),
        None => (NotificationStatus::Skipped, Some("no e-mail address of the customer is known")),
    };
    NewNotification {
        id,
        order: done.before.id,
        kind,
        cause: done.before.version + 1,
        channel,
        recipient: email.unwrap_or_default(),
        status,
        error,
        resend_of: None,
    }
}
