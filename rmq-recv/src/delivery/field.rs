//! What a template can show of a message by name: `%{NAME}`.

use crate::delivery::envelope;
use crate::delivery::message::Message;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rmq_common::message::{Name, PROPERTIES, Properties, Property, Table, Value};
use rmq_common::nearest::hint;
use std::borrow::Cow;
use std::time::SystemTime;
use time::OffsetDateTime;

/// The prefix of a header's name.
const HEADER: &str = "header:";

/// Names that are not properties.
const OTHERS: [(&str, Field); 16] = [
    ("body", Field::Body),
    ("body_hex", Field::BodyHex),
    ("body_base64", Field::BodyBase64),
    ("size", Field::Size),
    ("exchange", Field::Exchange),
    ("routing_key", Field::RoutingKey),
    ("key", Field::RoutingKey),
    ("delivery_tag", Field::DeliveryTag),
    ("delivery_count", Field::DeliveryCount),
    ("redelivered", Field::Redelivered),
    ("offset", Field::StreamOffset),
    ("timestamp_utc", Field::TimestampUtc),
    ("received", Field::Received),
    ("received_utc", Field::ReceivedUtc),
    ("timestamp", Field::Property(Property::Timestamp)),
    ("headers", Field::Headers),
];

/// Something about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    Body,
    BodyHex,
    BodyBase64,
    /// The length of the body.
    Size,
    Exchange,
    RoutingKey,
    DeliveryTag,
    DeliveryCount,
    /// 1 or 0.
    Redelivered,
    StreamOffset,
    /// All of them, as JSON.
    Headers,
    /// The property, as a time in UTC.
    TimestampUtc,
    /// When it arrived, in seconds since 1970.
    Received,
    /// The same as a time in UTC.
    ReceivedUtc,
    Property(Property),
    Header(Vec<u8>),
}

impl Field {
    /// The field with this name.
    ///
    /// # Errors
    /// The name is unknown; the error is a sentence that says so.
    pub fn named(name: &[u8]) -> Result<Self, String> {
        if let Some(header) = name.strip_prefix(HEADER.as_bytes()) {
            return match header {
                b"" => Err("%{header:} names no header".to_owned()),
                header => Ok(Field::Header(header.to_vec())),
            };
        }
        let name = &*String::from_utf8_lossy(name);
        let other = OTHERS.iter().find(|(known, _)| *known == name);
        let property = PROPERTIES.iter().find(|(known, _)| *known == name);
        match (other, property) {
            (Some((_, field)), _) => Ok(field.clone()),
            (None, Some((_, property))) => Ok(Field::Property(*property)),
            (None, None) => {
                let known = OTHERS.iter().map(|(known, _)| *known);
                let known = known.chain(PROPERTIES.iter().map(|(known, _)| *known));
                let hint = hint(name, known);
                Err(format!("%{{{name}}} is not a template field{hint}"))
            }
        }
    }

    /// Its bytes, if the message has it.
    pub fn of<'a>(&self, message: &'a Message) -> Option<Cow<'a, [u8]>> {
        let properties = &message.properties;
        Some(match self {
            Field::Body => Cow::Borrowed(&message.body),
            Field::BodyHex => {
                let hex = message.body.iter().map(|byte| format!("{byte:02x}"));
                Cow::Owned(hex.collect::<String>().into_bytes())
            }
            Field::BodyBase64 => Cow::Owned(BASE64_STANDARD.encode(&message.body).into_bytes()),
            Field::Size => number(message.body.len() as u64),
            Field::Exchange => Cow::Borrowed(message.exchange.as_bytes()),
            Field::RoutingKey => Cow::Borrowed(message.routing_key.as_bytes()),
            Field::DeliveryTag => number(message.tag),
            Field::DeliveryCount => number(message.delivery_count()?),
            Field::Redelivered => number(message.redelivered.into()),
            Field::StreamOffset => number(message.stream_offset()?),
            Field::Headers => Cow::Owned(envelope::headers(properties)),
            Field::TimestampUtc => text(utc(properties.timestamp?)?),
            Field::Received => number(now()),
            Field::ReceivedUtc => text(utc(now())?),
            Field::Property(Property::Text(text)) => {
                Cow::Borrowed(properties.get(*text)?.as_bytes())
            }
            Field::Property(Property::Octet(octet)) => number(properties.octet(*octet)?.into()),
            Field::Property(Property::Timestamp) => number(properties.timestamp?),
            Field::Property(Property::Headers) => Cow::Owned(envelope::headers(properties)),
            Field::Header(name) => {
                let mut fields = properties.headers.as_ref()?.fields();
                shown(fields.find(|field| field.name == name)?.value)
            }
        })
    }
}

/// A header's value: text as it is, numbers and words in their usual form, and the rest as JSON.
pub fn shown(value: Value<'_>) -> Cow<'_, [u8]> {
    match value {
        Value::String(bytes) | Value::Bytes(bytes) => Cow::Borrowed(bytes),
        Value::Boolean(byte) => text((byte != 0).to_string()),
        Value::Int8(number) => text(number.to_string()),
        Value::Uint8(number) => text(number.to_string()),
        Value::Int16(number) => text(number.to_string()),
        Value::Uint16(number) => text(number.to_string()),
        Value::Int32(number) => text(number.to_string()),
        Value::Uint32(number) => text(number.to_string()),
        Value::Int64(number) | Value::Long(number) => text(number.to_string()),
        Value::Float(bits) => text(f32::from_bits(bits).to_string()),
        Value::Double(bits) => text(f64::from_bits(bits).to_string()),
        Value::Timestamp(seconds) => number(seconds),
        Value::Void => Cow::Borrowed(b""),
        Value::Decimal { .. } | Value::Array(_) | Value::Table(_) => {
            let mut one = Table::default();
            one.push(&Name::new("h").unwrap_or_default(), &value.into());
            let json = envelope::headers(&Properties::of_headers(Some(one)));
            let inside = json.strip_prefix(b"{\"h\":").and_then(|rest| rest.strip_suffix(b"}"));
            Cow::Owned(inside.unwrap_or_default().to_vec())
        }
    }
}

/// A time as RFC 3339 writes it, in UTC; `None` if it is after the year 9999.
pub fn utc(seconds: u64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    let (date, month) = (time.date(), u8::from(time.month()));
    let (hour, minute, second) = time.time().as_hms();
    let (year, day) = (date.year(), date.day());
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

fn now() -> u64 {
    // No message arrived before 1970.
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn number<'a>(number: u64) -> Cow<'a, [u8]> {
    text(number.to_string())
}

fn text<'a>(text: String) -> Cow<'a, [u8]> {
    Cow::Owned(text.into_bytes())
}
