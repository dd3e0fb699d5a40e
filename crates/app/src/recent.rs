//! The last warnings and errors of this process, for people who do not have its log at hand.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::sync::{LazyLock, Mutex, PoisonError};

use jiff::Timestamp;
use queue::{Clock as _, SystemClock};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// How many are kept.
pub const KEPT: usize = 100;
/// The most characters that are kept of one.
const LONGEST: usize = 2_000;

/// A warning or an error.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// When.
    pub at: Timestamp,
    /// Whether it is an error, and not only a warning.
    pub is_error: bool,
    /// Which part of the program tells of it.
    pub from: String,
    /// What happened, with what belongs to it.
    pub text: String,
}

struct Kept {
    since: Timestamp,
    troubles: VecDeque<Trouble>,
}

static LAST: LazyLock<Mutex<Kept>> =
    LazyLock::new(|| Mutex::new(Kept { since: SystemClock.now(), troubles: VecDeque::new() }));

/// Since when they are kept, and the last of them, newest first.
pub fn troubles() -> (Timestamp, Vec<Trouble>) {
    let kept = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    (kept.since, kept.troubles.iter().rev().cloned().collect())
}

/// Keeps the warnings and errors that go to the log.
#[derive(Debug)]
pub struct KeepTroubles(());

impl KeepTroubles {
    /// From now on.
    pub fn new() -> Self {
        LazyLock::force(&LAST);
        KeepTroubles(())
    }
}

impl Default for KeepTroubles {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Subscriber> Layer<S> for KeepTroubles {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        if level > Level::WARN {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        let trouble = Trouble {
            at: SystemClock.now(),
            is_error: level == Level::ERROR,
            from: event.metadata().target().to_owned(),
            text: text.written(),
        };
        let troubles = &mut LAST.lock().unwrap_or_else(PoisonError::into_inner).troubles;
        if troubles.len() == KEPT {
            troubles.pop_front();
        }
        troubles.push_back(trouble);
    }
}

/// What an event says, and then what belongs to it.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Text {
    fn written(self) -> String {
        let whole = format!("{}{}", self.message, self.fields);
        match whole.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &whole[..end]),
            None => whole,
        }
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, "; {}: {value:?}", field.name())
        };
        written.expect("a text takes what is written");
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn the_last_warnings_and_errors_are_kept_and_no_more() {
        let subscriber = tracing_subscriber::registry().with(KeepTroubles::new());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("nothing to see");
            for number in 0..KEPT {
                tracing::warn!(number, "a warning");
            }
            tracing::error!(error = "it broke", order = 7, "an order {} failed", "once");
            tracing::error!("{}", "x".repeat(3 * LONGEST));
        });
        let (since, troubles) = troubles();
        assert_eq!(troubles.len(), KEPT);
        assert_eq!(troubles[0].text.chars().count(), LONGEST + 1);
        assert_eq!(troubles[1].text, "an order once failed; error: it broke; order: 7");
        assert!(troubles[1].is_error && troubles[1].from.contains("recent") && troubles[1].at >= since);
        assert_eq!((troubles[2].text.as_str(), troubles[2].is_error), ("a warning; number: 99", false));
        assert_eq!(troubles[KEPT - 1].text, "a warning; number: 2");
    }
}
