use domain::OrderId;
use store::payments::PaymentRef;

/// The idempotency key of a charge: which attempt of which order of which installation.
///
/// The order's number is padded, so that the keys of new orders follow each other in the gateway's index.
pub(crate) struct PaymentKey;

impl PaymentKey {
    /// The key of an attempt.
    pub(crate) fn of(instance: &str, payment: PaymentRef) -> String {
        format!("{instance}-{:012}-{}", payment.order.get(), payment.attempt)
    }

    /// The attempt that a key of ours names; none for anybody else's.
    pub(crate) fn parse(instance: &str, key: &str) -> Option<PaymentRef> {
        let (order, attempt) = key.strip_prefix(instance)?.strip_prefix('-')?.split_once('-')?;
        let order = OrderId::new(order.parse().ok()?).ok()?;
        let attempt = attempt.parse().ok().filter(|attempt| *attempt > 0)?;
        Some(PaymentRef { order, attempt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_attempt_and_nobody_elses() {
        let payment = PaymentRef { order: OrderId::from_ledger(42), attempt: 3 };
        let key = PaymentKey::of("k7", payment);
        assert_eq!(key, "k7-000000000042-3");
        assert_eq!(PaymentKey::parse("k7", &key), Some(payment));
        for foreign in ["k8-000000000042-3", "k7-000000000042", "k7-x-1", "k7-1-0", "", "k7"] {
            assert_eq!(PaymentKey::parse("k7", foreign), None, "{foreign}");
        }
    }
}
