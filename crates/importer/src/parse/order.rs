//! One order's rows as one order.

use domain::order::{OrderTotals, TotalsError};
use domain::{Currency, Email, ExternalId, Label, TextRule};
use jiff::Timestamp;

use super::amounts::AmountReader;
use super::cells::{Fault, Reading};
use super::dates::DateReader;
use super::group::Group;
use super::{ParsedCustomer, ParsedLine, ParsedOrder, Recorded, Rules, TotalMismatch};
use super::{fingerprint, line};
use crate::{Field, Layout, Reject, RejectCode};

/// The most characters that notes may have.
const MAX_NOTES: usize = 10_000;

/// Reads orders; keeps what consecutive orders mostly have in common.
pub(super) struct OrderReader<'a> {
    pub(super) layout: &'a Layout,
    pub(super) rules: &'a Rules,
    pub(super) columns: [Option<usize>; Field::ALL.len()],
    dates: DateReader<'a>,
    currency: Option<(String, Currency)>,
    fingerprint: Vec<u8>,
}

impl<'a> OrderReader<'a> {
    pub(super) fn new(layout: &'a Layout, rules: &'a Rules) -> Self {
        let columns = Field::ALL.map(|field| layout.column(field));
        let dates = DateReader::new(&layout.profile, rules);
        Self { layout, rules, columns, dates, currency: None, fingerprint: Vec::new() }
    }

    /// Reads the first `count` rows of a group. Any bad row rejects them all.
    pub(super) fn read(
        &mut self,
        text: &'a str,
        group: &Group<'a>,
        count: usize,
    ) -> Result<ParsedOrder, Vec<Reject>> {
        let mut reading =
            Reading { reader: self, text, group, rows: &group.rows[..count], faults: Vec::new() };
        reading.check_shape();
        if reading.faults.is_empty() {
            let order = reading.order();
            if let (Some(order), true) = (order, reading.faults.is_empty()) {
                return Ok(order);
            }
        }
        Err(reading.into_rejects())
    }
}

impl Reading<'_, '_> {
    fn order(&mut self) -> Option<ParsedOrder> {
        let external_id = self.external_id();
        let customer = self.customer();
        let placed_at = self.placed_at();
        let currency = self.currency()?;
        let amounts = AmountReader::new(&self.reader.layout.profile, currency);
        let (lines, returns) = self.lines(&amounts);
        let totals = self.totals(&lines, &amounts);
        let recorded = self.recorded(&amounts);
        let payment_method = self.first(Field::PaymentMethod).and_then(|(row, text)| {
            let label = tidy_label(&text);
            self.parsed(label, row, RejectCode::InvalidText, Field::PaymentMethod)
        });
        let notes = self.notes();
        if !self.faults.is_empty() {
            return None;
        }
        let mut order = ParsedOrder {
            external_id: external_id?,
            placed_at: placed_at?,
            currency,
            customer: customer?,
            lines,
            returns,
            totals: totals?,
            payment_method,
            notes,
            recorded: recorded?,
            first_line: self.rows.first()?.line,
            last_line: self.rows.last()?.line,
            content_hash: [0; 16],
        };
        order.content_hash = fingerprint::of(&order, &mut self.reader.fingerprint);
        Some(order)
    }

    fn external_id(&mut self) -> Option<ExternalId> {
        let id = ExternalId::parse(&self.group.id);
        self.parsed(id, 0, RejectCode::InvalidText, Field::ExternalOrderId)
    }

    fn currency(&mut self) -> Option<Currency> {
        let default = self.reader.layout.profile.currency;
        if default.is_none() {
            self.require(Field::Currency);
        }
        let Some((row, code)) = self.agreed(Field::Currency, RejectCode::CurrencyDiffers) else {
            return default;
        };
        if let Some((_, currency)) = self.reader.currency.as_ref().filter(|(known, _)| *known == code) {
            return Some(*currency);
        }
        let currency =
            self.parsed(Currency::parse(&code), row, RejectCode::UnknownCurrency, Field::Currency)?;
        self.reader.currency = Some((code.into_owned(), currency));
        Some(currency)
    }

    fn customer(&mut self) -> Option<ParsedCustomer> {
        let faults_before = self.faults.len();
        for row in 0..self.rows.len() {
            let blank = |field| self.value(row, field).is_empty();
            let is_told_above = row > 0 && self.reader.layout.profile.fill_down;
            if !is_told_above && blank(Field::CustomerEmail) && blank(Field::CustomerId) {
                let message = "the row has neither an e-mail nor a customer id".to_owned();
                self.fault(row, RejectCode::MissingCustomer, Field::CustomerEmail, message);
            }
        }
        let email = self.agreed(Field::CustomerEmail, RejectCode::CustomerDiffers).and_then(|(row, text)| {
            self.parsed(Email::parse(&text), row, RejectCode::InvalidEmail, Field::CustomerEmail)
        });
        let external_id =
            self.agreed(Field::CustomerId, RejectCode::CustomerDiffers).and_then(|(row, text)| {
                self.parsed(ExternalId::parse(&text), row, RejectCode::InvalidText, Field::CustomerId)
            });
        let name = self.first(Field::CustomerName).and_then(|(row, text)| {
            self.parsed(tidy_label(&text), row, RejectCode::InvalidText, Field::CustomerName)
        });
        (self.faults.len() == faults_before).then_some(ParsedCustomer { external_id, email, name })
    }

