//! How far something is: a bar on a terminal, lines now and then elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::plain;
use crate::words::grouped;

/// The bars on the screen. The log is written above them.
pub static BARS: LazyLock<MultiProgress> =
    LazyLock::new(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)));

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// Shows how far an import is.
pub struct Progress {
    title: String,
    look: Look,
    /// How many rows were done when they were first looked at: an import that goes on did them in an earlier run.
    first: Option<(u64, Instant)>,
}

enum Look {
    Nothing,
    Bar(ProgressBar),
    Lines { next: Instant },
}

impl Progress {
    /// Begins with something whose length is not known.
    pub fn new(title: &str, is_shown: bool) -> Self {
        let look = match (is_shown, io::stderr().is_terminal()) {
            (false, _) => Look::Nothing,
            (true, true) => {
                let bar = BARS.add(ProgressBar::new_spinner().with_style(spinner()));
                bar.enable_steady_tick(Duration::from_millis(100));
                Look::Bar(bar)
            }
            (true, false) => Look::Lines { next: Instant::now() + LINE_EVERY },
        };
        Progress { title: plain(title), look, first: None }
    }

    /// Says what is being done, where its length is not known.
    pub fn say(&mut self, what: &str) {
        let text = format!("{}: {what}", self.title);
        match &mut self.look {
            Look::Nothing => {}
            Look::Bar(bar) => {
                bar.set_style(spinner());
                bar.set_message(text);
            }
            Look::Lines { next } => line(next, &text),
        }
    }

    /// Says how many rows of how many are done.
    pub fn rows(&mut self, done: u64, total: u64) {
        let done = done.min(total);
        let (before, since) = *self.first.get_or_insert_with(|| (done, Instant::now()));
        match &mut self.look {
            Look::Nothing => {}
            Look::Bar(bar) => {
                if bar.length() != Some(total) {
                    bar.set_style(rows_style());
                    bar.set_length(total);
                    bar.set_message(self.title.clone());
                    bar.set_position(before);
                    bar.reset_eta();
                }
                bar.set_position(done);
            }
            Look::Lines { next } => {
                let rate = (done - before) as f64 / since.elapsed().as_secs_f64().max(0.001);
                line(next, &format!("{}: {}", self.title, told(done, total, rate)));
            }
        }
    }

    /// Leaves the screen.
    pub fn end(&self) {
        if let Look::Bar(bar) = &self.look {
            bar.finish_and_clear();
        }
    }
}

fn line(next: &mut Instant, text: &str) {
    let now = Instant::now();
    if now >= *next {
        *next = now + LINE_EVERY;
        // Whoever reads this may have gone away; the work goes on.
        let _ = writeln!(io::stderr(), "{text}");
    }
}

fn told(done: u64, total: u64, rate: f64) -> String {
    let percent = done * 100 / total.max(1);
    let left =
        if rate > 0.0 { format!(", {:.0} s left", (total - done) as f64 / rate) } else { String::new() };
    let [done, total, rate] = [done, total, rate as u64].map(|number| grouped(number.cast_signed()));
    format!("{done} of {total} rows ({percent} %), {rate} rows/s{left}")
}

fn spinner() -> ProgressStyle {
    style("{spinner} {msg} ({elapsed})")
}

fn rows_style() -> ProgressStyle {
    style("{msg} {bar:24} {percent:>3} %  {human_pos} of {human_len} rows  {per_sec}  {eta} left")
        .progress_chars("█▉▊▋▌▍▎▏ ")
        .with_key("per_sec", |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            // A line that cannot be drawn is drawn again in a moment.
            let _ = write!(out, "{} rows/s", grouped(state.per_sec() as i64));
        })
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_far_how_fast_and_how_long() {
        assert_eq!(
            told(50_000, 200_000, 10_000.0),
            "50,000 of 200,000 rows (25 %), 10,000 rows/s, 15 s left"
        );
        assert_eq!(told(0, 200_000, 0.0), "0 of 200,000 rows (0 %), 0 rows/s");
        assert_eq!(told(0, 0, 0.0), "0 of 0 rows (0 %), 0 rows/s");
    }
}
