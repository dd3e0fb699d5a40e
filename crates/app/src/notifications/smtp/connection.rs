use std::error::Error as _;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Noop, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::time::{Instant, timeout, timeout_at};

use super::message::Mail;
use crate::config::{SmtpSecurity, SmtpSettings};
use crate::notifications::Delivery;

/// A conversation with a mail server.
pub(super) struct Connection {
    inner: AsyncSmtpConnection,
    timeout: Duration,
    usable: bool,
}

/// Why there is no conversation.
pub(super) struct Unreachable(pub(super) String);

impl Connection {
    /// Connects, secures and logs in.
    pub(super) async fn open(
        settings: &SmtpSettings,
        tls: Option<TlsParameters>,
    ) -> Result<Self, Unreachable> {
        let server = format!("{}:{}", settings.host, settings.port);
        match timeout(settings.timeout, open(settings, tls)).await {
            Ok(Ok(inner)) => Ok(Connection { inner, timeout: settings.timeout, usable: true }),
            Ok(Err(error)) => {
                Err(Unreachable(format!("the mail server {server} cannot be used: {}", told(&error))))
            }
            Err(_) => {
                let waited = settings.timeout;
                Err(Unreachable(format!("the mail server {server} did not greet within {waited:?}")))
            }
        }
    }

    /// Whether another mail can follow.
    pub(super) fn is_usable(&self) -> bool {
        self.usable && !self.inner.has_broken()
    }

    /// Whether the server is still there, after a pause.
    pub(super) async fn is_alive(&mut self) -> bool {
        matches!(timeout(self.timeout, self.inner.command(Noop)).await, Ok(Ok(_)))
    }

    /// Hands one mail over.
    pub(super) async fn deliver(&mut self, mail: &Mail) -> Delivery {
        let deadline = Instant::now() + self.timeout;
        let waited = self.timeout;
        self.usable = false;
        match timeout_at(deadline, self.announce(mail)).await {
            Ok(Ok(())) => {}
            Ok(Err(delivery)) => {
                // A refusal of one mail leaves the conversation as it was.
                self.usable = matches!(timeout_at(deadline, self.inner.command(Rset)).await, Ok(Ok(_)));
                return delivery;
            }
            Err(_) => return Delivery::Passing(format!("the mail server did not answer within {waited:?}")),
        }
        match timeout_at(deadline, self.inner.message(&mail.bytes)).await {
            Ok(Ok(_)) => {
                self.usable = true;
                Delivery::Sent
            }
            Ok(Err(error)) if error.is_permanent() => {
                self.usable = true;
                Delivery::Refused(format!("the mail server refused the mail: {}", told(&error)))
            }
            Ok(Err(error)) if error.is_transient() => {
                self.usable = true;
                Delivery::Passing(format!("the mail server does not take the mail now: {}", told(&error)))
            }
            Ok(Err(error)) => {
                Delivery::NoAnswer(format!("the connection broke before the answer came: {}", told(&error)))
            }
            Err(_) => Delivery::NoAnswer(format!("the mail server did not answer within {waited:?}")),
        }
    }

    /// Names sender and recipient. Nothing has been sent when this fails.
    async fn announce(&mut self, mail: &Mail) -> Result<(), Delivery> {
        let envelope = &mail.envelope;
        let mut parameters = Vec::new();
        if envelope
            .to()
            .iter()
            .chain(envelope.from())
            .any(|address| !AsRef::<str>::as_ref(address).is_ascii())
        {
            if !self.inner.server_info().supports_feature(Extension::SmtpUtfEight) {
                let reason = "the mail server takes no addresses with letters beyond ASCII";
                return Err(Delivery::Refused(reason.to_owned()));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !mail.bytes.is_ascii() && self.inner.server_info().supports_feature(Extension::EightBitMime) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        // A refused sender is a matter of our settings: mails wait until somebody puts them right.
        let from = self.inner.command(MailFrom::new(envelope.from().cloned(), parameters)).await;
        from.map_err(|error| {
            Delivery::Passing(format!("the mail server refused the sender: {}", told(&error)))
        })?;
        for address in envelope.to() {
            let to = self.inner.command(Rcpt::new(address.clone(), Vec::new())).await;
            to.map_err(|error| delivery(&error, "the recipient"))?;
        }
        let data = self.inner.command(Data).await;
        data.map_err(|error| delivery(&error, "the mail"))?;
        Ok(())
    }
}

fn delivery(error: &Error, what: &str) -> Delivery {
    if error.is_permanent() {
        Delivery::Refused(format!("the mail server refused {what}: {}", told(error)))
    } else {
        Delivery::Passing(format!("the mail server does not take {what} now: {}", told(error)))
    }
}

async fn open(settings: &SmtpSettings, tls: Option<TlsParameters>) -> Result<AsyncSmtpConnection, Error> {
    let us = ClientId::default();
    let server = (settings.host.as_str(), settings.port);
    let (at_once, later) = match settings.security {
        SmtpSecurity::Tls => (tls, None),
        SmtpSecurity::StartTls => (None, tls),
        SmtpSecurity::None => (None, None),
    };
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(server, Some(settings.timeout), &us, at_once, None).await?;
    if let Some(tls) = later {
        connection.starttls(tls, &us).await?;
    }
    if let (Some(name), Some(password)) = (&settings.username, &settings.password) {
        let credentials = Credentials::new(name.clone(), password.clone());
        connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
    }
    Ok(connection)
}

/// An error with its causes.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
