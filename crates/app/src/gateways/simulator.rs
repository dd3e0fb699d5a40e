//! The simulated gateway's rules: what becomes of a charge, drawn from the seed and the charge's key alone, so that
//! a killed and restarted gateway decides the same.

use std::time::Duration;

use domain::Money;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::simulator::Charge;

use crate::config::GatewaySettings;
use crate::gateways::{ChargeRequest, ChargeState};

/// How a charge ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The money is taken.
    Captured,
    /// The bank says no.
    Declined,
}

impl Outcome {
    /// The number that is stored.
    pub const fn code(self) -> i64 {
        match self {
            Outcome::Captured => 1,
            Outcome::Declined => 2,
        }
    }

    /// The outcome with this stored number.
    pub const fn from_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Outcome::Captured),
            2 => Some(Outcome::Declined),
            _ => None,
        }
    }
}

/// What becomes of a charge and of the callbacks about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// How it ends.
    pub outcome: Outcome,
    /// Whether the callback is sent twice.
    pub duplicate: bool,
    /// Whether a stale event follows the final one.
    pub reorder: bool,
    /// Whether no callback is ever sent.
    pub silent: bool,
}

/// The reason that a declined charge gives.
pub const DECLINE_REASON: &str = "the bank declined the card";

impl Fate {
    /// The fate of the charge with this key.
    pub fn of(settings: &GatewaySettings, key: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(settings.seed.to_le_bytes());
        hash.update(key.as_bytes());
        let drawn = hash.finalize();
        // Four independent draws from [0, 1), 32 bits each.
        let draw = |index: usize| {
            let bytes = [0, 1, 2, 3].map(|offset| drawn[index * 4 + offset]);
            f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
        };
        Fate {
            outcome: if draw(0) < settings.decline_rate { Outcome::Declined } else { Outcome::Captured },
            duplicate: draw(1) < settings.duplicate_rate,
            reorder: draw(2) < settings.reorder_rate,
            silent: draw(3) < settings.silence_rate,
        }
    }
}

/// A charge as it is remembered from the moment it is accepted.
pub fn accept(request: &ChargeRequest, fate: Fate, latency: Duration, now: Timestamp) -> Charge {
    Charge {
        key: request.key.clone(),
        reference: format!("ch_{}", request.key),
        amount: request.amount,
        outcome: fate.outcome.code(),
        due_at: now.saturating_add(latency).unwrap_or(now),
        voided_at: None,
        refunded: 0,
    }
}

/// Where a charge stands at `now`: nothing needs to be written for it to be decided.
pub fn state(charge: &Charge, now: Timestamp) -> ChargeState {
    if charge.voided_at.is_some() {
        return ChargeState::Voided;
    }
    match Outcome::from_code(charge.outcome) {
        _ if now < charge.due_at => ChargeState::Pending,
        Some(Outcome::Captured) => {
            ChargeState::Captured { reference: charge.reference.clone(), amount: charge.amount }
        }
        Some(Outcome::Declined) => ChargeState::Declined { reason: DECLINE_REASON.to_owned() },
        None => ChargeState::Unknown,
    }
}

/// The type of an event that a callback tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum EventType {
    /// Not decided yet.
    #[serde(rename = "charge.pending")]
    Pending,
    /// The money was taken.
    #[serde(rename = "charge.captured")]
    Captured,
    /// The bank said no.
    #[serde(rename = "charge.declined")]
    Declined,
    /// Something that this version does not know.
    #[serde(other, rename = "unknown")]
    Unknown,
}

impl EventType {
    /// The word in the body.
    pub const fn as_str(self) -> &'static str {
        match self {
            EventType::Pending => "charge.pending",
            EventType::Captured => "charge.captured",
            EventType::Declined => "charge.declined",
            EventType::Unknown => "unknown",
        }
    }
}

/// The body of a callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Callback {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// To which charge.
    pub data: CallbackData,
}

/// The charge that a callback is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallbackData {
    /// The shop's key of the charge.
    pub key: String,
    /// The gateway's name for it.
    pub reference: String,
    /// How much.
    #[serde(flatten)]
    pub amount: Money,
    /// Why it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A callback that is due: what the gateway's queue carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueCallback {
    /// The charge.
    pub key: String,
    /// What to tell; the event's id follows from both.
    pub kind: EventType,
}

impl DueCallback {
    /// The id of the event: the same for every delivery of it.
    pub fn event_id(&self) -> String {
        let suffix = i32::from(self.kind != EventType::Pending);
        format!("evt_{}_{suffix}", self.key)
    }

    /// The body; none when the charge was called off before it was decided, or is not known.
    pub fn body(&self, charge: Option<&Charge>, now: Timestamp) -> Option<Callback> {
        let charge = charge?;
        let reason = match (self.kind, state(charge, now)) {
            (EventType::Pending, _) | (_, ChargeState::Captured { .. }) => None,
            (_, ChargeState::Declined { reason }) => Some(reason),
            _ => return None,
        };
        let data = CallbackData {
            key: charge.key.clone(),
            reference: charge.reference.clone(),
            amount: charge.amount,
            reason,
        };
        Some(Callback { kind: self.kind, data })
    }
}

/// The callbacks about a charge, in the order in which they are sent.
pub fn callbacks(key: &str, fate: Fate) -> Vec<DueCallback> {
    if fate.silent {
        return Vec::new();
    }
    let kind = match fate.outcome {
        Outcome::Captured => EventType::Captured,
        Outcome::Declined => EventType::Declined,
    };
    let mut sent = vec![DueCallback { key: key.to_owned(), kind }];
    if fate.duplicate {
        sent.push(sent[0].clone());
    }
    if fate.reorder {
        sent.push(DueCallback { key: key.to_owned(), kind: EventType::Pending });
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(settings: &GatewaySettings) -> [usize; 4] {
        let mut counts = [0; 4];
        for number in 0..10_000 {
            let fate = Fate::of(settings, &format!("k-{number}"));
            let marks = [fate.outcome == Outcome::Declined, fate.duplicate, fate.reorder, fate.silent];
            marks.iter().zip(&mut counts).for_each(|(mark, count)| *count += usize::from(*mark));
        }
        counts
    }

    #[test]
    fn rates_are_kept_and_zero_and_one_are_exact() {
        let mut settings = GatewaySettings { decline_rate: 0.0, ..GatewaySettings::default() };
        assert_eq!(shares(&settings), [0, 0, 0, 0]);
        settings.decline_rate = 1.0;
        settings.silence_rate = 1.0;
        assert_eq!(shares(&settings), [10_000, 0, 0, 10_000]);
        settings.duplicate_rate = 0.25;
        let duplicated = shares(&settings)[1];
        assert!((2_300..2_700).contains(&duplicated), "{duplicated}");
    }

    #[test]
    fn the_same_seed_and_key_have_the_same_fate() {
        let settings = GatewaySettings { decline_rate: 0.5, ..GatewaySettings::default() };
        let other = GatewaySettings { seed: 2, ..settings.clone() };
        let fates = |settings: &GatewaySettings| {
            (0..64).map(|n| Fate::of(settings, &n.to_string()).outcome).collect::<Vec<_>>()
        };
        assert_eq!(fates(&settings), fates(&settings));
        assert_ne!(fates(&settings), fates(&other));
    }
}
