use std::borrow::Cow;
use std::sync::OnceLock;

use opentelemetry::trace::{
    FutureExt as _, Link, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::SdkTracer;
use reqwest::RequestBuilder;

use crate::trace::remote;
use crate::{TRACEPARENT, Trace};

static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Whether traces are kept at all.
pub fn is_on() -> bool {
    TRACER.get().is_some()
}

/// Spans are kept from now on. Says whether they were not before.
pub(crate) fn turn_on(tracer: SdkTracer) -> bool {
    TRACER.set(tracer).is_ok()
}

/// A piece of work in a trace, ended when it is dropped; nothing, where no trace is kept.
#[derive(Debug, Default)]
pub struct Span(Option<Context>);

/// What a span is to those before and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A part of what this process does.
    Part,
    /// A call whose answer is waited for.
    Call,
    /// A job that was waiting in a queue.
    Job,
}

/// Marks what goes on for several jobs at once.
pub(crate) struct Together;

impl Span {
    /// A request, in the trace that its header names, else in one of its own.
    pub fn request(traceparent: Option<&str>, name: impl FnOnce() -> String) -> Self {
        let Some(tracer) = TRACER.get() else { return Span(None) };
        let context = match traceparent.and_then(remote) {
            Some(caller) => Context::new().with_remote_span_context(caller),
            None => Context::new(),
        };
        let builder = SpanBuilder::from_name(name()).with_kind(SpanKind::Server);
        Span::start(tracer, builder, &context)
    }

    /// The beginning of a trace that nobody asked for over HTTP.
    pub fn root(name: impl Into<Cow<'static, str>>) -> Self {
        let Some(tracer) = TRACER.get() else { return Span(None) };
        Span::start(tracer, SpanBuilder::from_name(name), &Context::new())
    }

    /// A part of what goes on here.
    pub fn here(name: &'static str, kind: Kind) -> Self {
        let Some(tracer) = TRACER.get() else { return Span(None) };
        let current = Context::current();
        if !current.span().span_context().is_sampled() {
            return Span(None);
        }
        Span::start(tracer, kind.builder(name), &current)
    }

    /// What follows from a span that ended before, or elsewhere; nothing, where none was kept.
    pub fn after(trace: Option<&Trace>, name: impl Into<Cow<'static, str>>, kind: Kind) -> Self {
        let (Some(trace), Some(tracer)) = (trace, TRACER.get()) else { return Span(None) };
        let context = Context::new().with_remote_span_context(trace.context().clone());
        Span::start(tracer, kind.builder(name), &context)
    }

    /// A run of several jobs: a trace of its own, linked with each of theirs that is kept. What is pushed in it follows
    /// from one of the jobs, and so from none here.
    pub fn together(name: impl Into<Cow<'static, str>>, jobs: &[Span]) -> Self {
        let kept = || jobs.iter().filter_map(Span::context);
        let (Some(_), Some(tracer)) = (kept().next(), TRACER.get()) else { return Span(None) };
        let links = kept().map(|context| Link::new(context, Vec::new(), 0)).collect();
        let builder = Kind::Job.builder(name).with_links(links);
        let run = Span::start(tracer, builder, &Context::new().with_value(Together));
        if let Some(context) = run.context() {
            let jobs = jobs.iter().filter_map(|job| job.0.as_ref());
            jobs.for_each(|job| job.span().add_link(context.clone(), Vec::new()));
        }
        run
    }

    fn start(tracer: &SdkTracer, builder: SpanBuilder, parent: &Context) -> Self {
        let span = tracer.build_with_context(builder, parent);
        let context = parent.with_span(span);
        let is_kept = context.span().span_context().is_sampled();
        Span(is_kept.then_some(context))
    }

    /// Where it is, for what follows from it.
    pub fn trace(&self) -> Option<Trace> {
        self.0.as_ref().and_then(|context| Trace::of(&context.span()))
    }

    /// Whether its trace is kept, so that it is worth saying something about it.
    pub fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// The number of its trace, as logs show it.
    pub fn trace_id(&self) -> Option<String> {
        self.context().map(|context| context.trace_id().to_string())
    }

