//! The properties that the command line gives to messages.

use crate::arguments::Arguments;
use crate::record::headers;
use rmq_common::argument_bytes::Bytes;
use rmq_common::envelope::Envelope;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::message::{self, Name, Octet, Table, Text, Value};
use rmq_common::{duration, escape, names};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The delivery modes' numbers (AMQP 0-9-1, section 1.8, basic properties).
const TRANSIENT: u8 = 1;
const PERSISTENT: u8 = 2;

/// The properties that the command line gives.
#[derive(Clone, Debug, Default)]
pub struct Properties {
    /// Those that are equal in every message.
    given: message::Properties,
    /// The same, completed with the defaults.
    complete: Arc<message::Properties>,
    /// The beginning of the ids that `--message-id auto` creates.
    automatic_id: Option<String>,
    /// Whether messages carry the time.
    timestamp: bool,
}

impl Properties {
    /// Reads the properties from `arguments`.
    ///
    /// # Errors
    /// A value that AMQP cannot carry (64).
    pub fn new(arguments: &Arguments) -> Result<Self, Failure> {
        let mut given = message::Properties::default();
        let texts = [
            ("--content-type", bytes(&arguments.content_type), Text::ContentType),
            ("--content-encoding", bytes(&arguments.content_encoding), Text::ContentEncoding),
            ("--type", bytes(&arguments.message_type), Text::Type),
            ("--app-id", bytes(&arguments.app_id), Text::AppId),
            ("--correlation-id", bytes(&arguments.correlation_id), Text::CorrelationId),
            ("--reply-to", arguments.reply_to.as_deref().map(str::as_bytes), Text::ReplyTo),
        ];
        for (option, value, text) in texts {
            if let Some(value) = value {
                given.set(text, short(option, value)?);
            }
        }
        if let Some(priority) = arguments.priority {
            given.set_octet(Octet::Priority, priority);
        }
        if let Some(time) = &arguments.expiration {
            given.set(Text::Expiration, expiration(time)?);
        }
        if arguments.transient {
            given.set_octet(Octet::DeliveryMode, TRANSIENT);
        }
        let automatic = bytes(&arguments.message_id) == Some(b"auto");
        let automatic_id = if automatic { Some(rmq_common::random::id()?) } else { None };
        if let (Some(id), false) = (bytes(&arguments.message_id), automatic) {
            given.set(Text::MessageId, short("--message-id", id)?);
        }
        let mut table = Table::default();
        for Bytes(header) in &arguments.header {
            let (name, value) = headers::parse(header).map_err(Failure::usage)?;
            if table.has(name.as_bytes()) {
                let header = escape::escape(header, escape::is_control);
                let name = name.shown();
                return Err(Failure::usage(format!(
                    "-H {header}: the header {name} is given twice (several values \
                     as -H {name}:json='[\"a\",\"b\"]')"
                )));
            }
            table.push(&name, &value);
        }
        if !arguments.header.is_empty() {
            given.headers = Some(table);
        }
        let complete = Arc::new(completed(given.clone()));
        Ok(Properties { given, complete, automatic_id, timestamp: arguments.timestamp })
    }

    /// Adds a header, whose value is a string, or replaces it.
    pub fn set_header(&mut self, name: &Name, value: &[u8]) {
        let given = self.given.headers.take().unwrap_or_default();
        let mut table = given.without(|other| other == name.as_bytes());
        table.push(name, &Value::String(value).into());
        self.given.headers = Some(table);
        self.complete = Arc::new(completed(self.given.clone()));
    }

    /// The properties of the record `number`, which brings none.
    pub fn of(&self, number: u64) -> Arc<message::Properties> {
        if self.automatic_id.is_none() && !self.timestamp {
            return self.complete.clone();
        }
        Arc::new(self.varying(number, (*self.complete).clone()))
    }

    /// The properties of the record `number`, whose `envelope` brings some. The command line's
    /// replace the record's if it `overrides` them, and otherwise fill in what is missing; headers
    /// are compared by name.
    pub fn with(
        &self,
        number: u64,
        envelope: &Envelope<'_>,
        overrides: bool,
    ) -> message::Properties {
        let own = &envelope.properties;
        let mut merged = match overrides {
            true => self.given.over(own),
            false => own.over(&self.given),
        };
        merged.headers = headers_of(own, &self.given, overrides);
        let complete = match envelope.no_delivery_mode {
            true => merged,
            false => completed(merged),
        };
        self.varying(number, complete)
    }

