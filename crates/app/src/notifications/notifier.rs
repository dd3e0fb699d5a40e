use std::sync::Arc;

use domain::{Channel, NotificationId};
use lettre::message::Mailbox;

use super::{LogMailer, Mailer, SmtpMailer, TemplateError, Templates};
use crate::config::Config;
use crate::{Error, Result};

/// What notifications are written with and go out by.
pub struct Notifier {
    templates: Templates,
    mailers: Vec<Arc<dyn Mailer>>,
    /// The right half of every message's id.
    domain: String,
}

impl Notifier {
    /// Checks the settings, compiles the templates and prepares the channels that are on. Connects to nothing.
    pub fn new(config: &Config, channels: &[Channel]) -> Result<Self> {
        let settings = &config.notifications;
        let templates = Templates::load(settings.templates.as_deref()).map_err(|error| told(&error))?;
        let sender = sender(config)?;
        let domain = sender.email.domain().to_owned();
        let mut mailers: Vec<Arc<dyn Mailer>> = Vec::with_capacity(channels.len());
        for channel in channels {
            mailers.push(match channel {
                Channel::Log => Arc::new(LogMailer),
                Channel::Smtp => {
                    if settings.smtp.username.is_some() != settings.smtp.password.is_some() {
                        return Err(Error::Config(
                            "[notifications.smtp] username and password go together: give both or neither"
                                .to_owned(),
                        ));
                    }
                    Arc::new(SmtpMailer::new(sender.clone(), settings.smtp.clone()))
                }
                Channel::Webhook => {
                    return Err(Error::Config(
                        "[notifications] channels: there is no `webhook` yet".to_owned(),
                    ));
                }
            });
        }
        Ok(Notifier { templates, mailers, domain })
    }

    /// The templates.
    pub fn templates(&self) -> &Templates {
        &self.templates
    }

    /// Who serves a channel; none where it is off.
    pub fn mailer(&self, channel: Channel) -> Option<&Arc<dyn Mailer>> {
        self.mailers.iter().find(|mailer| mailer.channel() == channel)
    }

    /// What a receiver tells the mails of one notification of one installation by.
    pub(super) fn message_id(&self, instance: &str, id: NotificationId) -> String {
        format!("<notification-{id}.{instance}@{}>", self.domain)
    }
}

fn sender(config: &Config) -> Result<Mailbox> {
    let from = &config.notifications.from;
    let mut sender: Mailbox = from.parse().map_err(|error| {
        Error::Config(format!(
            "[notifications] from: `{from}` is no sender ({error}); write an address, or `Shop <orders@shop.example>`"
        ))
    })?;
    if sender.name.is_none() {
        sender.name = Some(config.shop.name.clone());
    }
    Ok(sender)
}

fn told(error: &TemplateError) -> Error {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    Error::Config(format!("[notifications] templates: {error}{cause}"))
}