    /// Says something about it.
    pub fn set(&self, key: &'static str, value: impl Into<Value>) {
        if let Some(context) = &self.0 {
            context.span().set_attribute(KeyValue::new(key, value));
        }
    }

    /// Names it anew, once it is known what it is.
    pub fn rename(&self, name: impl FnOnce() -> String) {
        if let Some(context) = &self.0 {
            context.span().update_name(name());
        }
    }

    /// Says that it went wrong, and why.
    pub fn fail(&self, why: impl FnOnce() -> String) {
        if let Some(context) = &self.0 {
            context.span().set_status(Status::error(why()));
        }
    }

    /// Does a future's work within it.
    pub async fn around<F: Future>(&self, work: F) -> F::Output {
        match &self.0 {
            Some(context) => work.with_context(context.clone()).await,
            None => work.await,
        }
    }

    /// Does work within it.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let _within = self.0.as_ref().map(|context| context.clone().attach());
        work()
    }

    /// A call that tells whoever is called what it follows from.
    pub fn told_by(&self, request: RequestBuilder) -> RequestBuilder {
        match self.trace() {
            Some(trace) => request.header(TRACEPARENT, trace.to_string()),
            None => request,
        }
    }

    fn context(&self) -> Option<SpanContext> {
        self.0.as_ref().map(|context| context.span().span_context().clone())
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(context) = &self.0 {
            context.span().end();
        }
    }
}

impl Kind {
    fn builder(self, name: impl Into<Cow<'static, str>>) -> SpanBuilder {
        SpanBuilder::from_name(name).with_kind(match self {
            Kind::Part => SpanKind::Internal,
            Kind::Call => SpanKind::Client,
            Kind::Job => SpanKind::Consumer,
        })
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;
    use crate::sampling::sampler;

    const KEPT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const DROPPED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

    /// Keeps nothing of what begins here; there is one tracer for a process.
    fn keep_what_callers_want() {
        turn_on(SdkTracerProvider::builder().with_sampler(sampler(0.0)).build().tracer("test"));
    }

    fn request(traceparent: &str) -> Span {
        Span::request(Some(traceparent), || "request".to_owned())
    }

    #[test]
    fn what_is_not_kept_is_nothing_and_neither_is_what_follows() {
        keep_what_callers_want();
        for span in [request(DROPPED), request("nonsense"), Span::root("command")] {
            assert!(!span.is_kept());
            assert!(span.within(Trace::current).is_none());
            assert!(!span.within(|| Span::here("part", Kind::Part)).is_kept());
        }
        assert!(!Span::here("part", Kind::Part).is_kept(), "nothing goes on here");
        assert!(!Span::after(None, "job", Kind::Job).is_kept());
    }

    #[test]
    fn what_follows_from_a_span_is_in_its_trace() {
        keep_what_callers_want();
        let request = request(KEPT);
        assert_eq!(request.trace_id().as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
        let part = request.within(|| Span::here("part", Kind::Part));
        let pushed = part.within(Trace::current);
        assert_eq!(pushed, part.trace());
        let job = Span::after(pushed.as_ref(), "job", Kind::Job);
        assert_eq!(job.trace_id(), request.trace_id());
        assert_ne!(job.trace(), part.trace());
        assert!(Trace::current().is_none(), "it goes on nowhere else");
    }

    #[test]
    fn a_run_of_several_jobs_is_kept_with_them_and_what_is_pushed_in_it_follows_from_none() {
        keep_what_callers_want();
        let jobs = [Span::after(Trace::parse(KEPT).as_ref(), "job", Kind::Job), Span::default()];
        let run = Span::together("run", &jobs);
        assert!(run.is_kept());
        assert_ne!(run.trace_id(), jobs[0].trace_id());
        assert!(run.within(Trace::current).is_none());
        let part = run.within(|| Span::here("part", Kind::Part));
        assert_eq!(part.trace_id(), run.trace_id());
        assert!(part.within(Trace::current).is_none());
        assert!(!Span::together("run", &[Span::default()]).is_kept());
    }
}
