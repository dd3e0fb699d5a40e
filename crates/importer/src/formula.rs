//! Cells that a spreadsheet would run. Every CSV written here puts an apostrophe before them.

use std::borrow::Cow;

/// Puts `'` before a cell that a spreadsheet would take for a formula (`=`, `+`, `-`, `@`, TAB or CR in front,
/// behind any number of apostrophes), so that [`restore`] gives back exactly what stood there.
pub fn neutralise(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// Undoes [`neutralise`]: one apostrophe less before a formula, every other cell as it is.
pub fn restore(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => cell,
    }
}

fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_formula_gets_an_apostrophe_and_other_text_does_not() {
        for cell in ["=1+1", "+49 30", "-5", "@cmd", "\t=1", "\rx", "'=1"] {
            assert_eq!(neutralise(cell), format!("'{cell}"));
        }
        for cell in ["", "a=b", "'quoted'", "1-2", "'"] {
            assert_eq!(neutralise(cell), cell);
        }
    }

    proptest! {
        #[test]
        fn restoring_gives_back_what_was_neutralised(cell in "['=+@\t\ra-]{0,6}") {
            let neutralised = neutralise(&cell);
            prop_assert_eq!(restore(&neutralised), cell.as_str());
        }
    }
}
