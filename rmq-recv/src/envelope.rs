//! The json envelope of a message, without what would change its meaning in a new place.
//!
//! Three things are left out unless they are asked for. A `user_id` must be the sender's own, or
//! the broker refuses the message. `CC` and `BCC` route again. And the headers that the broker
//! itself adds when it delivers, dead-letters or forwards tell of this journey, not of the next;
//! they are known by name, because everybody may call headers `x-` something.

use crate::message::Message;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use rmq_common::envelope::Envelope;
use std::borrow::Cow;
use std::collections::BTreeMap;

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

/// What is kept all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// `user_id`.
    pub user_id: bool,
    /// `CC` and `BCC`.
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
        // Said, so that rmq-send does not make the copy persistent.
        no_delivery_mode: message.properties.delivery_mode().is_none(),
        properties: kept(message.properties, keep),
        body: Some(Cow::Owned(message.body)),
        ..Envelope::default()
    };
    envelope.encode(out);
    out.push(b'\n');
}

/// A message's headers as the envelope has them, all of them.
pub fn headers(properties: &BasicProperties) -> Vec<u8> {
    let Some(headers) = properties.headers() else {
        return b"{}".to_vec();
    };
    let properties = BasicProperties::default().with_headers(headers.clone());
    let mut out = Vec::new();
    Envelope { properties, ..Envelope::default() }.encode(&mut out);
    // Of `{"headers":{...}}` what is inside.
    const BEFORE: &[u8] = b"{\"headers\":";
    out.strip_prefix(BEFORE).and_then(|rest| rest.strip_suffix(b"}")).unwrap_or(b"{}").to_vec()
}

/// The properties as a copy of the message has them.
pub fn kept(properties: BasicProperties, keep: Keep) -> BasicProperties {
    let goes = |name: &ShortString| {
        (!keep.x && OF_BROKER.contains(&name.as_str()))
            || (!keep.cc && ROUTING.contains(&name.as_str()))
    };
    let headers = properties.headers().as_ref().map(FieldTable::inner);
    let changes = headers.is_some_and(|headers| headers.keys().any(goes));
    let drops_user = !keep.user_id && properties.user_id().is_some();
    if !changes && !drops_user {
        return properties;
    }
    let rest: Option<BTreeMap<ShortString, AMQPValue>> = headers.map(|headers| {
        let rest = headers.iter().filter(|(name, _)| !goes(name));
        rest.map(|(name, value)| (name.clone(), value.clone())).collect()
    });
    // Without the broker's there was no table, most likely.
    let rest = rest.filter(|rest| !changes || !rest.is_empty());
    copied(&properties, rest.map(FieldTable::from), !drops_user)
}

/// The same properties with these headers; lapin knows no way to take one out.
fn copied(from: &BasicProperties, headers: Option<FieldTable>, user: bool) -> BasicProperties {
    let mut to = BasicProperties::default();
    macro_rules! copy {
        ($($property:ident $with:ident),+) => {
            $(if let Some(value) = from.$property() {
                to = to.$with(value.clone());
            })+
        };
    }
    copy!(
        content_type with_content_type, content_encoding with_content_encoding,
        delivery_mode with_delivery_mode, priority with_priority,
        correlation_id with_correlation_id, reply_to with_reply_to, expiration with_expiration,
        message_id with_message_id, timestamp with_timestamp, kind with_type, app_id with_app_id,
        cluster_id with_cluster_id
    );
    if let Some(headers) = headers {
        to = to.with_headers(headers);
    }
    match from.user_id().as_ref().filter(|_| user) {
        Some(name) => to.with_user_id(name.clone()),
        None => to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(names: &[&str]) -> BasicProperties {
        let mut headers = FieldTable::default();
        for name in names {
            headers.insert((*name).into(), AMQPValue::LongInt(1));
        }
        BasicProperties::default()
            .with_content_type("text/plain".into())
            .with_user_id("guest".into())
            .with_type("t".into())
            .with_priority(3)
            .with_headers(headers)
    }

    fn names(properties: &BasicProperties) -> Vec<String> {
        let headers = properties.headers().as_ref().map(FieldTable::inner);
        headers.into_iter().flat_map(BTreeMap::keys).map(ToString::to_string).collect()
    }

    #[test]
    fn what_would_mean_something_else_elsewhere_is_left_out_unless_it_is_asked_for() {
        let all = ["BCC", "CC", "a", "x-death", "x-delivery-count", "x-foo"];
        let plain = kept(properties(&all), Keep::default());
        assert_eq!(names(&plain), ["a", "x-foo"]);
        assert_eq!((plain.user_id(), plain.priority()), (&None, &Some(3)));
        assert_eq!(plain.kind().as_ref().map(ShortString::as_str), Some("t"));
        let whole = Keep { user_id: true, cc: true, x: true };
        assert_eq!(kept(properties(&all), whole), properties(&all));
        let cc = kept(properties(&all), Keep { cc: true, ..Keep::default() });
        assert_eq!(names(&cc), ["BCC", "CC", "a", "x-foo"]);
        let user = kept(properties(&all), Keep { user_id: true, ..Keep::default() });
        assert_eq!(user.user_id().as_ref().map(ShortString::as_str), Some("guest"));
    }

    #[test]
    fn a_table_that_only_the_broker_filled_is_none() {
        assert_eq!(kept(properties(&["x-delivery-count"]), Keep::default()).headers(), &None);
        assert_eq!(names(&kept(properties(&[]), Keep::default())), Vec::<String>::new());
        assert!(kept(properties(&[]), Keep::default()).headers().is_some());
    }

    #[test]
    fn headers_alone_are_the_envelopes_own() {
        assert_eq!(headers(&BasicProperties::default()), b"{}");
        let one = headers(&properties(&["a", "x-death"]));
        let envelope = [b"{\"headers\":", &one[..], b"}"].concat();
        let read = Envelope::decode(&envelope).unwrap();
        assert_eq!(read.properties.headers(), properties(&["a", "x-death"]).headers());
    }
}
