//! Printing answers: JSON for programs, tables and words for people.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal as _, Write};

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle,
};
use domain::Money;
use jiff::Timestamp;
use serde::Serialize;

use crate::words::grouped_digits;

/// Whoever read our answers has gone away.
#[derive(Debug)]
pub struct StdoutClosed;

impl std::error::Error for StdoutClosed {}

impl Display for StdoutClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads the answer any more")
    }
}

/// Whether the environment allows colours.
pub fn wants_colour() -> bool {
    let is_empty = |name| std::env::var_os(name).is_none_or(|value| value.is_empty());
    is_empty("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Where answers are printed, and how.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    is_json: bool,
    has_style: bool,
    is_terminal: bool,
}

impl Out {
    /// Answers go to stdout.
    pub fn new(is_json: bool) -> Self {
        let is_terminal = io::stdout().is_terminal();
        Out { is_json, has_style: is_terminal && wants_colour(), is_terminal }
    }

    /// Whether a program reads.
    pub fn is_json(self) -> bool {
        self.is_json
    }

    /// Prints a line.
    #[allow(
        clippy::unused_self,
        reason = "whoever prints needs an `Out`, and so knows whether a program reads"
    )]
    pub fn line(self, text: impl Display) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        closed(writeln!(stdout, "{text}").and_then(|()| stdout.flush()))
    }

    /// Prints an empty line.
    pub fn gap(self) -> io::Result<()> {
        self.line("")
    }

    /// Prints a value as JSON.
    pub fn json(self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
        self.line(text)
    }

    /// Prints a table; `none` in its place where it has no rows.
    pub fn table(self, listing: &Listing, none: &str) -> io::Result<()> {
        if listing.table.is_empty() { self.line(none) } else { self.line(listing.table.trim_fmt()) }
    }

    /// A table with these columns.
    pub fn listing(self, columns: &[&str]) -> Listing {
        Listing::new(self, columns)
    }

    /// Prints a heading, with room above it.
    pub fn heading(self, text: &str) -> io::Result<()> {
        self.line(format_args!("\n{}", self.bold(text)))
    }

    /// Stands out.
    pub fn bold(self, text: impl Display) -> String {
        self.styled("1", text)
    }

    /// Stands back.
    pub fn dim(self, text: impl Display) -> String {
        self.styled("2", text)
    }

    /// All is well.
    pub fn good(self, text: impl Display) -> String {
        self.styled("32", text)
    }

    /// Something is wrong.
    pub fn bad(self, text: impl Display) -> String {
        self.styled("31", text)
    }

    fn styled(self, code: &str, text: impl Display) -> String {
        if self.has_style { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
    }
}

/// A stdout whose reader has gone away answers with an error of its own, told apart from every other broken pipe.
pub fn closed<T>(result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => io::Error::new(io::ErrorKind::BrokenPipe, StdoutClosed),
        _ => error,
    })
}

/// Stdout as something to write to.
pub struct Stdout(io::Stdout);

impl Stdout {
    pub fn new() -> Self {
        Stdout(io::stdout())
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        closed(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        closed(self.0.flush())
    }
}

const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table on its way out.
pub struct Listing {
    table: Table,
}

impl Listing {
    fn new(out: Out, columns: &[&str]) -> Self {
        let mut table = Table::new();
        table.load_style(STYLE);
        table.set_header(columns.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
        // A table that goes into a file or a pipe keeps its lines whole.
        table.set_content_arrangement(if out.is_terminal {
            ContentArrangement::Dynamic
        } else {
            ContentArrangement::Disabled
        });
        if out.has_style {
            table.enforce_styling()
        } else {
            table.force_no_tty()
        };
        for column in table.column_iter_mut() {
            column.set_padding((0, 1));
        }
        Listing { table }
    }

    /// The same with these columns set to the right and never broken, for numbers and money.
    pub fn right(mut self, columns: &[usize]) -> Self {
        for column in columns {
            if let Some(column) = self.table.column_mut(*column) {
                column.set_cell_alignment(CellAlignment::Right);
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        self
    }

    /// One more row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.table.add_row(cells.into_iter().collect::<Vec<Cell>>());
    }
}

/// A cell with any text. Control characters from outside stay out of the terminal.
pub fn cell(text: impl Display) -> Cell {
    Cell::new(plain(&text.to_string()))
}

/// A cell that may be empty.
pub fn maybe(text: Option<impl Display>) -> Cell {
    text.map_or_else(|| Cell::new("–"), cell)
}

/// A cell with money in it, in the currency's own decimals.
pub fn money(money: Money) -> Cell {
    Cell::new(amount(money))
}

/// Money with its thousands set apart.
pub fn amount(money: Money) -> String {
    format!("{} {}", bare_amount(money), money.currency)
}

/// The same without its currency, for tables of one currency.
pub fn bare_amount(money: Money) -> String {
    let decimal = money.decimal();
    let (sign, digits) = decimal.strip_prefix('-').map_or(("", decimal.as_str()), |digits| ("-", digits));
    let (whole, minor) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    format!("{sign}{}{minor}", grouped_digits(whole))
}

/// A cell with a status, in the colour that it deserves.
pub fn status(word: &str) -> Cell {
    let cell = Cell::new(word);
    match word {
        "confirmed" | "completed" | "paid" | "delivered" | "sent" | "succeeded" | "captured" | "running" => {
            cell.fg(Color::Green)
        }
        "failed" | "discarded" | "declined" | "unknown" | "out_of_stock" => cell.fg(Color::Red),
        "cancelled" | "retryable" | "paused" | "skipped" | "expired" | "voided" => cell.fg(Color::Yellow),
        _ => cell,
    }
}

/// A cell with a time, to the second.
pub fn time(at: Timestamp) -> Cell {
    Cell::new(second(at))
}

/// A cell with a time, to the minute: enough to find one's way in a list.
pub fn minute(at: Timestamp) -> Cell {
    Cell::new(at.strftime("%Y-%m-%d %H:%M"))
}

/// A time to the second, in UTC.
pub fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A text that cannot move a terminal's cursor.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use domain::Currency;

    use super::*;

    #[test]
    fn money_has_its_currencys_decimals_and_its_thousands_set_apart() {
        let said = |minor, code| amount(Money::new(minor, Currency::parse(code).unwrap()));
        assert_eq!(said(1_340_948, "EUR"), "13,409.48 EUR");
        assert_eq!(said(-819, "EUR"), "-8.19 EUR");
        assert_eq!(said(1_234_567, "JPY"), "1,234,567 JPY");
        assert_eq!(said(5, "KWD"), "0.005 KWD");
    }

    #[test]
    fn a_text_from_outside_cannot_move_the_cursor() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a [2Jb c");
    }
}
