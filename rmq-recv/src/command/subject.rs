//! How a diagnostic identifies the message whose command failed.

use crate::delivery::message::Message;
use rmq_common::count::counted;
use rmq_common::escape::{escape, is_control};
use rmq_common::message::{Name, Text};
use std::fmt;

/// The most characters of a body, or of a name, that are shown.
const MOST: usize = 60;

/// A message, as a diagnostic identifies it.
#[derive(Debug)]
pub struct Subject {
    number: u64,
    key: Name,
    id: Option<Name>,
    redelivered: bool,
    returns: Option<u64>,
    beginning: String,
}

impl Subject {
    /// For the run's message with this number.
    pub fn new(number: u64, message: &Message) -> Self {
        Subject {
            number,
            key: message.routing_key.clone(),
            id: message.properties.get(Text::MessageId).cloned(),
            redelivered: message.redelivered,
            returns: message.returns(),
            beginning: beginning(&message.body),
        }
    }

    /// How often it came back to its queue, if that is known.
    pub fn returns(&self) -> Option<u64> {
        self.returns.or((!self.redelivered).then_some(0))
    }

    /// A sentence about it: what happened, and what becomes of it.
    pub fn sentence(&self, what: impl fmt::Display, becomes: impl fmt::Display) -> String {
        format!("message {}: {what}; the message is {becomes} {self}", self.number)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(key {}", beginning(self.key.as_bytes()))?;
        if let Some(id) = &self.id {
            write!(f, ", id {}", beginning(id.as_bytes()))?;
        }
        match self.returns {
            Some(0) => {}
            Some(returns) => write!(f, ", redelivered {}", counted(returns, "time"))?,
            None if self.redelivered => f.write_str(", redelivered")?,
            None => {}
        }
        write!(f, "): {}", if self.beginning.is_empty() { "empty" } else { &self.beginning })
    }
}

/// The beginning of a text or of bytes, escaped, and three dots if there is more.
fn beginning(bytes: &[u8]) -> String {
    // A truncated character is never shown, because it lies beyond the limit.
    let some = bytes.get(..MOST * 4).unwrap_or(bytes);
    let mut shown = String::new();
    let mut count = 0;
    for chunk in some.utf8_chunks() {
        let valid = chunk
            .valid()
            .chars()
            .map(|it| escape(it.encode_utf8(&mut [0; 4]).as_bytes(), is_control));
        let invalid = chunk.invalid().iter().map(|it| escape(&[*it], is_control));
        for piece in valid.chain(invalid) {
            count += piece.chars().count();
            if count > MOST {
                return shown + "...";
            }
            shown.push_str(&piece);
        }
    }
    if some.len() < bytes.len() { shown + "..." } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmq_common::message::Properties;

    fn subject(redelivered: bool, id: Option<&str>, body: &[u8]) -> String {
        let mut properties = Properties::default();
        if let Some(id) = id {
            properties.set(Text::MessageId, Name::new(id).unwrap());
        }
        let message = Message {
            tag: 3,
            redelivered,
            exchange: Name::default(),
            routing_key: Name::new("jobs.eu").unwrap(),
            properties,
            body: body.to_vec(),
        };
        Subject::new(17, &message).sentence("run sh: exit status 1", "requeued")
    }

    #[test]
    fn a_message_is_named_by_number_key_id_and_the_beginning_of_its_body() {
        assert_eq!(
            subject(false, Some("m1"), b"{\"a\":1}"),
            "message 17: run sh: exit status 1; the message is requeued (key jobs.eu, id m1): {\"a\":1}"
        );
        assert!(subject(true, None, b"").ends_with("(key jobs.eu, redelivered): empty"));
        let odd = subject(false, None, b"a\n\x1b[2J\xff");
        assert!(odd.ends_with(": a\\n\\x1b[2J\\xff"), "{odd}");
    }

    #[test]
    fn a_long_body_is_cut_between_characters() {
        let exact = "ä".repeat(MOST);
        assert_eq!(beginning(exact.as_bytes()), exact);
        assert_eq!(beginning(format!("{exact}x").as_bytes()), format!("{exact}..."));
        let zeros = beginning(&[0; 1000]);
        assert_eq!(zeros, format!("{}...", "\\x00".repeat(MOST / 4)));
        let wide = "\u{1d11e}".repeat(100);
        assert_eq!(beginning(wide.as_bytes()).chars().count(), MOST + 3);
    }
}
