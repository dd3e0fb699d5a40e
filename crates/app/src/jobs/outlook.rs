//! What running a job once more would do, told before anybody does it.

use domain::{ImportId, NotificationId, OrderId, RefundId};
use queue::{Handler, JobRecord};
use serde::de::DeserializeOwned;
use sql::Tx;

use crate::{App, Error, Result};

/// What a retry of a job would do, as things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// What the job is about, the nearest first.
    pub about: Vec<About>,
    /// Whether an effect would happen.
    pub prospect: Prospect,
    /// How things stand, and what a retry would therefore do.
    pub told: String,
    /// Why no effect happens twice, whatever the job had done already.
    pub why: &'static str,
}

/// Whether a retry would have an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prospect {
    /// None: it would find everything done.
    Settled,
    /// The one that has not happened yet.
    Open,
    /// Perhaps one that may have happened: nobody knows whether it did, and it has no key.
    InDoubt,
    /// None: it cannot run.
    Hopeless,
}

/// What a job is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// An order.
    Order(OrderId),
    /// A refund.
    Refund(RefundId),
    /// A notification.
    Notification(NotificationId),
    /// An import.
    Import(ImportId),
}

/// A handler that can tell beforehand what a run would do. Each of ours can: the registry takes no other.
pub(super) trait Foresight: Handler {
    /// What a run with these arguments would do.
    fn foresee(&self, tx: &mut Tx<'_>, args: &str) -> Result<Outlook>;
}

impl Outlook {
    /// Where everything is done.
    pub(super) fn settled(about: Vec<About>, told: String, why: &'static str) -> Self {
        Outlook { about, prospect: Prospect::Settled, told, why }
    }

    /// Where something is left to do.
    pub(super) fn open(about: Vec<About>, told: String, why: &'static str) -> Self {
        Outlook { about, prospect: Prospect::Open, told, why }
    }

    fn hopeless(told: String) -> Self {
        let why = "It would end before it does anything.";
        Outlook { about: Vec::new(), prospect: Prospect::Hopeless, told, why }
    }

    /// The order that the job is about.
    pub fn order(&self) -> Option<OrderId> {
        self.about.iter().find_map(|about| match about {
            About::Order(id) => Some(*id),
            _ => None,
        })
    }
}

/// What a retry of this job would do.
pub async fn outlook(app: &App, job: &JobRecord) -> Result<Outlook> {
    let Some(handler) = super::handlers(app).into_iter().find(|handler| handler.kind() == job.kind) else {
        let told = format!("This version has nobody who does jobs of the kind {}: it would fail.", job.kind);
        return Ok(Outlook::hopeless(told));
    };
    let args = job.args.clone();
    match app.read("job_outlook", move |tx| handler.foresee(tx, &args)).await {
        Err(Error::Invalid(reason)) => Ok(Outlook::hopeless(format!("It would fail: {reason}."))),
        Err(Error::Ledger(error @ store::Error::Missing { .. })) => {
            Ok(Outlook::hopeless(format!("It would change nothing: {error}.")))
        }
        outlook => outlook,
    }
}

/// The payload in a job's arguments.
pub(super) fn read<P: DeserializeOwned>(args: &str) -> Result<P> {
    serde_json::from_str(args)
        .map_err(|error| Error::Invalid(format!("its arguments cannot be read ({error})")))
}

/// An order as it is locked before anything is done to it.
pub(super) fn order(tx: &mut Tx<'_>, id: OrderId) -> Result<store::orders::Head> {
    let found = store::orders::list_heads(tx, &[id])?.into_iter().next();
    Ok(found.ok_or_else(|| store::Error::missing("order", id))?)
}
