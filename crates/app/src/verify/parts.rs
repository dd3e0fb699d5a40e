use domain::OrderId;
use store::audit::{
    AuditedEvent, AuditedLine, AuditedMovement, AuditedNotification, AuditedOrder, AuditedPayment,
    AuditedRefund, AuditedRefundLine, Slice,
};
use store::orders::Head;

use super::findings::{Findings, Rule, Thing};

/// One order with all that belongs to it.
pub(super) struct Parts<'a> {
    pub(super) head: &'a Head,
    pub(super) lines: &'a [AuditedLine],
    pub(super) movements: &'a [AuditedMovement],
    pub(super) events: &'a [AuditedEvent],
    pub(super) payments: &'a [AuditedPayment],
    pub(super) refunds: &'a [AuditedRefund],
    pub(super) refund_lines: &'a [AuditedRefundLine],
    pub(super) notifications: &'a [AuditedNotification],
}

/// Rows in the order of orders, cut into those of one order after the other.
struct Rows<'a, T> {
    rest: &'a [T],
    order: fn(&T) -> OrderId,
    rule: Rule,
    what: &'static str,
}

impl<'a, T> Rows<'a, T> {
    fn new(rest: &'a [T], order: fn(&T) -> OrderId, rule: Rule, what: &'static str) -> Self {
        Rows { rest, order, rule, what }
    }

    /// The rows of the next order. Those before it belong to no order.
    fn of(&mut self, id: OrderId, findings: &mut Findings) -> &'a [T] {
        let order = self.order;
        let strays = self.rest.iter().take_while(|row| order(row) < id).count();
        self.strays(strays, findings);
        let own = self.rest.iter().take_while(|row| order(row) == id).count();
        let (own, rest) = self.rest.split_at(own);
        self.rest = rest;
        own
    }

    fn strays(&mut self, count: usize, findings: &mut Findings) {
        let (strays, rest) = self.rest.split_at(count);
        for stray in strays {
            let order = (self.order)(stray);
            findings.breach(
                self.rule,
                Thing::Order(order),
                self.what,
                "of an order",
                "the order is not there",
            );
        }
        self.rest = rest;
    }
}

/// Calls `each` with every order of a slice. Rows of orders that are not there are breaches.
pub(super) fn for_each_order(
    slice: &Slice,
    findings: &mut Findings,
    mut each: impl FnMut(&AuditedOrder, &Parts<'_>, &mut Findings),
) {
    let mut lines = Rows::new(&slice.lines, |row| row.line.order, Rule::Holding, "a line");
    let mut movements = Rows::new(&slice.movements, |row| row.order, Rule::Holding, "a movement");
    let mut events = Rows::new(&slice.events, |row| row.order, Rule::Timeline, "an event");
    let mut payments = Rows::new(&slice.payments, |row| row.order, Rule::Money, "a payment");
    let mut refunds = Rows::new(&slice.refunds, |row| row.order, Rule::Money, "a refund");
    let mut refund_lines = Rows::new(&slice.refund_lines, |row| row.order, Rule::Money, "a line of a refund");
    let mut notifications =
        Rows::new(&slice.notifications, |row| row.order, Rule::Timeline, "a notification");
    for order in &slice.orders {
        let id = order.head.id;
        let parts = Parts {
            head: &order.head,
            lines: lines.of(id, findings),
            movements: movements.of(id, findings),
            events: events.of(id, findings),
            payments: payments.of(id, findings),
            refunds: refunds.of(id, findings),
            refund_lines: refund_lines.of(id, findings),
            notifications: notifications.of(id, findings),
        };
        each(order, &parts, findings);
    }
    lines.strays(lines.rest.len(), findings);
    movements.strays(movements.rest.len(), findings);
    events.strays(events.rest.len(), findings);
    payments.strays(payments.rest.len(), findings);
    refunds.strays(refunds.rest.len(), findings);
    refund_lines.strays(refund_lines.rest.len(), findings);
    notifications.strays(notifications.rest.len(), findings);
}
