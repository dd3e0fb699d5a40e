//! What stands around every page of those who have signed in.

use app::App;
use app::access::sessions::Session;
use domain::Role;

use super::icons;

/// The pages that there are, in the order of the navigation: address, name, icon, and who sees them.
const PAGES: &[(&str, &str, &str, Role)] = &[
    (super::HOME, "Overview", icons::OVERVIEW, Role::Viewer),
    (super::ORDERS, "Orders", icons::ORDERS, Role::Viewer),
    (super::IMPORTS, "Imports", icons::IMPORTS, Role::Viewer),
    (super::REFUNDS, "Refunds", icons::REFUNDS, Role::Viewer),
    (super::NOTIFICATIONS, "Notifications", icons::NOTIFICATIONS, Role::Viewer),
    (super::CUSTOMERS, "Customers", icons::CUSTOMERS, Role::Viewer),
    (super::PRODUCTS, "Products", icons::PRODUCTS, Role::Viewer),
    (super::WEBHOOKS, "Webhooks", icons::WEBHOOKS, Role::Viewer),
    (super::QUEUES, "Queues", icons::QUEUES, Role::Viewer),
    (super::SYSTEM, "System", icons::SYSTEM, Role::Viewer),
    (super::AUDIT, "Operators' log", icons::AUDIT, Role::Admin),
    (super::PEOPLE, "People", icons::PEOPLE, Role::Admin),
    ("/docs", "API", icons::API, Role::Viewer),
    (super::ACCOUNT, "Account", icons::ACCOUNT, Role::Viewer),
];

pub(super) struct Frame<'p> {
    pub(super) shop: &'p str,
    pub(super) email: &'p str,
    pub(super) role: Role,
    pub(super) csrf_token: String,
    here: &'static str,
}

/// An entry of the navigation.
pub(super) struct Entry {
    pub(super) address: &'static str,
    pub(super) name: &'static str,
    pub(super) icon: &'static str,
    pub(super) is_here: bool,
}

impl<'p> Frame<'p> {
    /// Around the page at this address, or one below it.
    pub(super) fn new(app: &'p App, session: &'p Session, here: &'static str) -> Self {
        Frame {
            shop: &app.config().shop.name,
            email: session.email.as_str(),
            role: session.caller.role,
            csrf_token: session.csrf_token(),
            here,
        }
    }

    pub(super) fn pages(&self) -> Vec<Entry> {
        let seen = PAGES.iter().filter(|(.., needed)| self.role.covers(*needed));
        seen.map(|(address, name, icon, _)| Entry { address, name, icon, is_here: *address == self.here })
            .collect()
    }

    /// The name of the page, or of the one that it is below.
    pub(super) fn here(&self) -> &'static str {
        PAGES.iter().find(|(address, ..)| *address == self.here).map_or("Pages", |(_, name, ..)| name)
    }

    /// Whether whoever looks may also see what everybody did, and decide who else may.
    pub(super) fn administers(&self) -> bool {
        self.role.covers(Role::Admin)
    }

    /// Whether whoever looks may also work with what they see.
    pub(super) fn operates(&self) -> bool {
        self.role.covers(Role::Operator)
    }
}
