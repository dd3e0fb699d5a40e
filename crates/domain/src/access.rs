//! Who may do what.

use crate::coded::coded_enum;

coded_enum! {
    /// What an account may do; each role may do all that those before it may.
    Role ("role") {
        /// Reads.
        Viewer = 1 => "viewer",
        /// Also works with orders, imports, refunds and the queue.
        Operator = 2 => "operator",
        /// Also decides who else may.
        Admin = 3 => "admin",
    }
}

impl Role {
    /// Whether it may do what `needed` may.
    pub fn covers(self, needed: Role) -> bool {
        self >= needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_covers_itself_and_those_below_it() {
        let covered: Vec<Vec<Role>> = Role::ALL
            .iter()
            .map(|role| Role::ALL.iter().copied().filter(|needed| role.covers(*needed)).collect())
            .collect();
        assert_eq!(covered, [&Role::ALL[..1], &Role::ALL[..2], Role::ALL]);
    }
}
