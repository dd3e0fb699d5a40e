//! The figures as a table: aligned for a terminal, or as Markdown for a page.

use std::path::Path;

use anyhow::Context as _;

use crate::machine::Machine;
use crate::report::{Figure, Goal, Report};
use crate::spread::Spread;

const HEADER: [&str; 6] = ["figure", "ours", "limit", "ratio", "goal", "met"];

pub fn text(report: &Report) -> String {
    let rows = rows(report);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut out = format!("\n{}\n\n", machine(&report.machine));
    for row in &rows {
        for (cell, width) in row.iter().zip(widths) {
            let padding = " ".repeat(width - cell.chars().count() + 2);
            out.push_str(cell);
            out.push_str(&padding);
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    out
}

pub fn markdown(report: &Report) -> String {
    let mut out = format!("{}\n\n", machine(&report.machine));
    for (index, row) in rows(report).iter().enumerate() {
        out.push_str("| ");
        out.push_str(&row.join(" | "));
        out.push_str(" |\n");
        if index == 0 {
            out.push_str("| --- | --- | --- | --- | --- | --- |\n");
        }
    }
    out
}

fn machine(machine: &Machine) -> String {
    format!(
        "{} cores of {}, {} MiB of memory, Linux {}; 4 KiB reach the disk in {:.2} ms ({:.2}–{:.2}). {}, commit {}.",
        machine.cores,
        machine.processor,
        machine.memory_mib,
        machine.kernel,
        machine.sync_ms.median,
        machine.sync_ms.least,
        machine.sync_ms.most,
        machine.rustc,
        machine.commit,
    )
}

fn rows(report: &Report) -> Vec<[String; 6]> {
    let mut rows = vec![HEADER.map(str::to_owned)];
    rows.extend(report.figures.iter().map(row));
    rows
}

fn row(figure: &Figure) -> [String; 6] {
    let limit = figure.limit.as_ref();
    [
        format!("{}, {}", figure.name, figure.unit),
        spread(&figure.ours),
        limit.map(|limit| format!("{} ({})", spread(&limit.value), limit.what)).unwrap_or_default(),
        limit.map(|limit| spread(&limit.ratio)).unwrap_or_default(),
        figure.goal.map(goal).unwrap_or_default(),
        figure.met.map(|met| if met { "yes" } else { "**no**" }).unwrap_or_default().to_owned(),
    ]
}

fn goal(goal: Goal) -> String {
    match goal {
        Goal::RatioAtLeast(least) => format!("≥ {} of it", number(least)),
        Goal::RatioAtMost(most) if most >= 1.0 => format!("≤ {} × it", number(most)),
        Goal::RatioAtMost(most) => format!("≤ 1/{:.0} of it", 1.0 / most),
        Goal::AtLeast(least) => format!("≥ {}", number(least)),
        Goal::AtMost(most) => format!("≤ {}", number(most)),
    }
}

fn spread(spread: &Spread) -> String {
    if spread.runs.len() < 2 || (spread.most - spread.least).abs() < f64::EPSILON {
        return number(spread.median);
    }
    format!("{} ({}–{})", number(spread.median), number(spread.least), number(spread.most))
}

/// Three digits that count, or all of them before the point, in groups of three.
pub fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude < 0.1 {
        return format!("{value:.4}");
    }
    if magnitude < 10.0 {
        return format!("{value:.2}");
    }
    if magnitude < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::with_capacity(digits.len() + 4);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Puts `table` between the markers of a page that are called `mark`, in place of what was there.
pub fn write_between_markers(page: &Path, mark: &str, table: &str) -> anyhow::Result<()> {
    let (begin, end) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->\n"));
    let text = std::fs::read_to_string(page).with_context(|| format!("cannot read {}", page.display()))?;
    let no_markers = || format!("{} has no lines `{}` and `{}`", page.display(), begin.trim(), end.trim());
    let (before, rest) = text.split_once(&begin).with_context(no_markers)?;
    let (_, after) = rest.split_once(&end).with_context(no_markers)?;
    std::fs::write(page, format!("{before}{begin}{table}{end}{after}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits_or_all_before_the_point() {
        let shown = [0.003_08, 0.613, 9.999, 42.25, 999.4, 1234.5, 1_234_567.0].map(number);
        assert_eq!(shown, ["0.0031", "0.61", "10.00", "42.2", "999", "1,234", "1,234,567"]);
    }

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.md");
        let text =
            |ours: &str| format!("a\n<!-- b -->\n{ours}<!-- /b -->\n<!-- c -->\ntheirs\n<!-- /c -->\nz\n");
        std::fs::write(&page, text("old\n")).unwrap();
        write_between_markers(&page, "b", "new\n").unwrap();
        assert_eq!(std::fs::read_to_string(&page).unwrap(), text("new\n"));
    }
}
