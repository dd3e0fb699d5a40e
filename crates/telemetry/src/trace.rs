use std::fmt;

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, trace::SpanRef};

use crate::span::{Together, is_on};

/// The name of the header, and of the argument, that a trace travels under; W3C Trace Context.
pub const TRACEPARENT: &str = "traceparent";

/// The span that something follows from, as it travels. Only what is kept travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace(SpanContext);

impl Trace {
    /// The span that goes on here. None where no trace is kept, and none where several jobs run together: what follows
    /// then follows from one of them.
    pub fn current() -> Option<Trace> {
        if !is_on() {
            return None;
        }
        Context::map_current(|context| match context.get::<Together>() {
            Some(_) => None,
            None => Trace::of(&context.span()),
        })
    }

    /// Reads what was written of a trace. Anything else is none, and so is a trace that is not kept.
    pub fn parse(traceparent: &str) -> Option<Trace> {
        remote(traceparent).filter(SpanContext::is_sampled).map(Trace)
    }

    pub(crate) fn of(span: &SpanRef<'_>) -> Option<Trace> {
        let context = span.span_context();
        context.is_sampled().then(|| Trace(context.clone()))
    }

    pub(crate) fn context(&self) -> &SpanContext {
        &self.0
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-01", self.0.trace_id(), self.0.span_id())
    }
}

/// Reads a `traceparent`; none where it is malformed. A version that is newer may say more at its end.
pub(crate) fn remote(traceparent: &str) -> Option<SpanContext> {
    const LENGTH: usize = 55;
    let known = traceparent.get(..LENGTH)?;
    let rest = &traceparent[LENGTH..];
    let mut parts = known.split('-');
    let mut hex = |digits: usize| {
        let part = parts.next()?;
        let plain = part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        (part.len() == digits && plain).then_some(part)
    };
    let (version, trace, span, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
    let is_known = match version {
        "00" => rest.is_empty(),
        "ff" => false,
        _ => rest.is_empty() || rest.starts_with('-'),
    };
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    (is_known && context.is_valid()).then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_trace_is_written_as_it_is_read() {
        assert_eq!(Trace::parse(KEPT).unwrap().to_string(), KEPT);
        let newer = format!("01{}-more", &KEPT[2..]);
        assert_eq!(Trace::parse(&newer).unwrap().to_string(), KEPT);
        let other_flags = format!("{}03", &KEPT[..53]);
        assert_eq!(Trace::parse(&other_flags).unwrap().to_string(), KEPT);
    }

    #[test]
    fn a_trace_that_is_not_kept_does_not_travel() {
        let dropped = format!("{}00", &KEPT[..53]);
        assert!(remote(&dropped).is_some());
        assert_eq!(Trace::parse(&dropped), None);
    }

    #[test]
    fn what_is_malformed_is_none() {
        let upper = KEPT.to_uppercase();
        for wrong in [
            "",
            "00",
            &KEPT[..54],
            &format!("{KEPT}0"),
            &format!("{KEPT}-more"),
            &format!("01{}more", &KEPT[2..]),
            &format!("ff{}", &KEPT[2..]),
            &format!("0g{}", &KEPT[2..]),
            &format!("+0{}", &KEPT[2..]),
            &upper,
            &KEPT.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &KEPT.replace("b7ad6b7169203331", &"0".repeat(16)),
            &KEPT.replace("-b7ad", "b-7ad"),
            &KEPT.replace("-01", "-+1"),
            &KEPT.replace("31-01", "é1-01"),
            &format!(" {}", &KEPT[1..]),
        ] {
            assert!(remote(wrong).is_none(), "{wrong}");
        }
    }
}