    /// The earliest time of the rows: some lines of one order are written a minute later.
    fn placed_at(&mut self) -> Option<Timestamp> {
        self.require(Field::OrderPlacedAt);
        let mut earliest: Option<Timestamp> = None;
        let mut before: &[u8] = &[];
        for row in 0..self.rows.len() {
            let raw = self.raw(row, Field::OrderPlacedAt);
            if raw == before {
                continue;
            }
            before = raw;
            let text = self.value(row, Field::OrderPlacedAt);
            if text.is_empty() {
                continue;
            }
            match self.reader.dates.read(&text) {
                Ok(at) => earliest = Some(earliest.map_or(at, |earlier| earlier.min(at))),
                Err((code, message)) => self.fault(row, code, Field::OrderPlacedAt, message),
            }
        }
        earliest
    }

    fn lines(&mut self, amounts: &AmountReader<'_>) -> (Vec<ParsedLine>, Vec<ParsedLine>) {
        let (mut lines, mut returns) = (Vec::with_capacity(self.rows.len()), Vec::new());
        for row in 0..self.rows.len() {
            match line::read(self, row, amounts) {
                Ok((line, false)) => lines.push(line),
                Ok((line, true)) => returns.push(line),
                Err((code, field, message)) => self.fault(row, code, field, message),
            }
        }
        for (row, sku) in line::unmatched_returns(&lines, &returns) {
            let message = format!("more of {sku} comes back than the order has");
            self.fault(row, RejectCode::ReturnWithoutPurchase, Field::Qty, message);
        }
        (lines, returns)
    }

    fn totals(&mut self, lines: &[ParsedLine], amounts: &AmountReader<'_>) -> Option<OrderTotals> {
        let discount = self.amount(Field::Discount, amounts)?.unwrap_or_default();
        let shipping = self.amount(Field::Shipping, amounts)?.unwrap_or_default();
        let tax = self.amount(Field::Tax, amounts)?.unwrap_or_default();
        let told = self.amount(Field::OrderTotal, amounts)?;
        if !self.faults.is_empty() {
            return None;
        }
        let included = self.reader.layout.profile.tax_included;
        let sums = lines.iter().map(|line| line.total);
        let totals = OrderTotals::new(sums, discount, shipping, tax, included);
        let totals = self.sane(totals)?;
        match told {
            Some(told)
                if told != totals.total && self.reader.rules.total_mismatch == TotalMismatch::Reject =>
            {
                let (told, sum) = (amounts.show(told), amounts.show(totals.total));
                let message = format!("the order's total is {told}, but its rows add up to {sum}");
                self.fault(0, RejectCode::TotalMismatch, Field::OrderTotal, message);
                None
            }
            Some(told) => self.sane(totals.adjusted_to(told)),
            None => Some(totals),
        }
    }

    fn sane(&mut self, totals: Result<OrderTotals, TotalsError>) -> Option<OrderTotals> {
        self.parsed(totals, 0, RejectCode::TotalOutOfRange, Field::OrderTotal)
    }

    fn recorded(&mut self, amounts: &AmountReader<'_>) -> Option<Recorded> {
        let refunded = self.amount(Field::RefundedAmount, amounts)?.unwrap_or_default();
        let [payment, fulfilment, cancelled] =
            [Field::PaymentStatus, Field::FulfilmentStatus, Field::CancelledAt]
                .map(|field| self.first(field));
        let cancelled_row = cancelled.as_ref().map(|(row, _)| *row);
        let words = [&payment, &fulfilment].map(|told| told.as_ref().map(|(_, word)| word.as_ref()));
        let recorded = match Recorded::read(words[0], words[1], cancelled_row.is_some(), refunded) {
            Ok(recorded) => recorded,
            Err((field, message)) => {
                self.fault(0, RejectCode::UnknownStatus, field, message);
                return None;
            }
        };
        if let (Some(state), crate::Workflow::Process) = (recorded.settled(), self.reader.rules.workflow) {
            let message = format!("the order is {state} already: import it with the workflow historical");
            self.faults.push(Fault { row: 0, code: RejectCode::AlreadySettled, field: None, message });
        }
        Some(recorded)
    }

    fn notes(&mut self) -> Option<String> {
        let (row, notes) = self.first(Field::Notes)?;
        if notes.chars().nth(MAX_NOTES).is_some() {
            let message = format!("the notes are longer than {MAX_NOTES} characters");
            self.fault(row, RejectCode::InvalidText, Field::Notes, message);
        }
        Some(notes.into_owned())
    }
}

/// A name on one line: line breaks and other control characters in it count as spaces.
pub(super) fn tidy_label(text: &str) -> Result<Label, domain::TextError> {
    match Label::parse(text) {
        Err(error) if error.rule == TextRule::ControlCharacter => {
            let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            Label::parse(&spaced.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        result => result,
    }
}
