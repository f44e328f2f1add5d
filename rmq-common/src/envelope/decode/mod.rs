//! An envelope, read from its line.

pub(super) mod headers;
pub(super) mod malformed;
mod scanner;
mod text;
mod typed;
mod values;

use super::Envelope;
use lapin::BasicProperties;
use malformed::{Malformed, quoted, suggestion};
use scanner::{Kind, Name, Scanner};
use std::borrow::Cow;
use typed::{UNSIGNED_8, UNSIGNED_64};

/// Every member that an envelope can have, in the order in which they are written.
const MEMBERS: [&str; 22] = [
    "id",
    "more",
    "exchange",
    "routing_key",
    "redelivered",
    "delivery_count",
    "content_type",
    "content_encoding",
    "headers",
    "delivery_mode",
    "priority",
    "correlation_id",
    "reply_to",
    "expiration",
    "message_id",
    "timestamp",
    "type",
    "user_id",
    "app_id",
    "cluster_id",
    "body",
    "body_base64",
];

/// Reads one line, without its newline.
pub(super) fn decode(line: &[u8]) -> Result<Envelope<'_>, Malformed> {
    let text = std::str::from_utf8(line).map_err(|error| {
        let problem = "not UTF-8; a body of any bytes goes into \"body_base64\"";
        Malformed::at(error.valid_up_to(), problem)
    })?;
    let mut scanner = Scanner::new(text);
    if scanner.kind() != Ok(Kind::Object) {
        return Err(scanner.expected("an object such as {\"body\":\"text\"}"));
    }
    scanner.enter();
    let mut envelope = Envelope::default();
    let mut seen = [false; MEMBERS.len()];
    let mut first = true;
    let mut next = 0;
    while let Some(name) = scanner.member(first)? {
        first = false;
        // They mostly come in the order in which they are written: the search goes on from the last.
        let mut places = (next..MEMBERS.len()).chain(0..next);
        let place = places.find(|place| MEMBERS.get(*place) == Some(&name.text.as_ref()));
        next = place.unwrap_or(next);
        if let Some(seen) = place.and_then(|place| seen.get_mut(place))
            && std::mem::replace(seen, true)
        {
            return Err(Malformed::at(name.offset, format!("a second {}", quoted(&name.text))));
        }
        member(&mut envelope, &mut scanner, &name)?;
    }
    scanner.end("the object")?;
    Ok(envelope)
}

/// Reads the value of the member `name` into `envelope`.
fn member<'a>(
    envelope: &mut Envelope<'a>,
    scanner: &mut Scanner<'a>,
    name: &Name<'_>,
) -> Result<(), Malformed> {
    let subject = name.text.as_ref();
    // Null is refused like any other wrong type, but for the delivery mode. In a filter that makes
    // an envelope anew (`{id, body}`) it is a member forgotten, and to take it for a missing one
    // would drop the message.
    match subject {
        "id" => envelope.id = Some(values::text(scanner, subject)?),
        "more" => envelope.more = values::boolean(scanner, subject)?,
        "exchange" => envelope.exchange = Some(values::short(scanner, subject)?),
        "routing_key" => envelope.routing_key = Some(values::short(scanner, subject)?),
        "redelivered" => envelope.redelivered = values::boolean(scanner, subject)?,
        "delivery_count" => {
            envelope.delivery_count = Some(values::integer(scanner, subject, UNSIGNED_64)?);
        }
        "body" | "body_base64" if envelope.body.is_some() => {
            let problem = "both \"body\" and \"body_base64\"; an envelope has one of them";
            return Err(Malformed::at(name.offset, problem));
        }
        "body" => {
            envelope.body = Some(match values::text(scanner, subject)? {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            });
        }
        "body_base64" => envelope.body = Some(Cow::Owned(values::bytes(scanner, subject)?)),
        "delivery_mode" if scanner.kind()? == Kind::Null => {
            scanner.word(Kind::Null);
            envelope.no_delivery_mode = true;
        }
        _ => {
            let properties = std::mem::take(&mut envelope.properties);
            envelope.properties = property(properties, scanner, name)?;
        }
    }
    Ok(())
}

/// Reads the value of the basic property `name` into `properties`.
fn property(
    properties: BasicProperties,
    scanner: &mut Scanner<'_>,
    name: &Name<'_>,
) -> Result<BasicProperties, Malformed> {
    let subject = name.text.as_ref();
    Ok(match subject {
        "content_type" => properties.with_content_type(values::short(scanner, subject)?),
        "content_encoding" => properties.with_content_encoding(values::short(scanner, subject)?),
        "headers" => properties.with_headers(headers::table(scanner, subject)?),
        "delivery_mode" => {
            properties.with_delivery_mode(values::integer(scanner, subject, UNSIGNED_8)?)
        }
        "priority" => properties.with_priority(values::integer(scanner, subject, UNSIGNED_8)?),
        "correlation_id" => properties.with_correlation_id(values::short(scanner, subject)?),
        "reply_to" => properties.with_reply_to(values::short(scanner, subject)?),
        "expiration" => properties.with_expiration(values::short(scanner, subject)?),
        "message_id" => properties.with_message_id(values::short(scanner, subject)?),
        "timestamp" => properties.with_timestamp(values::integer(scanner, subject, UNSIGNED_64)?),
        "type" => properties.with_type(values::short(scanner, subject)?),
        "user_id" => properties.with_user_id(values::short(scanner, subject)?),
        "app_id" => properties.with_app_id(values::short(scanner, subject)?),
        "cluster_id" => properties.with_cluster_id(values::short(scanner, subject)?),
        _ => {
            let hint = suggestion(subject, MEMBERS.into_iter());
            let problem = format!("unknown member {}{hint}", quoted(subject));
            return Err(Malformed::at(name.offset, problem));
        }
    })
}
