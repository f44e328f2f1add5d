//! The json envelope of a message, without what would change its meaning at its next destination.
//!
//! Three things are left out unless requested. A `user_id` must be the sender's own, or the broker
//! refuses the message. `CC` and `BCC` would route again. And the headers that the broker itself
//! adds when it delivers, dead-letters or forwards describe this journey, not the next; they are
//! known by name, because any application may use headers that begin with `x-`.

use crate::delivery::message::Message;
use rmq_common::envelope::Envelope;
use rmq_common::message::{Octet, Properties, Text};
use std::borrow::Cow;

/// Headers that RabbitMQ adds: quorum queues and streams on delivery, dead-lettering, the
/// federation and shovel plugins.
const OF_BROKER: [&str; 14] = [
    "x-acquired-count",
    "x-death",
    "x-delivery-count",
    "x-first-death-exchange",
    "x-first-death-queue",
    "x-first-death-reason",
    "x-last-death-exchange",
    "x-last-death-queue",
    "x-last-death-reason",
    "x-received-from",
    "x-shovelled",
    "x-shovelled-timestamp",
    "x-stream-filter",
    "x-stream-offset",
];

/// Headers that route (<https://www.rabbitmq.com/docs/sender-selected>).
const ROUTING: [&str; 2] = ["BCC", "CC"];

/// What is kept nevertheless.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    pub user_id: bool,
    pub cc: bool,
    /// The broker's own headers.
    pub x: bool,
}

/// Appends a message's envelope and a newline.
pub fn write(message: Message, id: Option<String>, keep: Keep, out: &mut Vec<u8>) {
    let delivery_count = message.delivery_count();
    let envelope = Envelope {
        id: id.map(Cow::Owned),
        exchange: Some(message.exchange),
        routing_key: Some(message.routing_key),
        redelivered: message.redelivered,
        delivery_count,
        // Recorded, so that rmq-send does not make the copy persistent.
        no_delivery_mode: message.properties.octet(Octet::DeliveryMode).is_none(),
        properties: kept(message.properties, keep),
        body: Some(Cow::Owned(message.body)),
        ..Envelope::default()
    };
    envelope.encode(out);
    out.push(b'\n');
}

/// All headers of a message, as in its envelope.
pub fn headers(properties: &Properties) -> Vec<u8> {
    let properties = Properties::of_headers(properties.headers.clone());
    let mut out = Vec::new();
    Envelope { properties, ..Envelope::default() }.encode(&mut out);
    // The part inside `{"headers":{...}}`.
    const BEFORE: &[u8] = b"{\"headers\":";
    out.strip_prefix(BEFORE).and_then(|rest| rest.strip_suffix(b"}")).unwrap_or(b"{}").to_vec()
}

/// The properties that a copy of the message has.
pub fn kept(mut properties: Properties, keep: Keep) -> Properties {
    let is_one = |names: &[&str], name: &[u8]| names.iter().any(|one| one.as_bytes() == name);
    let goes =
        |name: &[u8]| (!keep.x && is_one(&OF_BROKER, name)) || (!keep.cc && is_one(&ROUTING, name));
    if !keep.user_id {
        properties.remove(Text::UserId);
    }
    if let Some(headers) = &properties.headers
        && headers.fields().any(|field| goes(field.name))
    {
        let rest = headers.without(goes);
        // If only the broker's headers were there, the message most likely had no table.
        properties.headers = Some(rest).filter(|rest| !rest.is_empty());
    }
    properties
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmq_common::message::{Name, Table, Value};

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn properties(names: &[&str]) -> Properties {
        let mut headers = Table::default();
        for text in names {
            headers.push(&name(text), &Value::Int32(1).into());
        }
        let mut properties = Properties::of_headers(Some(headers));
        properties.set(Text::ContentType, name("text/plain"));
        properties.set(Text::UserId, name("guest"));
        properties.set(Text::Type, name("t"));
        properties.set_octet(Octet::Priority, 3);
        properties
    }

    fn names(properties: &Properties) -> Vec<String> {
        let fields = properties.headers.iter().flat_map(Table::fields);
        fields.map(|field| String::from_utf8(field.name.to_vec()).unwrap()).collect()
    }

    #[test]
    fn what_would_mean_something_else_elsewhere_is_left_out_unless_it_is_asked_for() {
        let all = ["BCC", "CC", "b", "x-death", "a", "x-delivery-count", "x-foo", "b"];
        let plain = kept(properties(&all), Keep::default());
        assert_eq!(names(&plain), ["b", "a", "x-foo", "b"]);
        assert_eq!((plain.get(Text::UserId), plain.octet(Octet::Priority)), (None, Some(3)));
        assert_eq!(plain.get(Text::Type), Some(&name("t")));
        let whole = Keep { user_id: true, cc: true, x: true };
        assert_eq!(kept(properties(&all), whole), properties(&all));
        let cc = kept(properties(&all), Keep { cc: true, ..Keep::default() });
        assert_eq!(names(&cc), ["BCC", "CC", "b", "a", "x-foo", "b"]);
        let user = kept(properties(&all), Keep { user_id: true, ..Keep::default() });
        assert_eq!(user.get(Text::UserId), Some(&name("guest")));
    }

    #[test]
    fn a_table_that_only_the_broker_filled_is_none() {
        assert_eq!(kept(properties(&["x-delivery-count"]), Keep::default()).headers, None);
        assert_eq!(names(&kept(properties(&[]), Keep::default())), Vec::<String>::new());
        assert!(kept(properties(&[]), Keep::default()).headers.is_some());
    }

    #[test]
    fn headers_alone_are_the_envelopes_own() {
        assert_eq!(headers(&Properties::default()), b"{}");
        let one = headers(&properties(&["a", "x-death"]));
        let envelope = [b"{\"headers\":", &one[..], b"}"].concat();
        let read = Envelope::decode(&envelope).unwrap();
        assert_eq!(read.properties.headers, properties(&["a", "x-death"]).headers);
    }
}
