//! Headers, written: the AMQP types as JSON.
//!
//! As in reading, nesting is followed with a list of what is open, not by recursion.

use super::text;
use crate::envelope::TABLE;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use std::collections::btree_map;
use std::fmt::Display;
use std::slice;

/// A table or an array of which not all is written.
enum Open<'a> {
    Table {
        rest: btree_map::Iter<'a, ShortString, AMQPValue>,
        /// Whether it stands in `{"$table":...}`, which ends with it.
        escaped: bool,
    },
    Array(slice::Iter<'a, AMQPValue>),
}

/// Appends the table of headers.
pub(super) fn table(out: &mut Vec<u8>, table: &FieldTable) {
    out.push(b'{');
    let mut open = vec![Open::Table { rest: table.inner().iter(), escaped: false }];
    while let Some(holder) = open.last_mut() {
        match holder.next(out) {
            Some(value) => open.extend(begin(out, value)),
            None => {
                holder.end(out);
                open.pop();
            }
        }
    }
}

impl<'a> Open<'a> {
    /// The next value in it, once what comes before that is written.
    fn next(&mut self, out: &mut Vec<u8>) -> Option<&'a AMQPValue> {
        match self {
            Open::Table { rest, .. } => rest.next().map(|(name, value)| {
                text::separate(out);
                text::string(out, name.as_str());
                out.push(b':');
                value
            }),
            Open::Array(rest) => rest.next().inspect(|_| text::separate(out)),
        }
    }

    fn end(&self, out: &mut Vec<u8>) {
        let end: &[u8] = match self {
            Open::Table { escaped: true, .. } => b"}}",
            Open::Table { escaped: false, .. } => b"}",
            Open::Array(_) => b"]",
        };
        out.extend_from_slice(end);
    }
}

/// Writes a value, or its beginning if it holds others.
fn begin<'a>(out: &mut Vec<u8>, value: &'a AMQPValue) -> Option<Open<'a>> {
    match value {
        AMQPValue::FieldTable(table) => {
            let entries = table.inner();
            let escaped = entries.keys().any(|name| name.as_str().starts_with('$'));
            if escaped {
                begin_typed(out, TABLE);
            }
            out.push(b'{');
            return Some(Open::Table { rest: entries.iter(), escaped });
        }
        AMQPValue::FieldArray(array) => {
            out.push(b'[');
            return Some(Open::Array(array.as_slice().iter()));
        }
        AMQPValue::Boolean(true) => out.extend_from_slice(b"true"),
        AMQPValue::Boolean(false) => out.extend_from_slice(b"false"),
        AMQPValue::Void => out.extend_from_slice(b"null"),
        AMQPValue::LongLongInt(integer) => text::number(out, integer),
        // Of an f64 this is the shortest text that reads back as the same, with a point or an
        // exponent in it.
        AMQPValue::Double(double) if double.is_finite() => {
            text::number(out, format_args!("{double:?}"));
        }
        AMQPValue::LongString(string) => match std::str::from_utf8(string.as_bytes()) {
            Ok(string) => text::string(out, string),
            Err(_) => typed_bytes(out, "$string_base64", string.as_bytes()),
        },
        AMQPValue::ShortShortInt(integer) => typed(out, "$int8", integer),
        AMQPValue::ShortShortUInt(integer) => typed(out, "$uint8", integer),
        AMQPValue::ShortInt(integer) => typed(out, "$int16", integer),
        AMQPValue::ShortUInt(integer) => typed(out, "$uint16", integer),
        AMQPValue::LongInt(integer) => typed(out, "$int32", integer),
        AMQPValue::LongUInt(integer) => typed(out, "$uint32", integer),
        AMQPValue::Float(float) if float.is_finite() => {
            typed(out, "$float", format_args!("{float:?}"));
        }
        AMQPValue::Float(float) => {
            typed(out, "$float", format_args!("\"{:08x}\"", float.to_bits()));
        }
        AMQPValue::Double(double) => {
            typed(out, "$double", format_args!("\"{:016x}\"", double.to_bits()));
        }
        AMQPValue::DecimalValue(decimal) => {
            let (scale, value) = (decimal.scale, decimal.value);
            let members = format_args!("{{\"scale\":{scale},\"value\":{value}}}");
            typed(out, "$decimal", members);
        }
        AMQPValue::Timestamp(seconds) => typed(out, "$timestamp", seconds),
        AMQPValue::ByteArray(bytes) => typed_bytes(out, "$bytes", bytes.as_slice()),
        AMQPValue::ShortString(string) => {
            begin_typed(out, "$short_string");
            text::string(out, string.as_str());
            out.push(b'}');
        }
    }
    None
}

/// `{"$name":`
fn begin_typed(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn typed(out: &mut Vec<u8>, name: &str, value: impl Display) {
    begin_typed(out, name);
    text::number(out, value);
    out.push(b'}');
}

fn typed_bytes(out: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    begin_typed(out, name);
    text::base64(out, bytes);
    out.push(b'}');
}
