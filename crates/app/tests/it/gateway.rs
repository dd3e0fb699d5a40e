//! A gateway with faults: the simulated one behind a line that tests cut.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use app::gateways::{
    ChargeAnswer, ChargeRequest, ChargeState, GatewayError, InProcess, PaymentGateway, RefundAnswer,
    RefundRequest,
};
use async_trait::async_trait;
use domain::Money;

use crate::support::TestApp;

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The call never arrives.
    Unheard,
    /// The call is carried out, and its answer is lost.
    Unanswered,
    /// The call is carried out, and the answer to its first wish is lost.
    FirstUnanswered,
    /// The call is refused by something in between that will not change.
    Lasting,
    /// Charges are declined at once; refunds refused for good.
    Refused,
    /// Charges to be called off are still undecided.
    Undecided,
    /// Charges to be called off were captured, and not with the money that was asked for.
    Captured(Money),
}

type Hook = Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// The gateway. A call takes the next fault of its list; without any, it goes through.
pub struct Faulty {
    inner: InProcess,
    pub charges: Faults,
    pub voids: Faults,
    pub refunds: Faults,
    before_charge: Mutex<Option<Hook>>,
}

/// The faults of the calls to come.
#[derive(Default)]
pub struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    pub fn then(&self, faults: &[Fault]) {
        self.0.lock().unwrap().extend(faults);
    }

    fn next(&self) -> Fault {
        self.0.lock().unwrap().pop_front().unwrap_or(Fault::None)
    }
}

impl Faulty {
    /// Puts a gateway with faults in front of the simulated one of a test.
    pub fn before(test: &mut TestApp) -> Arc<Self> {
        let faulty = Arc::new(Faulty {
            inner: test.app.simulator().unwrap().clone(),
            charges: Faults::default(),
            voids: Faults::default(),
            refunds: Faults::default(),
            before_charge: Mutex::new(None),
        });
        test.app = test.app.with_gateway(faulty.clone());
        faulty
    }

    /// Does this, once, before the next charge.
    pub fn before_charge<F: Future<Output = ()> + Send + 'static>(
        &self,
        hook: impl Fn() -> F + Send + Sync + 'static,
    ) {
        *self.before_charge.lock().unwrap() = Some(Box::new(move || Box::pin(hook())));
    }
}

/// What a call with a fault answers, unless `refused` knows better.
fn answer<T: Clone>(
    fault: Fault,
    count: usize,
    answers: Vec<Result<T, GatewayError>>,
    other: impl Fn() -> T,
) -> Vec<Result<T, GatewayError>> {
    match fault {
        Fault::None => answers,
        Fault::FirstUnanswered => {
            let lost = Err(GatewayError::passing("half an answer"));
            std::iter::once(lost).chain(answers.into_iter().skip(1)).collect()
        }
        Fault::Unheard | Fault::Unanswered => vec![Err(GatewayError::passing("the line was cut")); count],
        Fault::Lasting => vec![Err(GatewayError::lasting("401 Unauthorized")); count],
        Fault::Refused | Fault::Undecided | Fault::Captured(_) => vec![Ok(other()); count],
    }
}

fn arrives(fault: Fault) -> bool {
    matches!(fault, Fault::None | Fault::Unanswered | Fault::FirstUnanswered)
}

#[async_trait]
impl PaymentGateway for Faulty {
    async fn charge(&self, requests: Vec<ChargeRequest>) -> Vec<Result<ChargeAnswer, GatewayError>> {
        if requests.is_empty() {
            return Vec::new();
        }
        let hook = self.before_charge.lock().unwrap().take();
        if let Some(hook) = hook {
            hook().await;
        }
        let (fault, count) = (self.charges.next(), requests.len());
        let answers = if arrives(fault) { self.inner.charge(requests).await } else { Vec::new() };
        answer(fault, count, answers, || ChargeAnswer::Declined { reason: "no such card".to_owned() })
    }

    async fn void(&self, keys: Vec<String>) -> Vec<Result<ChargeState, GatewayError>> {
        if keys.is_empty() {
            return Vec::new();
        }
        let (fault, count) = (self.voids.next(), keys.len());
        let answers = if arrives(fault) { self.inner.void(keys).await } else { Vec::new() };
        answer(fault, count, answers, || match fault {
            Fault::Captured(amount) => ChargeState::Captured { reference: "ch_other".to_owned(), amount },
            _ => ChargeState::Pending,
        })
    }

    async fn refund(&self, requests: Vec<RefundRequest>) -> Vec<Result<RefundAnswer, GatewayError>> {
        if requests.is_empty() {
            return Vec::new();
        }
        let (fault, count) = (self.refunds.next(), requests.len());
        let answers = if arrives(fault) { self.inner.refund(requests).await } else { Vec::new() };
        answer(fault, count, answers, || RefundAnswer::Refused { reason: "the card is closed".to_owned() })
    }
}
