//! What an attempt's answer means for the record and for the job.

use domain::{NotificationId, NotificationStatus};
use queue::Outcome;
use store::notifications::{Attempt, Failure, FailureKind, Standing};

use super::{Delivery, Letter};

/// Attempts that a notification has while its channel is in trouble: about two days of them.
pub(crate) const ATTEMPTS: u32 = 60;

pub(super) const INTERRUPTED: &str = "the worker stopped before it could record the answer";

/// What is recorded of a notification, and what becomes of its job.
pub(super) struct Conclusion {
    pub(super) id: NotificationId,
    pub(super) status: NotificationStatus,
    pub(super) words: Option<(String, Vec<u8>)>,
    pub(super) unclaimed: bool,
    pub(super) failure: Option<(FailureKind, String)>,
    pub(super) note: Option<String>,
    /// None where the job is done.
    pub(super) again: Option<Outcome>,
}

/// A letter that may have arrived is sent once more, not twice.
pub(super) fn may_send(standing: &Standing) -> bool {
    match standing.status {
        NotificationStatus::Queued => true,
        NotificationStatus::Sending => !standing.possible_duplicate,
        _ => false,
    }
}

/// What an attempt's answer means.
pub(super) fn conclude(
    letter: Letter,
    body: Vec<u8>,
    delivery: Delivery,
    standing: Option<&Standing>,
    is_last: bool,
) -> Conclusion {
    let was_in_doubt = |one: &Standing| one.possible_duplicate || one.status == NotificationStatus::Sending;
    let is_second_try = standing.is_some_and(was_in_doubt);
    let (status, failure, again) = match delivery {
        Delivery::Sent => (NotificationStatus::Sent, None, None),
        Delivery::Refused(reason) | Delivery::Gone(reason) => {
            (NotificationStatus::Failed, Some((FailureKind::Refused, reason)), None)
        }
        Delivery::Passing(reason) if is_last => {
            let reason = format!("given up after {ATTEMPTS} attempts: {reason}");
            (NotificationStatus::Failed, Some((FailureKind::Passing, reason)), None)
        }
        Delivery::Passing(reason) => {
            let again = Some(Outcome::Retry(reason.clone()));
            (NotificationStatus::Queued, Some((FailureKind::Passing, reason)), again)
        }
        Delivery::NoAnswer(reason) if is_second_try || is_last => {
            (NotificationStatus::Unknown, Some((FailureKind::NoAnswer, reason)), None)
        }
        Delivery::NoAnswer(reason) => {
            let again = Some(Outcome::Retry(reason.clone()));
            (NotificationStatus::Sending, Some((FailureKind::NoAnswer, reason)), again)
        }
    };
    Conclusion {
        id: letter.id,
        status,
        words: Some((letter.subject, body)),
        unclaimed: standing.is_none(),
        failure,
        note: None,
        again,
    }
}

pub(super) fn unwritten(id: NotificationId, reason: String) -> Conclusion {
    Conclusion {
        id,
        status: NotificationStatus::Failed,
        words: None,
        unclaimed: true,
        failure: Some((FailureKind::Refused, reason)),
        note: None,
        again: None,
    }
}

/// Interrupted twice: a third attempt could be a third mail.
pub(super) fn in_doubt(id: NotificationId) -> Conclusion {
    Conclusion {
        id,
        status: NotificationStatus::Unknown,
        words: None,
        unclaimed: false,
        failure: None,
        note: Some(format!("{INTERRUPTED}, twice")),
        again: None,
    }
}

pub(super) fn attempt(conclusion: &Conclusion) -> Attempt<'_> {
    Attempt {
        id: conclusion.id,
        status: conclusion.status,
        words: conclusion.words.as_ref().map(|(subject, body)| (subject.as_str(), body.as_slice())),
        unclaimed: conclusion.unclaimed,
        failure: conclusion.failure.as_ref().map(|(kind, error)| Failure { kind: *kind, error }),
        note: conclusion.note.as_deref(),
    }
}
