//! Writes an envelope as a line.

mod headers;
mod text;

use crate::envelope::members::Envelope;
use crate::envelope::message::{self, Octet, PROPERTIES, Property};

impl Envelope<'_> {
    /// Appends it as one line, without a newline. A body is written as text if it is UTF-8, else in
    /// base64; what is not set and flags that are false are omitted.
    pub fn encode(&self, out: &mut Vec<u8>) {
        encode(self, out);
    }
}

/// Appends `envelope` to `out`.
fn encode(envelope: &Envelope<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    if let Some(id) = &envelope.id {
        string(out, "id", id);
    }
    if envelope.more {
        name(out, "more");
        out.extend_from_slice(b"true");
    }
    short(out, "exchange", envelope.exchange.as_ref());
    short(out, "routing_key", envelope.routing_key.as_ref());
    if envelope.redelivered {
        name(out, "redelivered");
        out.extend_from_slice(b"true");
    }
    number(out, "delivery_count", envelope.delivery_count);
    for (member, property) in PROPERTIES {
        self::property(out, envelope, member, property);
    }
    match envelope.body.as_deref().map(|body| (body, std::str::from_utf8(body))) {
        Some((_, Ok(body))) => string(out, "body", body),
        Some((body, Err(_))) => {
            name(out, "body_base64");
            text::base64(out, body);
        }
        None => (),
    }
    out.push(b'}');
}

fn property(out: &mut Vec<u8>, envelope: &Envelope<'_>, member: &str, property: Property) {
    let properties = &envelope.properties;
    match property {
        Property::Text(text) => short(out, member, properties.get(text)),
        Property::Octet(octet) => match properties.octet(octet) {
            None if octet == Octet::DeliveryMode && envelope.no_delivery_mode => {
                name(out, member);
                out.extend_from_slice(b"null");
            }
            value => number(out, member, value.map(u64::from)),
        },
        Property::Timestamp => number(out, member, properties.timestamp),
        Property::Headers => {
            if let Some(table) = &properties.headers {
                name(out, member);
                headers::table(out, table);
            }
        }
    }
}

/// A member's name, and a comma before it unless it is the first.
fn name(out: &mut Vec<u8>, name: &str) {
    text::separate(out);
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn string(out: &mut Vec<u8>, member: &str, value: &str) {
    name(out, member);
    text::string(out, value);
}

fn short(out: &mut Vec<u8>, member: &str, value: Option<&message::Name>) {
    if let Some(value) = value {
        name(out, member);
        headers::string(out, value.as_bytes());
    }
}

fn number(out: &mut Vec<u8>, member: &str, value: Option<u64>) {
    if let Some(value) = value {
        name(out, member);
        text::number(out, value);
    }
}
