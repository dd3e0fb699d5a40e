use std::borrow::Cow;

/// Who does something: the word that the timeline and the refund keys carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor(Cow<'static, str>);

impl Actor {
    /// The engine itself: jobs, deadlines, automatic refunds.
    pub const SYSTEM: Actor = Actor(Cow::Borrowed("system"));
    /// Whoever types at this machine.
    pub const CLI: Actor = Actor(Cow::Borrowed("cli"));
    /// The payment gateway.
    pub const GATEWAY: Actor = Actor(Cow::Borrowed("gateway"));

    /// The word that is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
