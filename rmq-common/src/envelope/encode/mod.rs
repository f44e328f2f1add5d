//! An envelope, written as its line.

mod headers;
mod text;

use super::Envelope;

use lapin::types::ShortString;

/// Appends `envelope` to `out`.
pub(super) fn encode(envelope: &Envelope<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    if let Some(id) = &envelope.id {
        string(out, "id", id);
    }
    if envelope.more {
        name(out, "more");
        out.extend_from_slice(b"true");
    }
    short(out, "exchange", &envelope.exchange);
    short(out, "routing_key", &envelope.routing_key);
    if envelope.redelivered {
        name(out, "redelivered");
        out.extend_from_slice(b"true");
    }
    number(out, "delivery_count", envelope.delivery_count);
    let properties = &envelope.properties;
    short(out, "content_type", properties.content_type());
    short(out, "content_encoding", properties.content_encoding());
    if let Some(table) = properties.headers() {
        name(out, "headers");
        headers::table(out, table);
    }
    match properties.delivery_mode() {
        None if envelope.no_delivery_mode => {
            name(out, "delivery_mode");
            out.extend_from_slice(b"null");
        }
        mode => number(out, "delivery_mode", mode.map(u64::from)),
    }
    number(out, "priority", properties.priority().map(u64::from));
    short(out, "correlation_id", properties.correlation_id());
    short(out, "reply_to", properties.reply_to());
    short(out, "expiration", properties.expiration());
    short(out, "message_id", properties.message_id());
    number(out, "timestamp", *properties.timestamp());
    short(out, "type", properties.kind());
    short(out, "user_id", properties.user_id());
    short(out, "app_id", properties.app_id());
    short(out, "cluster_id", properties.cluster_id());
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

fn short(out: &mut Vec<u8>, member: &str, value: &Option<ShortString>) {
    if let Some(value) = value {
        string(out, member, value.as_str());
    }
}

fn number(out: &mut Vec<u8>, member: &str, value: Option<u64>) {
    if let Some(value) = value {
        name(out, member);
        text::number(out, value);
    }
}
