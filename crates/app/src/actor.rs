use std::borrow::Cow;

use domain::Email;

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    name: Cow<'static, str>,
    account: Cow<'static, str>,
}

impl Actor {
    /// The engine itself: jobs, deadlines, automatic refunds.
    pub const SYSTEM: Actor = Actor { name: Cow::Borrowed("system"), account: Cow::Borrowed("system") };
    /// Whoever types at this machine.
    pub const CLI: Actor = Actor { name: Cow::Borrowed("cli"), account: Cow::Borrowed("cli") };
    /// The payment gateway.
    pub const GATEWAY: Actor = Actor { name: Cow::Borrowed("gateway"), account: Cow::Borrowed("gateway") };

    /// Whoever opens the link by which the first person is let in.
    pub const SETUP: Actor = Actor { name: Cow::Borrowed("setup"), account: Cow::Borrowed("setup") };
    /// Somebody of whom nothing is known.
    pub const STRANGER: Actor = Actor { name: Cow::Borrowed("stranger"), account: Cow::Borrowed("stranger") };

    /// A person who has signed in.
    pub fn user(email: &Email) -> Self {
        let name = format!("user:{email}");
        Actor { account: name.clone().into(), name: name.into() }
    }

    /// A program with a token, for the person whose token it is. What belongs to nobody is the installation's own, so
    /// that a token can be replaced by another without its keys becoming free again.
    pub fn token(name: &str, owner: Option<&Email>) -> Self {
        let account = owner.map_or_else(|| "api".to_owned(), |email| format!("user:{email}"));
        Actor { name: format!("token:{name}").into(), account: account.into() }
    }

    /// The word that timelines and the operators' log carry.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Within which idempotency keys are one.
    pub fn account(&self) -> &str {
        &self.account
    }
}
