use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::{Error, Result, Tx};

/// A transaction's function, its result and the caller who waits for it.
pub(crate) trait Unit: Send {
    /// Runs the function; says what should become of what it wrote.
    fn run(&mut self, tx: &mut Tx<'_>) -> Verdict;
    /// Gives the caller the result, or `error` when the transaction around it failed.
    fn answer(self: Box<Self>, error: Option<Error>);
    /// For logs.
    fn name(&self) -> &'static str;
    /// When the caller asked for it.
    fn asked_at(&self) -> Instant;
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Commit,
    Rollback,
    /// Run it again from its start.
    Again,
}

pub(crate) struct Work<F, T, E> {
    name: &'static str,
    asked_at: Instant,
    f: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
    /// What it is part of, so that what it logs is told apart, whichever thread it runs on.
    span: tracing::Span,
    /// The same for traces: the wait for a thread is a part of it.
    trace: telemetry::Span,
}

impl<F, T, E> Work<F, T, E> {
    pub(crate) fn new(name: &'static str, f: F, reply: oneshot::Sender<Result<T, E>>) -> Self {
        let (span, trace) = (tracing::Span::current(), telemetry::Span::here(name, telemetry::Kind::Part));
        Work { name, asked_at: Instant::now(), f, result: None, reply, span, trace }
    }
}

impl<F, T, E> Unit for Work<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Verdict {
        let _within = self.span.enter();
        let run = AssertUnwindSafe(|| self.trace.within(|| (self.f)(tx)));
        let result = catch_unwind(run).unwrap_or_else(|panic| {
            let message = panic
                .downcast_ref::<&str>()
                .map(ToString::to_string)
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "no message".to_owned());
            Err(Error::Panicked(message).into())
        });
        // What waited to be sent can still fail; and whoever passed over an error that leaves nothing to be kept hears it here.
        let result = result.and_then(|done| tx.send_waiting().map(|()| done).map_err(E::from));
        let verdict = match &result {
            Ok(_) => Verdict::Commit,
            Err(_) if tx.wanted_ids().is_some() || tx.saw_transient() => Verdict::Again,
            Err(_) => Verdict::Rollback,
        };
        self.result = Some(result);
        verdict
    }

    fn answer(self: Box<Self>, error: Option<Error>) {
        let result = match (error, self.result) {
            (Some(error), _) => {
                self.trace.fail(|| error.to_string());
                Err(error.into())
            }
            (None, Some(result)) => result,
            (None, None) => Err(Error::Closed.into()),
        };
        // A caller who went away wanted the transaction, not its answer.
        let _ = self.reply.send(result);
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn asked_at(&self) -> Instant {
        self.asked_at
    }
}

/// What a thread that waits for work gets.
pub(crate) enum Next {
    Unit(Box<dyn Unit>),
    Nothing,
    /// There is no work and there will be none.
    Closed,
}

/// Work that waits for a thread.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Box<dyn Unit>>,
    closed: bool,
}

impl Queue {
    pub(crate) fn push(&self, unit: Box<dyn Unit>) {
        let mut state = self.lock();
        if !state.closed {
            state.waiting.push_back(unit);
            self.ready.notify_one();
        }
    }

    /// Waits for work; `None` once the queue is closed and empty.
    pub(crate) fn pop(&self) -> Option<Box<dyn Unit>> {
        loop {
            match self.pop_within(Duration::MAX) {
                Next::Unit(unit) => return Some(unit),
                Next::Nothing => {}
                Next::Closed => return None,
            }
        }
    }

    /// Waits for work for so long.
    pub(crate) fn pop_within(&self, patience: Duration) -> Next {
        let waits = |state: &mut State| state.waiting.is_empty() && !state.closed;
        let waited = self.ready.wait_timeout_while(self.lock(), patience, waits);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.waiting.pop_front() {
            Some(unit) => Next::Unit(unit),
            None if state.closed => Next::Closed,
            None => Next::Nothing,
        }
    }

    pub(crate) fn try_pop(&self) -> Option<Box<dyn Unit>> {
        self.lock().waiting.pop_front()
    }

    /// How much waits.
    pub(crate) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands a transaction's function to the threads behind `queue`; the answer comes where they have run it.
pub(crate) fn submit<T, E>(
    queue: &Queue,
    name: &'static str,
    f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
) -> oneshot::Receiver<Result<T, E>>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    // A closed queue drops the work, and with it the reply: the caller sees that as closed.
    in_work(name, f, |unit| queue.push(unit))
}

/// Hands a transaction's function to `run`; the answer comes where that has run it.
pub(crate) fn in_work<T, E>(
    name: &'static str,
    f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    run: impl FnOnce(Box<dyn Unit>),
) -> oneshot::Receiver<Result<T, E>>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    run(Box::new(Work::new(name, f, reply)));
    answer
}
