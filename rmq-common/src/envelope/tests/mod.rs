//! What the envelope's tests have in common.

mod arbitrary;
mod examples;
mod refusals;
mod same_json;

use super::*;
use crate::envelope::message::{Builder, Encoded, MAX_DEPTH, Octet, Table, Text, Value};
use crate::envelope::message::{Name, Properties};

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

fn short(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A value built from its parts.
fn made(make: impl FnOnce(&mut Builder)) -> Encoded {
    let mut builder = Builder::default();
    make(&mut builder);
    builder.encoded()
}

fn headers(fields: &[(&[u8], Value<'_>)]) -> Table {
    let mut table = Table::default();
    for (name, value) in fields {
        table.push(&Name::new(name).unwrap(), &(*value).into());
    }
    table
}

fn with_headers(headers: Table) -> Envelope<'static> {
    let properties = Properties::of_headers(Some(headers));
    Envelope { properties, ..Envelope::default() }
}

/// The JSON of one header value.
fn json(value: &Encoded) -> String {
    let line = encoded(&with_headers(headers(&[(b"h", value.value())])));
    let line = String::from_utf8(line).unwrap();
    line.strip_prefix("{\"headers\":{\"h\":").unwrap().strip_suffix("}}").unwrap().into()
}