    /// Adds what differs from message to message. An id that a message brings stays, because
    /// readers of an earlier duplicate know it by that id.
    fn varying(&self, number: u64, mut properties: message::Properties) -> message::Properties {
        if let Some(run) = &self.automatic_id
            && properties.get(Text::MessageId).is_none()
            && let Ok(id) = Name::new(format!("{run}-{number}"))
        {
            properties.set(Text::MessageId, id);
        }
        if self.timestamp {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            properties.timestamp = Some(now.as_secs());
        }
        properties
    }
}

/// Adds the defaults.
fn completed(mut properties: message::Properties) -> message::Properties {
    if properties.octet(Octet::DeliveryMode).is_none() {
        properties.set_octet(Octet::DeliveryMode, PERSISTENT);
    }
    properties
}

/// The headers of a message: its own in their order, then the command line's. If both have a
/// header, the command line's is left out, or the message's if the command line `overrides`.
fn headers_of(
    own: &message::Properties,
    given: &message::Properties,
    overrides: bool,
) -> Option<Table> {
    let (own, given) = match (&own.headers, &given.headers) {
        (Some(own), Some(given)) => (own, given),
        (one, other) => return one.clone().or_else(|| other.clone()),
    };
    let (mut all, rest) = match overrides {
        true => (own.without(|name| given.has(name)), given.clone()),
        false => (own.clone(), given.without(|name| own.has(name))),
    };
    all.append(&rest);
    Some(all)
}

/// The property is a number of milliseconds (RabbitMQ's TTL guide). A bare number is seconds in our
/// other options, so a unit is required here, as in rmq-declare.
fn expiration(time: &str) -> Result<Name, Failure> {
    let problem = |why: &str| Failure::usage(format!("--expiration {time}: {why}"));
    let milliseconds = duration::parse(time).map_err(|why| problem(&why))?.as_millis();
    if milliseconds > 0 && time.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(problem(&format!("write {time}ms or {time}s, whichever is meant")));
    }
    // The broker's own bound: 2^32 - 1 milliseconds.
    if milliseconds > u128::from(u32::MAX) {
        return Err(problem("more than 49 days"));
    }
    short("--expiration", milliseconds.to_string().as_bytes())
}

fn bytes(option: &Option<Bytes>) -> Option<&[u8]> {
    option.as_ref().map(|bytes| bytes.0.as_slice())
}

/// A short string from the command line.
///
/// # Errors
/// It is too long for AMQP (64).
pub fn short(what: &str, bytes: &[u8]) -> Result<Name, Failure> {
    names::name(Exit::Usage, what, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(names: &str, value: i64) -> message::Properties {
        let mut table = Table::default();
        for name in names.split_inclusive(|_| true) {
            table.push(&Name::new(name).unwrap(), &Value::Int64(value).into());
        }
        message::Properties::of_headers(Some(table))
    }

    #[test]
    fn a_messages_headers_keep_their_order_and_duplicates_beside_the_command_lines() {
        let none = message::Properties::default();
        for (own, given, overrides, names, values) in [
            ("cacb", "xc", false, "cacbx", [1, 1, 1, 1, 2].as_slice()),
            ("cacb", "xc", true, "abxc", &[1, 1, 2, 2]),
            ("ba", "", true, "ba", &[1, 1]),
        ] {
            let all = headers_of(&with(own, 1), &with(given, 2), overrides).unwrap();
            let got: Vec<u8> = all.fields().flat_map(|field| field.name.to_vec()).collect();
            assert_eq!(got, names.as_bytes());
            let got: Vec<_> = all.fields().filter_map(|field| field.value.whole_number()).collect();
            assert_eq!(got, values);
        }
        let own = with("ba", 1);
        assert_eq!(headers_of(&own, &none, true), own.headers);
        assert_eq!(headers_of(&none, &own, false), own.headers);
        assert_eq!(headers_of(&none, &none, false), None);
    }
}
