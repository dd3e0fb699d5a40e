//! Statements over a list of keys: `{in}` in their text stands for it.
//!
//! Keys that were given out one after the other, as those of a batch mostly are, are named by the first and the last of
//! them. A server reads a span in half the time that it takes to look up each of its keys.

use crate::{Dialect, Result, Value};

/// Lengths that a bound list is padded to, so that few texts of a statement exist and stay prepared.
const LENGTHS: [usize; 6] = [1, 8, 32, 128, 256, 512];
const LONGEST: usize = LENGTHS[LENGTHS.len() - 1];
/// How many keys stand for one more span, which is one more statement.
const KEYS_A_SPAN: usize = 128;

/// Keys of one statement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'k, 'v> {
    /// All whole numbers from the first to the last, at least two.
    Span(i64, i64),
    /// These.
    List(&'k [Value<'v>]),
}

impl Piece<'_, '_> {
    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Piece::Span(first, last) => {
                usize::try_from(last.abs_diff(*first)).unwrap_or(usize::MAX).saturating_add(1)
            }
            Piece::List(keys) => keys.len(),
        }
    }
}

/// The keys, in their order: as spans where few of them hold them all, otherwise as lists of at most `most`.
pub(crate) fn pieces<'k, 'v>(keys: &'k [Value<'v>], most: usize) -> Vec<Piece<'k, 'v>> {
    spans(keys).unwrap_or_else(|| keys.chunks(most).map(Piece::List).collect())
}

fn spans<'k, 'v>(keys: &'k [Value<'v>]) -> Option<Vec<Piece<'k, 'v>>> {
    let follows = |before: &Value<'_>, key: &Value<'_>| match (before, key) {
        (Value::Int(before), Value::Int(key)) => before.checked_add(1) == Some(*key),
        _ => false,
    };
    let mut runs: Vec<&[Value<'v>]> = Vec::new();
    for run in keys.chunk_by(follows) {
        // Results follow each other in the order of keys: where these do not ascend, one statement puts them in order.
        let ascends = match (runs.last(), run) {
            (Some([.., Value::Int(last)]), [Value::Int(first), ..]) => last < first,
            _ => true,
        };
        if !ascends || runs.len() > keys.len() / KEYS_A_SPAN {
            return None;
        }
        runs.push(run);
    }
    let piece = |run: &'k [Value<'v>]| match run {
        [Value::Int(first), .., Value::Int(last)] => Piece::Span(*first, *last),
        single => Piece::List(single),
    };
    Some(runs.into_iter().map(piece).collect())
}

/// The condition that a column is in a span of at least two keys, of which `first`, `last_but_one` and `last` stand for its
/// bounds. Who reads a span with locks on a server also locks what stands behind it, if only to see that it is no more of
/// it; so there the last key stands for itself, and nobody waits for rows that are not theirs.
pub(crate) fn span(dialect: Dialect, column: &str, [first, last_but_one, last]: [&str; 3]) -> String {
    match dialect {
        Dialect::Sqlite => format!("{column} BETWEEN {first} AND {last}"),
        Dialect::Mysql(_) => format!("({column} BETWEEN {first} AND {last_but_one} OR {column} = {last})"),
    }
}

