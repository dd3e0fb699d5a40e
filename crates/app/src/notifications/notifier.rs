use std::sync::Arc;

use domain::{Channel, NotificationId};
use lettre::message::Mailbox;
use queue::Clock;

use super::webhook::{self, WebhookCaller, WebhookMailer};
use super::{LogMailer, Mailer, SmtpMailer, TemplateError, Templates};
use crate::config::Config;
use crate::{Error, Result};

/// What notifications are written with and go out by.
pub struct Notifier {
    templates: Templates,
    mailers: Vec<Arc<dyn Mailer>>,
    /// The right half of every message's id.
    domain: String,
    /// Where the shop's own receiver is, as people may read it.
    receiver: String,
}

impl Notifier {
    /// Checks the settings, compiles the templates and prepares the channels that are on. Connects to nothing.
    pub fn new(config: &Config, channels: &[Channel], clock: &Arc<dyn Clock>) -> Result<Self> {
        let settings = &config.notifications;
        let templates = Templates::load(settings.templates.as_deref()).map_err(|error| told(&error))?;
        let sender = sender(config)?;
        let domain = sender.email.domain().to_owned();
        let mut mailers: Vec<Arc<dyn Mailer>> = Vec::with_capacity(channels.len());
        for (index, channel) in channels.iter().enumerate() {
            if channels[..index].contains(channel) {
                return Err(Error::Config(format!("[notifications] channels: `{channel}` is there twice")));
            }
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
                    let caller = WebhookCaller::new(&settings.webhook, Arc::clone(clock))?;
                    Arc::new(WebhookMailer(Arc::new(caller)))
                }
            });
        }
        let receiver = webhook::address(&settings.webhook);
        Ok(Notifier { templates, mailers, domain, receiver })
    }

    /// The templates.
    pub fn templates(&self) -> &Templates {
        &self.templates
    }

    /// Who serves a channel; none where it is off.
    pub fn mailer(&self, channel: Channel) -> Option<&Arc<dyn Mailer>> {
        self.mailers.iter().find(|mailer| mailer.channel() == channel)
    }

    /// Whom a channel tells, where that is not the customer.
    pub(crate) fn receiver(&self, channel: Channel) -> Option<&str> {
        (channel == Channel::Webhook).then_some(self.receiver.as_str())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(channels: &[Channel], change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        let clock: Arc<dyn Clock> = Arc::new(queue::SystemClock);
        Notifier::new(&config, channels, &clock).err().unwrap().to_string()
    }

    #[test]
    fn settings_that_cannot_work_are_refused_at_start() {
        let clock: Arc<dyn Clock> = Arc::new(queue::SystemClock);
        assert!(Notifier::new(&Config::default(), &[Channel::Log, Channel::Smtp], &clock).is_ok());
        let twice = refusal(&[Channel::Log, Channel::Log], |_| ());
        assert!(twice.contains("`log` is there twice"), "{twice}");
        for wrong in ["", "nobody", "Shop <orders@>", "a@b.example\r\nBcc: c@d.example"] {
            let refused = refusal(&[Channel::Log], |config| config.notifications.from = wrong.to_owned());
            assert!(refused.contains("[notifications] from"), "{refused}");
        }
        let half =
            refusal(&[Channel::Smtp], |config| config.notifications.smtp.username = Some("me".to_owned()));
        assert!(half.contains("give both or neither"), "{half}");
        let nowhere = refusal(&[], |config| config.notifications.templates = Some("/no/such/folder".into()));
        assert!(nowhere.contains("/no/such/folder"), "{nowhere}");
    }

    #[test]
    fn a_sender_without_a_name_has_the_shop_s() {
        let mut config = Config::default();
        config.shop.name = String::from("Ada's Mugs");
        config.notifications.from = "orders@mugs.example".to_owned();
        assert_eq!(sender(&config).unwrap().name.as_deref(), Some("Ada's Mugs"));
        config.notifications.from = "Grüße <orders@mugs.example>".to_owned();
        assert_eq!(sender(&config).unwrap().name.as_deref(), Some("Grüße"));
    }
}
