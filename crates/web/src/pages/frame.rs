//! What stands around every page of those who have signed in.

use app::App;
use app::access::sessions::Session;

/// The pages that there are, in the order of the navigation.
const PAGES: [(&str, &str); 3] = [("/", "Overview"), ("/docs", "API"), (super::ACCOUNT, "Account")];

pub(super) struct Frame<'p> {
    pub(super) shop: &'p str,
    pub(super) email: &'p str,
    pub(super) csrf_token: String,
    here: &'static str,
}

impl<'p> Frame<'p> {
    /// Around the page at this address.
    pub(super) fn new(app: &'p App, session: &'p Session, here: &'static str) -> Self {
        Frame {
            shop: &app.config().shop.name,
            email: session.email.as_str(),
            csrf_token: session.csrf_token(),
            here,
        }
    }

    /// Address, name, and whether it is this page.
    pub(super) fn pages(&self) -> [(&'static str, &'static str, bool); 3] {
        PAGES.map(|(address, name)| (address, name, address == self.here))
    }
}
