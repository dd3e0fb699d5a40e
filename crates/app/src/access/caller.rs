use domain::Role;

use crate::Actor;

/// Somebody who has shown who they are.
#[derive(Debug, Clone)]
pub struct Caller {
    /// As timelines and the operators' log name them.
    pub actor: Actor,
    /// What they may do.
    pub role: Role,
}
