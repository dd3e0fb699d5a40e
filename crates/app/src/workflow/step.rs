use analytics::Fact;
use domain::{Action, FailReason, OrderId, Refused, Transition};
use jiff::Timestamp;
use queue::NewJob;
use sql::Tx;
use store::orders::Head;
use store::stock::Movement;

use super::goods::Goods;
use crate::{Actor, App, Result, figures};

/// The transitions of one transaction.
///
/// Orders are locked when the step begins, in the order of their ids; products, then figures, when it ends. Every
/// transition goes through [`OrderState::apply`](domain::OrderState::apply), and its effects are written by
/// [`finish`](Self::finish), each kind in one set.
pub(crate) struct Step<'a> {
    pub(super) app: &'a App,
    pub(super) actor: &'a Actor,
    pub(super) at: Timestamp,
    pub(super) heads: Vec<Head>,
    pub(super) done: Vec<Done>,
    pub(super) movements: Vec<Movement>,
    pub(super) facts: Vec<Fact>,
    pub(super) jobs: Vec<NewJob>,
    goods: Option<Goods>,
}

/// A transition that was applied.
pub(super) struct Done {
    pub(super) before: Head,
    pub(super) transition: Transition,
    pub(super) data: Option<String>,
    /// The attempt that follows, where one is to be made.
    pub(super) next_attempt: i64,
    /// The attempt whose capture was not needed, where one was.
    pub(super) surplus_of: Option<i64>,
    pub(super) reason: Option<FailReason>,
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
        self.done.push(Done { before, transition, data, next_attempt: 1, surplus_of: None, reason });
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

    /// Adds a job of an order.
    pub(crate) fn add_job(&mut self, order: OrderId, job: NewJob) {
        self.jobs.push(self.app.traced(order, job));
    }

    /// Names the capture whose money the last transition wants to give back.
    pub(crate) fn owe_attempt(&mut self, attempt: i64) {
        if let Some(done) = self.done.last_mut() {
            done.surplus_of = Some(attempt);
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
        figures::tell(self.app, tx, &self.facts)?;
        self.app.queue().push_in(tx, &self.jobs)?;
        self.alert();
        Ok(())
    }
}
