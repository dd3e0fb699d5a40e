//! How jobs are parts of traces.
//!
//! The last of a job's arguments may be a `traceparent`: the span that it follows from. So it is wherever the arguments
//! are, whichever store keeps them and however often the job runs; handlers pass over an argument that they do not know,
//! and a job without one is what it was before there were traces.

use std::fmt::Write as _;
use std::sync::Arc;

use telemetry::{Kind, Span, TRACEPARENT, Trace};

use crate::handler::Outcome;
use crate::job::{Job, NewJob};

/// Bytes of a `traceparent`.
const LENGTH: usize = 55;

impl NewJob {
    /// The same as what follows from a span. Arguments that are no object take none.
    pub fn traced(mut self, trace: Option<&Trace>) -> Self {
        if let Some(trace) = trace
            && self.args.ends_with('}')
        {
            self.args.pop();
            let comma = if self.args.ends_with('{') { "" } else { "," };
            write!(self.args, "{comma}\"{TRACEPARENT}\":\"{trace}\"}}").expect("a String takes all");
        }
        self
    }
}

/// The span that a job with these arguments follows from.
fn carried(args: &str) -> Option<Trace> {
    let rest = args.strip_suffix("\"}")?;
    let (before, trace) = rest.split_at_checked(rest.len().checked_sub(LENGTH)?)?;
    let name = before.strip_suffix("\":\"")?.strip_suffix(TRACEPARENT)?;
    if name.ends_with("{\"") || name.ends_with(",\"") { Trace::parse(trace) } else { None }
}

/// The spans of the jobs of a run: one for each job whose trace is kept, and one for the run where it has several jobs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spans(Option<Arc<Begun>>);

#[derive(Debug)]
struct Begun {
    jobs: Vec<Span>,
    run: Option<Span>,
}

impl Spans {
    /// Begins them. A job that follows from no span begins no trace: it may follow from one that is not kept.
    pub(crate) fn begin(jobs: &[Job]) -> Self {
        if !telemetry::is_on() {
            return Spans(None);
        }
        let spans: Vec<Span> = jobs.iter().map(|job| span_of(job, jobs.len())).collect();
        if spans.iter().all(|span| span.trace().is_none()) {
            return Spans(None);
        }
        let kind = &jobs[0].kind;
        let run = (jobs.len() > 1).then(|| Span::together(format!("{kind} (several)"), &spans));
        Spans(Some(Arc::new(Begun { jobs: spans, run })))
    }

    /// Whether there are any.
    pub(crate) fn are_kept(&self) -> bool {
        self.0.is_some()
    }

    /// Where a job of the run is.
    pub(crate) fn trace(&self, position: usize) -> Option<Trace> {
        self.0.as_ref()?.jobs.get(position)?.trace()
    }

    /// The number of the trace that the run's work goes on in.
    pub(crate) fn trace_id(&self) -> Option<String> {
        self.0.as_ref()?.of_run().trace_id()
    }

    /// Does the run's work.
    pub(crate) async fn around<F: Future>(self, work: F) -> F::Output {
        match &self.0 {
            Some(begun) => begun.of_run().around(work).await,
            None => work.await,
        }
    }

    /// Says what became of the jobs.
    pub(crate) fn ended(&self, result: &Result<Vec<Outcome>, String>) {
        let Some(begun) = &self.0 else { return };
        match result {
            Ok(outcomes) => begun.jobs.iter().zip(outcomes).for_each(|(span, outcome)| {
                let (word, why) = told(outcome);
                span.set("job.outcome", word);
                if let Some(why) = why {
                    span.fail(|| why.clone());
                }
            }),
            Err(why) => begun.jobs.iter().chain(&begun.run).for_each(|span| span.fail(|| why.clone())),
        }
    }
}

impl Begun {
    fn of_run(&self) -> &Span {
        self.run.as_ref().unwrap_or(&self.jobs[0])
    }
}

fn span_of(job: &Job, together: usize) -> Span {
    let span = Span::after(carried(&job.args).as_ref(), job.kind.to_string(), Kind::Job);
    span.set("job.id", job.id.0);
    span.set("job.queue", job.queue.to_string());
    span.set("job.attempt", i64::from(job.attempt));
    span.set("job.together", together as i64);
    span
}

fn told(outcome: &Outcome) -> (&'static str, Option<&String>) {
    match outcome {
        Outcome::Done => ("done", None),
        Outcome::Snooze(_) => ("snooze", None),
        Outcome::Cancel(_) => ("cancel", None),
        Outcome::Retry(why) => ("retry", Some(why)),
        Outcome::Discard(why) => ("discard", Some(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn traced(args: &str) -> String {
        NewJob::new("stock", "reserve_stock", args).traced(Trace::parse(TRACE).as_ref()).args
    }

    #[test]
    fn a_trace_is_the_last_argument_and_read_back() {
        let args = traced(r#"{"order":5}"#);
        assert_eq!(args, format!(r#"{{"order":5,"traceparent":"{TRACE}"}}"#));
        assert_eq!(carried(&args).unwrap().to_string(), TRACE);
        assert_eq!(traced("{}"), format!(r#"{{"traceparent":"{TRACE}"}}"#));
        assert!(carried(&traced("{}")).is_some());
        let read: serde_json::Value = serde_json::from_str(&args).unwrap();
        assert_eq!(read["order"], 5);
    }

    #[test]
    fn a_job_without_a_trace_and_arguments_that_are_no_object_stay_as_they_are() {
        let plain = NewJob::new("stock", "reserve_stock", r#"{"order":5}"#);
        assert_eq!(plain.clone().traced(None), plain);
        for args in [r#""Ada""#, "[1]", "null", "7", ""] {
            assert_eq!(traced(args), args);
        }
    }

    #[test]
    fn only_an_argument_of_that_name_is_a_trace() {
        let quoted = serde_json::json!({ "note": format!(r#","traceparent":"{TRACE}"#) }).to_string();
        for args in [
            "",
            "}",
            r#"{"order":5}"#,
            &format!(r#"{{"other":"{TRACE}"}}"#),
            &format!(r#"{{"no-traceparent":"{TRACE}"}}"#),
            &format!(r#"{{"traceparent":"é{}"}}"#, &TRACE[1..]),
            &format!(r#"{{"traceparent":"{}"}}"#, TRACE.replace("-01", "-00")),
            &quoted,
        ] {
            assert!(carried(args).is_none(), "{args}");
        }
    }
}
