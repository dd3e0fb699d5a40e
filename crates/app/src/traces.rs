//! Which trace it is that what a use case pushes goes on in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::OrderId;
use queue::{Batch, NewJob, Pushed};
use sql::Tx;
use store::orders::NewOrder;
use telemetry::{Span, Trace};

use crate::{App, Result};

/// The traces of the orders that a run of several jobs is about; none where everything follows from one span.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traces(Option<Arc<HashMap<OrderId, Trace>>>);

/// The beginnings of the traces of orders that are imported: an import would make one trace of a whole file, so each of its
/// orders begins a trace of its own, or does not. A transaction that runs again finds those of its first run.
#[derive(Debug, Default)]
pub(crate) struct Beginnings(Mutex<HashMap<i64, Span>>);

impl Beginnings {
    pub(crate) fn of(&self, order: &NewOrder<'_>) -> Option<Trace> {
        if !telemetry::is_on() {
            return None;
        }
        let (import, line) = order.import?;
        let mut begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let span = begun.entry(line).or_insert_with(|| Span::root("imported order"));
        span.set("order.id", order.id.get());
        span.set("import.id", import.get());
        span.set("import.line", line);
        span.trace()
    }
}

impl App {
    /// The application as the jobs of a run use it: what is pushed for an order follows from the order's job. `orders` are
    /// in the order of the jobs, none where a job is about none.
    pub(crate) fn on_behalf_of(
        &self,
        batch: &Batch,
        orders: impl IntoIterator<Item = Option<OrderId>>,
    ) -> App {
        if !batch.is_traced() || batch.jobs().len() == 1 {
            return self.clone();
        }
        let of_job = |(position, order): (usize, Option<OrderId>)| Some((order?, batch.trace(position)?));
        let traces = orders.into_iter().enumerate().filter_map(of_job).collect();
        self.with_traces(Traces(Some(Arc::new(traces))))
    }

    /// A job as what follows from what goes on here for an order.
    pub(crate) fn traced(&self, order: OrderId, job: NewJob) -> NewJob {
        match &self.traces().0 {
            None => job.traced(Trace::current().as_ref()),
            Some(traces) => job.traced(traces.get(&order)),
        }
    }

    /// Pushes jobs as part of a transaction, as what follows from what goes on here.
    pub(crate) fn push_in(&self, tx: &mut Tx<'_>, jobs: Vec<NewJob>) -> Result<Vec<Pushed>> {
        let trace = Trace::current();
        let jobs: Vec<NewJob> = jobs.into_iter().map(|job| job.traced(trace.as_ref())).collect();
        Ok(self.queue().push_in(tx, &jobs)?)
    }
}
