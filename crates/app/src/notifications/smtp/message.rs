use std::time::SystemTime;

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use super::super::mailer::Letter;

/// A mail as the server gets it.
pub(super) struct Mail {
    pub(super) envelope: Envelope,
    pub(super) bytes: Vec<u8>,
}

impl Mail {
    /// The same letter always gives the same bytes. Fails, saying why, where the recipient is nobody that a mail can
    /// be sent to.
    pub(super) fn new(from: &Mailbox, letter: &Letter) -> Result<Self, String> {
        let recipient = &letter.recipient;
        let address: Address = recipient
            .parse()
            .map_err(|error| format!("`{recipient}` is no address that a mail can be sent to: {error}"))?;
        let body = MultiPart::alternative()
            .boundary(format!("part-{}", letter.id))
            .singlepart(SinglePart::plain(letter.text.clone()))
            .singlepart(SinglePart::html(letter.html.clone()));
        // Keeps holiday replies away.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(letter.name.clone(), address))
            .subject(letter.subject.clone())
            .date(SystemTime::from(letter.date))
            .message_id(Some(letter.message_id.clone()))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(body)
            .map_err(|error| format!("the mail cannot be put together: {error}"))?;
        Ok(Mail { envelope: message.envelope().clone(), bytes: message.formatted() })
    }
}
