//! An order with its lines, its stock and its refunds, driven as the use cases drive it.

use domain::refund::movements;
use domain::{
    Action, Currency, Effects, LineUnits, Money, MovementKind, OrderState, RefundedUnits, Refused,
    StockLevel, Transition,
};
use jiff::Timestamp;

/// A refund under way.
#[derive(Debug, Clone)]
pub struct Pending {
    amount: i64,
    /// Index of the line and units of it.
    lines: Vec<(usize, i64)>,
    surplus: bool,
}

/// The whole ledger of one order.
#[derive(Debug)]
pub struct World {
    pub state: OrderState,
    pub lines: Vec<LineUnits>,
    /// Stock per line, as if each were its own product.
    pub stock: Vec<StockLevel>,
    pub pending: Vec<Pending>,
    pub refund_was_given_up: bool,
}

pub const AT: Timestamp = Timestamp::UNIX_EPOCH;

pub const fn euro(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

impl World {
    pub fn new(quantities: &[i64], total: i64) -> Self {
        let lines =
            quantities.iter().map(|quantity| LineUnits { quantity: *quantity, ..LineUnits::default() });
        let stock = quantities.iter().map(|quantity| StockLevel { on_hand: quantity + 1, reserved: 0 });
        Self {
            state: OrderState::placed(euro(total), quantities.iter().sum()),
            lines: lines.collect(),
            stock: stock.collect(),
            pending: Vec::new(),
            refund_was_given_up: false,
        }
    }

    /// Applies an action that carries no lines.
    pub fn act(&mut self, action: Action) -> Result<Transition, Refused> {
        let before = self.state;
        let transition = self.state.apply(action, AT)?;
        self.state = transition.state;
        self.follow(&transition.effects, &before);
        Ok(transition)
    }

    /// Ships so many units of a line, if the line has them.
    pub fn ship(&mut self, line: usize, units: i64) -> Option<Transition> {
        if units > self.lines[line].shippable() {
            return None;
        }
        let transition = self.state.apply(Action::Ship { units }, AT).ok()?;
        self.state = transition.state;
        self.lines[line].shipped += units;
        self.move_stock(line, MovementKind::Ship, units);
        Some(transition)
    }

    /// Asks for money and units back.
    pub fn request_refund(&mut self, amount: i64, line: usize, count: i64) -> Option<Transition> {
        if count > self.lines[line].refundable() {
            return None;
        }
        let units = self.lines[line].on_request(count);
        let transition = self.state.apply(Action::RequestRefund { amount, units }, AT).ok()?;
        self.state = transition.state;
        self.lines[line].refund_pending += count;
        self.pending.push(Pending { amount, lines: vec![(line, count)], surplus: false });
        Some(transition)
    }

    /// Settles one of the refunds under way, for good or bad.
    pub fn settle(&mut self, which: usize, succeeds: bool, restock: bool) -> Option<Transition> {
        if self.pending.is_empty() {
            return None;
        }
        let refund = self.pending.swap_remove(which % self.pending.len());
        let Pending { amount, surplus, .. } = refund;
        let per_line: Vec<RefundedUnits> = refund
            .lines
            .iter()
            .map(|(line, count)| {
                let line = self.lines[*line];
                if succeeds { line.on_success(*count, restock) } else { line.on_failure(*count) }
            })
            .collect();
        let units = per_line.iter().copied().sum();
        let action = if succeeds {
            Action::RefundSucceeded { amount, units, surplus }
        } else {
            Action::RefundFailed { amount, units }
        };
        let transition = self.state.apply(action, AT).expect("a pending refund can be settled");
        self.state = transition.state;
        self.refund_was_given_up |= !succeeds;
        for ((line, count), units) in refund.lines.into_iter().zip(per_line) {
            self.lines[line].refund_pending -= count;
            self.lines[line].refunded += if succeeds { count } else { 0 };
            if transition.effects.restock {
                movements(units, restock).for_each(|(kind, quantity)| self.move_stock(line, kind, quantity));
            }
        }
        Some(transition)
    }

    fn follow(&mut self, effects: &Effects, before: &OrderState) {
        for line in 0..self.lines.len() {
            let units = self.lines[line];
            if effects.reserve_stock {
                self.move_stock(line, MovementKind::Reserve, units.quantity);
            }
            if effects.release_stock && units.held() > 0 {
                self.move_stock(line, MovementKind::Release, units.held());
            }
        }
        if let Some(amount) = effects.request_refund {
            let surplus = before.captured != self.state.captured;
            self.pending.push(Pending { amount, lines: Vec::new(), surplus });
        }
    }

    fn move_stock(&mut self, line: usize, kind: MovementKind, quantity: i64) {
        let level = self.stock[line].apply(kind, quantity);
        self.stock[line] = level.expect("the stock has what the state machine says");
    }
}
