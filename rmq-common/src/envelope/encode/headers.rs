//! Writes headers: the AMQP types as JSON.
//!
//! As in parsing, nesting uses a list of open containers, not recursion.

use super::text;
use crate::envelope::marks::{BOOLEAN, STRING, TABLE};
use crate::envelope::message::{Fields, Items, Table, Value};
use std::fmt::Display;

/// A table or an array that is partly written.
enum Open<'a> {
    Table {
        rest: Fields<'a>,
        form: Form,
    },
    /// A table written as an array of names and values.
    Pairs {
        rest: Fields<'a>,
        form: Form,
        /// Whether a pair has begun, of which the value is written.
        has_begun: bool,
    },
    Array(Items<'a>),
}

/// What encloses a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    /// `{"$table":...}`, which ends with it.
    Escaped,
}

/// Appends the table of headers.
pub(super) fn table(out: &mut Vec<u8>, table: &Table) {
    let fields = table.fields();
    let mut open = vec![begin_table(out, fields, Form::Plain, is_object(fields))];
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

/// Appends a string: as text if it is UTF-8.
pub(super) fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(string) => text::string(out, string),
        Err(_) => typed_bytes(out, STRING, bytes),
    }
}

/// Whether an object can hold these fields: each name is UTF-8 and occurs once.
fn is_object(fields: Fields<'_>) -> bool {
    let mut names: Vec<&[u8]> = Vec::new();
    for field in fields {
        if std::str::from_utf8(field.name).is_err() {
            return false;
        }
        names.push(field.name);
    }
    names.sort_unstable();
    names.windows(2).all(|two| matches!(two, [one, other] if one != other))
}

fn begin_table<'a>(out: &mut Vec<u8>, rest: Fields<'a>, form: Form, is_object: bool) -> Open<'a> {
    if form == Form::Escaped {
        begin_typed(out, TABLE);
    }
    if is_object {
        out.push(b'{');
        return Open::Table { rest, form };
    }
    out.push(b'[');
    Open::Pairs { rest, form, has_begun: false }
}

impl<'a> Open<'a> {
    /// The next value in it, after writing what precedes that.
    fn next(&mut self, out: &mut Vec<u8>) -> Option<Value<'a>> {
        match self {
            Open::Table { rest, .. } => rest.next().map(|field| {
                text::separate(out);
                string(out, field.name);
                out.push(b':');
                field.value
            }),
            Open::Pairs { rest, has_begun, .. } => {
                if std::mem::take(has_begun) {
                    out.push(b']');
                }
                let field = rest.next()?;
                *has_begun = true;
                text::separate(out);
                out.push(b'[');
                string(out, field.name);
                out.push(b',');
                Some(field.value)
            }
            Open::Array(rest) => rest.next().inspect(|_| text::separate(out)),
        }
    }

    fn end(&self, out: &mut Vec<u8>) {
        let end: &[u8] = match self {
            Open::Table { form: Form::Escaped, .. } => b"}}",
            Open::Table { form: Form::Plain, .. } => b"}",
            Open::Pairs { form: Form::Escaped, .. } => b"]}",
            Open::Pairs { form: Form::Plain, .. } | Open::Array(_) => b"]",
        };
        out.extend_from_slice(end);
    }
}

/// Writes a value, or its start if it contains others.
fn begin<'a>(out: &mut Vec<u8>, value: Value<'a>) -> Option<Open<'a>> {
    match value {
        Value::Table(fields) => {
            let is_object = is_object(fields);
            let is_plain = is_object && !fields.into_iter().any(|it| it.name.starts_with(b"$"));
            let form = if is_plain { Form::Plain } else { Form::Escaped };
            return Some(begin_table(out, fields, form, is_object));
        }
        Value::Array(items) => {
            out.push(b'[');
            return Some(Open::Array(items));
        }
        Value::Boolean(1) => out.extend_from_slice(b"true"),
        Value::Boolean(0) => out.extend_from_slice(b"false"),
        Value::Boolean(byte) => typed(out, BOOLEAN, byte),
        Value::Void => out.extend_from_slice(b"null"),
        Value::Int64(integer) => text::number(out, integer),
        // For an f64 this is the shortest text that parses to the same value, with a point or an
        // exponent.
        Value::Double(bits) if f64::from_bits(bits).is_finite() => {
            text::number(out, format_args!("{:?}", f64::from_bits(bits)));
        }
        Value::String(bytes) => string(out, bytes),
        Value::Int8(integer) => typed(out, "$int8", integer),
        Value::Uint8(integer) => typed(out, "$uint8", integer),
        Value::Int16(integer) => typed(out, "$int16", integer),
        Value::Uint16(integer) => typed(out, "$uint16", integer),
        Value::Int32(integer) => typed(out, "$int32", integer),
        Value::Uint32(integer) => typed(out, "$uint32", integer),
        Value::Long(integer) => typed(out, "$int64", integer),
        Value::Float(bits) if f32::from_bits(bits).is_finite() => {
            typed(out, "$float", format_args!("{:?}", f32::from_bits(bits)));
        }
        Value::Float(bits) => typed(out, "$float", format_args!("\"{bits:08x}\"")),
        Value::Double(bits) => typed(out, "$double", format_args!("\"{bits:016x}\"")),
        Value::Decimal { scale, value } => {
            typed(out, "$decimal", format_args!("{{\"scale\":{scale},\"value\":{value}}}"));
        }
        Value::Timestamp(seconds) => typed(out, "$timestamp", seconds),
        Value::Bytes(bytes) => typed_bytes(out, "$bytes", bytes),
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