/// Runs `run` for each piece of `keys` with the text and the parameters that fit it: `before`, then the keys.
pub(crate) fn for_each_piece(
    dialect: Dialect,
    sql: &str,
    before: &[Value<'_>],
    keys: &[Value<'_>],
    mut run: impl FnMut(&str, &[Value<'_>]) -> Result<()>,
) -> Result<()> {
    for piece in pieces(keys, LONGEST) {
        let mut params = before.to_vec();
        let text = match piece {
            Piece::Span(first, last) => {
                params.push(first.into());
                if dialect != Dialect::Sqlite {
                    params.push((last - 1).into());
                }
                params.push(last.into());
                with_span(dialect, sql)
            }
            Piece::List(keys) => {
                let length = LENGTHS.into_iter().find(|length| *length >= keys.len()).unwrap_or(LONGEST);
                params.extend_from_slice(keys);
                params.resize(before.len() + length, keys[keys.len() - 1].clone());
                sql.replace("{in}", &vec!["?"; length].join(","))
            }
        };
        run(&text, &params)?;
    }
    Ok(())
}

/// The text with a span in the place of its list.
fn with_span(dialect: Dialect, sql: &str) -> String {
    let [before, column, after] = around_list(sql);
    format!("{before}{}{after}", span(dialect, column, ["?"; 3]))
}

/// The statement that finds whether a query over a list can find anything, by whether there is a row from the least of
/// its keys to the greatest.
pub(crate) fn any_between(sql: &str) -> String {
    let [before, column, after] = around_list(sql);
    let from = before.find(" FROM ").expect("a query names a table");
    format!("SELECT 1{}{column} BETWEEN ? AND ?{after} LIMIT 1", &before[from..])
}

/// What stands before the column that is among keys, its name, and what stands after the list.
fn around_list(sql: &str) -> [&str; 3] {
    let (before, after) = sql.split_once(" IN ({in})").expect("the text of a statement over keys has a list");
    let is_of_a_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
    let (before, column) = before.split_at(before.trim_end_matches(is_of_a_name).len());
    [before, column, after]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Server;

    fn ints(keys: impl IntoIterator<Item = i64>) -> Vec<Value<'static>> {
        keys.into_iter().map(Value::Int).collect()
    }

    #[test]
    fn keys_that_follow_each_other_are_a_span() {
        assert_eq!(pieces(&ints([7, 8]), 10), [Piece::Span(7, 8)]);
        assert_eq!(pieces(&ints(-3..2_000), 10), [Piece::Span(-3, 1_999)]);
        assert_eq!(pieces(&ints([i64::MAX - 1, i64::MAX]), 10), [Piece::Span(i64::MAX - 1, i64::MAX)]);
        let two = ints((0..199).chain([300]));
        assert_eq!(pieces(&two, 10), [Piece::Span(0, 198), Piece::List(&[300.into()])]);
    }

    #[test]
    fn other_keys_are_listed() {
        for keys in [
            ints([7]),
            ints([1, 3]),
            ints([2, 1]),
            ints([1, 1]),
            ints([i64::MAX, i64::MIN]),
            vec!["1".into()],
        ] {
            assert_eq!(pieces(&keys, 10), [Piece::List(&keys)]);
        }
        for unordered in [ints((200..400).chain(0..200)), ints((0..200).chain(199..400))] {
            assert_eq!(pieces(&unordered, 512), [Piece::List(&unordered)]);
        }
        let scattered = ints((0..500).map(|key| key * 2));
        assert_eq!(pieces(&scattered, 300), [Piece::List(&scattered[..300]), Piece::List(&scattered[300..])]);
        assert_eq!(pieces(&[], 10), []);
    }

    #[test]
    fn a_look_for_any_asks_from_the_least_key_to_the_greatest() {
        let sql = "SELECT name, id FROM things WHERE kind = ? AND name IN ({in})";
        assert_eq!(any_between(sql), "SELECT 1 FROM things WHERE kind = ? AND name BETWEEN ? AND ? LIMIT 1");
    }

    #[test]
    fn a_span_stands_where_its_list_stood() {
        let sql = "SELECT l.id FROM lines l WHERE l.order_id IN ({in}) ORDER BY l.id";
        assert_eq!(
            with_span(Dialect::Sqlite, sql),
            "SELECT l.id FROM lines l WHERE l.order_id BETWEEN ? AND ? ORDER BY l.id"
        );
        assert_eq!(
            with_span(Dialect::Mysql(Server::MariaDb), sql),
            "SELECT l.id FROM lines l WHERE (l.order_id BETWEEN ? AND ? OR l.order_id = ?) ORDER BY l.id"
        );
    }
}
