//! Mails over SMTP.
//!
//! The conversation is held here, command by command, because what a failure means depends on where it happened:
//! before the words were handed over nothing was sent, afterwards nobody knows.

mod connection;
mod message;
mod pool;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::Channel;
use lettre::message::Mailbox;
use telemetry::{Kind, Span, Trace};
use tokio::task::JoinSet;

use super::mailer::{Delivery, Letter, Mailer};
use crate::config::SmtpSettings;
use connection::{Connection, Unreachable};
use message::Mail;
use pool::Pool;

/// Hands letters to a mail server, over a few connections at once that are kept for a while.
pub struct SmtpMailer {
    from: Mailbox,
    settings: SmtpSettings,
    pool: Arc<Pool>,
}

/// Letters that a connection is given at a time: with the timeout of a mail, it bounds how long a set may take.
const LETTERS_A_CONNECTION: usize = 4;

impl SmtpMailer {
    /// Connects to nothing yet. `from` is the sender, as in `Shop <orders@shop.example>`.
    pub fn new(from: Mailbox, settings: SmtpSettings) -> Self {
        SmtpMailer { from, pool: Arc::new(Pool::new(settings.clone())), settings }
    }

    fn connections(settings: &SmtpSettings) -> usize {
        settings.connections.max(1) as usize
    }

    /// The longest that a set of letters can take.
    pub fn longest_send(settings: &SmtpSettings) -> Duration {
        // For each letter, one timeout to connect again and one to hand it over; the last may begin late.
        settings.timeout * 2 * (LETTERS_A_CONNECTION as u32 + 1)
    }
}

/// The mails that are still to be sent, and what became of the others.
struct Outbox {
    waiting: Vec<(usize, Mail, Option<Trace>)>,
    deliveries: Vec<Delivery>,
}

#[async_trait]
impl Mailer for SmtpMailer {
    fn channel(&self) -> Channel {
        Channel::Smtp
    }

    fn at_once(&self) -> usize {
        Self::connections(&self.settings) * LETTERS_A_CONNECTION
    }

    async fn send(&self, letters: &[Letter]) -> Vec<Delivery> {
        let mut outbox = Outbox {
            waiting: Vec::with_capacity(letters.len()),
            // What is not overwritten was never begun.
            deliveries: vec![Delivery::Passing("it was not begun".to_owned()); letters.len()],
        };
        for (position, letter) in letters.iter().enumerate().rev() {
            match Mail::new(&self.from, letter) {
                Ok(mail) => outbox.waiting.push((position, mail, letter.trace.clone())),
                Err(reason) => outbox.deliveries[position] = Delivery::Refused(reason),
            }
        }
        let connections = outbox.waiting.len().min(Self::connections(&self.settings));
        let outbox = Arc::new(Mutex::new(outbox));
        let mut senders = JoinSet::new();
        for _ in 0..connections {
            senders.spawn(send_waiting(Arc::clone(&outbox), Arc::clone(&self.pool)));
        }
        while senders.join_next().await.is_some() {}
        self.pool.close_idle_later();
        std::mem::take(&mut outbox.lock().unwrap_or_else(PoisonError::into_inner).deliveries)
    }
}

/// Sends mails over one connection until none is left.
async fn send_waiting(outbox: Arc<Mutex<Outbox>>, pool: Arc<Pool>) {
    let lock = || outbox.lock().unwrap_or_else(PoisonError::into_inner);
    let take = || lock().waiting.pop();
    let mut connection: Option<Connection> = None;
    while let Some((position, mail, trace)) = take() {
        let call = Span::after(trace.as_ref(), "SMTP", Kind::Call);
        let open = match connection.take() {
            Some(open) => Ok(open),
            None => pool.take().await,
        };
        let delivery = match open {
            Ok(mut open) => {
                // Until the answer is there, nobody knows.
                lock().deliveries[position] = Delivery::NoAnswer("sending it was cut short".to_owned());
                let delivery = open.deliver(&mail).await;
                connection = open.is_usable().then_some(open);
                delivery
            }
            Err(Unreachable(reason)) => {
                // What the others of the set would meet too.
                let mut outbox = lock();
                let waiting = std::mem::take(&mut outbox.waiting);
                for (position, ..) in waiting {
                    outbox.deliveries[position] = Delivery::Passing(reason.clone());
                }
                Delivery::Passing(reason)
            }
        };
        delivery.show_in(&call);
        lock().deliveries[position] = delivery;
    }
    if let Some(connection) = connection {
        pool.put(connection);
    }
}

#[cfg(test)]
mod tests {
    use domain::{NotificationId, NotificationKind, OrderId};
    use jiff::Timestamp;
    use lettre::transport::smtp::client::{Certificate, TlsParameters};
    use testkit::smtp::SmtpServer;

    use super::*;
    use crate::config::SmtpSecurity;

    fn letter() -> Letter {
        Letter {
            id: NotificationId::from_ledger(1),
            kind: NotificationKind::Confirmation,
            order: OrderId::from_ledger(1),
            recipient: "ada@example.com".to_owned(),
            name: None,
            date: Timestamp::UNIX_EPOCH,
            message_id: "<1@shop.example>".to_owned(),
            subject: "Hello".to_owned(),
            text: "Hello".to_owned(),
            html: "<p>Hello</p>".to_owned(),
            trace: None,
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_mail_goes_over_tls_to_a_server_that_is_vouched_for_and_to_no_other() {
        for security in [SmtpSecurity::Tls, SmtpSecurity::StartTls] {
            let server = SmtpServer::start_with_tls(security == SmtpSecurity::StartTls);
            let settings = SmtpSettings { port: server.port(), security, ..SmtpSettings::default() };
            let from: Mailbox = "orders@shop.example".parse().unwrap();
            let strict = SmtpMailer::new(from.clone(), settings.clone());
            let refused = strict.send(&[letter()]).await.remove(0);
            assert!(
                matches!(&refused, Delivery::Passing(reason) if reason.contains("certificate")),
                "{refused:?}"
            );
            let authority = std::fs::read(server.authority()).unwrap();
            let authority = Certificate::from_pem(&authority).unwrap();
            let host = TlsParameters::builder(settings.host.clone());
            let tls = host.add_root_certificate(authority).build().unwrap();
            let pool = Arc::new(Pool::trusting(settings.clone(), tls));
            let trusting = SmtpMailer { from, settings, pool };
            assert_eq!(trusting.send(&[letter()]).await, [Delivery::Sent], "{security:?}");
            assert_eq!(server.mails().len(), 1);
        }
    }
}
