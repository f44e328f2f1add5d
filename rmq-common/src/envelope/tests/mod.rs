//! What the tests of the envelope have in common.

mod arbitrary;
mod examples;
mod refusals;
mod same_json;

use super::*;
use lapin::types::{AMQPValue, FieldArray, FieldTable, LongString};

fn encoded(envelope: &Envelope<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    envelope.encode(&mut line);
    line
}

fn refused(line: &str) -> String {
    Envelope::decode(line.as_bytes()).expect_err(line).to_string()
}

fn refused_value(text: &str) -> String {
    header_value(text).expect_err(text).to_string()
}

fn short(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap()
}

fn long(text: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text))
}

fn table(entries: impl IntoIterator<Item = (&'static str, AMQPValue)>) -> AMQPValue {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert(short(name), value);
    }
    AMQPValue::FieldTable(table)
}

fn array(values: impl Into<Vec<AMQPValue>>) -> AMQPValue {
    AMQPValue::FieldArray(FieldArray::from(values.into()))
}

/// The JSON of one header value.
fn json(value: AMQPValue) -> String {
    let mut headers = FieldTable::default();
    headers.insert(short("h"), value);
    let properties = BasicProperties::default().with_headers(headers);
    let line = encoded(&Envelope { properties, ..Envelope::default() });
    let line = String::from_utf8(line).unwrap();
    line.strip_prefix("{\"headers\":{\"h\":").unwrap().strip_suffix("}}").unwrap().into()
}

/// Equal, floats by their bits.
fn same(one: &AMQPValue, other: &AMQPValue) -> bool {
    match (one, other) {
        (AMQPValue::Float(one), AMQPValue::Float(other)) => one.to_bits() == other.to_bits(),
        (AMQPValue::Double(one), AMQPValue::Double(other)) => one.to_bits() == other.to_bits(),
        (AMQPValue::FieldArray(one), AMQPValue::FieldArray(other)) => {
            let (one, other) = (one.as_slice(), other.as_slice());
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (AMQPValue::FieldTable(one), AMQPValue::FieldTable(other)) => same_table(one, other),
        _ => one == other,
    }
}

fn same_table(one: &FieldTable, other: &FieldTable) -> bool {
    let (one, other) = (one.inner(), other.inner());
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| one.0 == other.0 && same(one.1, other.1))
}

fn same_envelope(one: &Envelope<'_>, other: &Envelope<'_>) -> bool {
    let headers = match (one.properties.headers(), other.properties.headers()) {
        (Some(one), Some(other)) => same_table(one, other),
        (one, other) => one.is_none() && other.is_none(),
    };
    // There is no way to take headers away, so both get the same.
    let without_headers =
        |envelope: &Envelope<'_>| envelope.properties.clone().with_headers(FieldTable::default());
    headers
        && without_headers(one) == without_headers(other)
        && (&one.id, one.more) == (&other.id, other.more)
        && (&one.exchange, &one.routing_key) == (&other.exchange, &other.routing_key)
        && one.no_delivery_mode == other.no_delivery_mode
        && (one.redelivered, one.delivery_count) == (other.redelivered, other.delivery_count)
        && one.body == other.body
}
