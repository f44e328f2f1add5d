//! Converts a message into an envelope, as `--dry-run` shows it and the spool stores it, and back.

use crate::record::item::{Message, Record, Route};
use crate::record::unsupported;
use bytes::Bytes;
use rmq_common::envelope::Envelope;
use rmq_common::failure::Failure;
use rmq_common::message::Octet;
use std::borrow::Cow;
use std::sync::Arc;

/// The envelope of a message.
pub fn envelope(message: &Message) -> Envelope<'_> {
    Envelope {
        exchange: Some(message.route.exchange.clone()),
        routing_key: Some(message.route.routing_key.clone()),
        no_delivery_mode: message.properties.octet(Octet::DeliveryMode).is_none(),
        properties: (*message.properties).clone(),
        body: Some(Cow::Borrowed(&message.body)),
        ..Envelope::default()
    }
}

/// The record `number`, restored from its envelope.
///
/// # Errors
/// It is none of ours (65).
pub fn record(number: u64, line: Bytes) -> Result<Record, Failure> {
    let message = {
        let envelope = Envelope::decode(&line).map_err(|bad| Failure::data(bad.to_string()))?;
        unsupported::headers(&envelope.properties)?;
        let exchange = envelope.exchange.unwrap_or_default();
        let routing_key = envelope.routing_key.unwrap_or_default();
        Message {
            route: Arc::new(Route { exchange, routing_key }),
            properties: Arc::new(envelope.properties),
            body: envelope.body.unwrap_or_default().into_owned().into(),
        }
    };
    Ok(Record { number, raw: line, delivery: None, message: Some(message) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmq_common::message::{Name, Properties, Table, Text, Value};

    #[test]
    fn a_message_is_the_same_after_the_spool() {
        let short = |text: &[u8]| Name::new(text).unwrap();
        for (mode, body) in [(Some(2), &b"text"[..]), (None, b"\xff\0\n"), (Some(1), b"")] {
            let mut headers = Table::default();
            for name in [&b"b"[..], b"a\xff", b"b"] {
                headers.push(&short(name), &Value::Boolean(2).into());
            }
            let mut properties = Properties::of_headers(Some(headers));
            properties.set(Text::MessageId, short(b"run-\xff"));
            if let Some(mode) = mode {
                properties.set_octet(Octet::DeliveryMode, mode);
            }
            let message = Message {
                route: Arc::new(Route { exchange: short(b"x"), routing_key: short(b"k\xfe") }),
                properties: Arc::new(properties),
                body: Bytes::from_static(body),
            };
            let mut line = Vec::new();
            envelope(&message).encode(&mut line);
            assert_eq!(record(1, line.into()).unwrap().message, Some(message));
        }
    }
}
