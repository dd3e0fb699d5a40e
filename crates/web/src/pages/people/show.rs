//! Everybody, and all tokens.

use std::collections::HashMap;

use app::App;
use app::access::sessions::Session;
use app::access::{tokens, users};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Role, UserId};
use jiff::Timestamp;
use store::tokens::Token;
use store::users::User;

use super::person::NewPerson;
use super::token::NewToken;
use crate::ApiError;
use crate::access::SignedIn;
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, When};
use crate::pages::{PEOPLE, links, page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "people/show.html")]
struct PeoplePage<'p> {
    frame: Frame<'p>,
    people: Vec<Person>,
    tokens: Vec<TokenRow>,
    roles: &'static [Role],
    filled: Refused<'p>,
}

/// What somebody typed that was refused, and why.
#[derive(Default)]
pub(super) struct Refused<'p> {
    pub(super) person: Option<(&'p NewPerson, &'p str)>,
    pub(super) token: Option<(&'p NewToken, &'p str)>,
}

impl Refused<'_> {
    fn person(&self) -> &str {
        self.person.map_or("", |(_, refusal)| refusal)
    }

    fn email(&self) -> &str {
        self.person.map_or("", |(form, _)| &form.email)
    }

    fn has_role(&self, role: &Role) -> bool {
        self.person.is_some_and(|(form, _)| form.role == *role)
    }

    fn token(&self) -> &str {
        self.token.map_or("", |(_, refusal)| refusal)
    }

    fn name(&self) -> &str {
        self.token.map_or("", |(form, _)| &form.name)
    }

    fn owner(&self) -> &str {
        self.token.map_or("", |(form, _)| &form.owner)
    }

    fn expires(&self) -> &str {
        self.token.map_or("", |(form, _)| &form.expires)
    }

    fn token_has_role(&self, role: &Role) -> bool {
        self.token.is_some_and(|(form, _)| form.role == *role)
    }
}

struct Person {
    email: String,
    role: Role,
    since: When,
    disabled: Option<When>,
    /// Where they are disabled.
    disable: String,
}

struct TokenRow {
    name: String,
    role: Role,
    owner: String,
    made: When,
    ends: Option<When>,
    used: Option<When>,
    state: Badge,
    /// Where it is revoked, while it is taken.
    revoke: Option<String>,
}

/// `GET /people`
pub(in crate::pages) async fn show(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
) -> Result<Response, ApiError> {
    people(&web, &session, StatusCode::OK, Refused::default()).await
}

pub(super) async fn people(
    web: &Web,
    session: &Session,
    status: StatusCode,
    filled: Refused<'_>,
) -> Result<Response, ApiError> {
    let app = &web.app;
    let (people, tokens) = (users::list(app).await?, tokens::list(app).await?);
    let by_id: HashMap<UserId, &User> = people.iter().map(|user| (user.id, user)).collect();
    let tokens = tokens.into_iter().map(|token| TokenRow::new(app, token, &by_id)).collect();
    page(
        status,
        &PeoplePage {
            frame: Frame::new(app, session, PEOPLE),
            tokens,
            people: people.iter().map(|user| Person::new(app, user)).collect(),
            roles: Role::ALL,
            filled,
        },
    )
}

impl Person {
    fn new(app: &App, user: &User) -> Self {
        Person {
            email: user.email.to_string(),
            role: user.role,
            since: When::new(app, user.created_at),
            disabled: user.disabled_at.map(|at| When::new(app, at)),
            disable: links::asking("/people/disable", "email", user.email.as_str()),
        }
    }
}

impl TokenRow {
    fn new(app: &App, token: Token, people: &HashMap<UserId, &User>) -> Self {
        let owner = token.user.and_then(|id| people.get(&id));
        let is_past = |at: Option<Timestamp>| at.is_some_and(|at| at <= app.now());
        let state = if token.revoked_at.is_some() {
            "revoked"
        } else if is_past(token.expires_at) {
            "expired"
        } else if owner.is_some_and(|owner| owner.disabled_at.is_some()) {
            "owner disabled"
        } else {
            "taken"
        };
        let revoke = links::asking("/people/tokens/revoke", "name", &token.name);
        TokenRow {
            role: token.role,
            owner: owner.map(|owner| owner.email.to_string()).unwrap_or_default(),
            made: When::new(app, token.created_at),
            ends: token.expires_at.map(|at| When::new(app, at)),
            used: token.last_used_at.map(|at| When::new(app, at)),
            state: Badge::new(state),
            revoke: token.revoked_at.is_none().then_some(revoke),
            name: token.name,
        }
    }
}
