//! A message as an envelope, as `--dry-run` shows it and the spool keeps it, and back.

use crate::carried;
use crate::record::{Body, Message, Record, Route};
use rmq_common::envelope::Envelope;
use rmq_common::failure::Failure;
use std::borrow::Cow;
use std::sync::Arc;

/// A message as an envelope.
pub fn envelope(message: &Message) -> Envelope<'_> {
    Envelope {
        exchange: Some(message.route.exchange.clone()),
        routing_key: Some(message.route.routing_key.clone()),
        no_delivery_mode: message.properties.delivery_mode().is_none(),
        properties: (*message.properties).clone(),
        body: Some(Cow::Borrowed(&message.body)),
        ..Envelope::default()
    }
}

/// The record `number` that an envelope was made of.
///
/// # Errors
/// It is none of ours (65).
pub fn record(number: u64, line: Arc<[u8]>) -> Result<Record, Failure> {
    let message = {
        let envelope = Envelope::decode(&line).map_err(|bad| Failure::data(bad.to_string()))?;
        carried::headers(&envelope.properties)?;
        let exchange = envelope.exchange.unwrap_or_default();
        let routing_key = envelope.routing_key.unwrap_or_default();
        Message {
            route: Arc::new(Route { exchange, routing_key }),
            properties: Arc::new(envelope.properties),
            body: Body::new(envelope.body.unwrap_or_default().into(), 0),
        }
    };
    Ok(Record { number, raw: line, delivery: None, message: Some(message) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::BasicProperties;
    use lapin::types::ShortString;

    #[test]
    fn a_message_is_the_same_after_the_spool() {
        let short = |text: &str| ShortString::try_new(text).unwrap();
        for (mode, body) in [(Some(2), &b"text"[..]), (None, b"\xff\0\n"), (Some(1), b"")] {
            let properties = BasicProperties::default().with_message_id(short("run-1"));
            let properties = match mode {
                Some(mode) => properties.with_delivery_mode(mode),
                None => properties,
            };
            let message = Message {
                route: Arc::new(Route { exchange: short("x"), routing_key: short("k") }),
                properties: Arc::new(properties),
                body: Body::new(body.into(), 0),
            };
            let mut line = Vec::new();
            envelope(&message).encode(&mut line);
            assert_eq!(record(1, line.into()).unwrap().message, Some(message));
        }
    }
}
