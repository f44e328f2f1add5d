//! Header values that JSON has no type for: `{"$int8":-1}`, after MongoDB's Extended JSON.

use super::malformed::{Malformed, quoted, suggestion};
use super::scanner::{Kind, Name, Scanner};
use super::values;
use crate::envelope::TABLE;
use lapin::types::{AMQPValue, ByteArray, DecimalValue, LongString};
use std::str::FromStr;

/// Every name that a typed value's only member can have.
const NAMES: [&str; 13] = [
    "$int8",
    "$uint8",
    "$int16",
    "$uint16",
    "$int32",
    "$uint32",
    "$float",
    "$double",
    "$decimal",
    "$timestamp",
    "$bytes",
    "$string_base64",
    TABLE,
];

/// The range of an unsigned integer of 8 bits, in words.
pub(super) const UNSIGNED_8: &str = "from 0 to 255";
/// The range of an unsigned integer of 32 bits, in words.
const UNSIGNED_32: &str = "from 0 to 4294967295";
/// The range of an unsigned integer of 64 bits, in words.
pub(super) const UNSIGNED_64: &str = "from 0 to 18446744073709551615";

/// Reads the value of the member `name`, which says the type.
pub(super) fn read(scanner: &mut Scanner<'_>, name: &Name<'_>) -> Result<AMQPValue, Malformed> {
    let subject = name.text.as_ref();
    Ok(match subject {
        "$int8" => AMQPValue::ShortShortInt(values::integer(scanner, subject, "from -128 to 127")?),
        "$uint8" => AMQPValue::ShortShortUInt(values::integer(scanner, subject, UNSIGNED_8)?),
        "$int16" => AMQPValue::ShortInt(values::integer(scanner, subject, "from -32768 to 32767")?),
        "$uint16" => AMQPValue::ShortUInt(values::integer(scanner, subject, "from 0 to 65535")?),
        "$int32" => {
            let range = "from -2147483648 to 2147483647";
            AMQPValue::LongInt(values::integer(scanner, subject, range)?)
        }
        "$uint32" => AMQPValue::LongUInt(values::integer(scanner, subject, UNSIGNED_32)?),
        "$float" => AMQPValue::Float(float(scanner, subject, 32, f32::is_finite, |bits| {
            u32::from_str_radix(bits, 16).ok().map(f32::from_bits)
        })?),
        "$double" => AMQPValue::Double(float(scanner, subject, 64, f64::is_finite, |bits| {
            u64::from_str_radix(bits, 16).ok().map(f64::from_bits)
        })?),
        "$decimal" => AMQPValue::DecimalValue(decimal(scanner, subject)?),
        "$timestamp" => AMQPValue::Timestamp(values::integer(scanner, subject, UNSIGNED_64)?),
        "$bytes" => AMQPValue::ByteArray(ByteArray::from(values::bytes(scanner, subject)?)),
        "$string_base64" => {
            AMQPValue::LongString(LongString::from(values::bytes(scanner, subject)?))
        }
        // lapin would write it under a type that RabbitMQ does not know, and RabbitMQ (3.10, 4.0)
        // closes the connection for it: 541, an internal error. It never comes off the wire.
        "$short_string" => {
            let problem = "\"$short_string\": RabbitMQ has no such type; write a plain string";
            return Err(Malformed::at(name.offset, problem));
        }
        _ => {
            let hint = match subject {
                "$uint64" | "$int64" => {
                    "; RabbitMQ's integers of 64 bits have a sign, and are written as numbers"
                        .into()
                }
                _ => suggestion(subject, NAMES.into_iter()),
            };
            let problem = format!("unknown type {}{hint}", quoted(subject));
            return Err(Malformed::at(name.offset, problem));
        }
    })
}

/// A number, or the float's bits as a string of hexadecimal digits.
fn float<T: Copy + FromStr>(
    scanner: &mut Scanner<'_>,
    subject: &str,
    bits: usize,
    is_finite: impl Fn(T) -> bool,
    from_bits: impl Fn(&str) -> Option<T>,
) -> Result<T, Malformed> {
    let digits = bits / 4;
    let expected = format!("a number, or its bits as a string of {digits} hexadecimal digits");
    let kind = scanner.kind()?;
    let offset = scanner.offset();
    let (float, found) = match kind {
        Kind::Number => {
            let float = scanner.number()?.text.parse().ok();
            (float.filter(|float| is_finite(*float)), format!("a number beyond {bits} bits"))
        }
        Kind::String => {
            let text = scanner.string()?;
            let hexadecimal = text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
            (from_bits(&text).filter(|_| hexadecimal), "another string".into())
        }
        other => (None, other.name().into()),
    };
    float.ok_or_else(|| Malformed::takes(offset, subject, &expected, &found))
}

/// `{"scale":2,"value":314}`, which is 3.14.
fn decimal(scanner: &mut Scanner<'_>, subject: &str) -> Result<DecimalValue, Malformed> {
    const EXPECTED: &str = "an object of \"scale\" and \"value\"";
    values::require(scanner, Kind::Object, subject, EXPECTED)?;
    let offset = scanner.offset();
    scanner.enter();
    let (mut scale, mut value) = (None, None);
    let mut first = true;
    while let Some(name) = scanner.member(first)? {
        first = false;
        let found = quoted(&name.text);
        match name.text.as_ref() {
            "scale" if scale.is_none() => {
                scale = Some(values::integer(scanner, "scale", UNSIGNED_8)?);
            }
            "value" if value.is_none() => {
                value = Some(values::integer(scanner, "value", UNSIGNED_32)?);
            }
            "scale" | "value" => {
                return Err(Malformed::at(name.offset, format!("a second {found}")));
            }
            _ => return Err(Malformed::takes(name.offset, subject, EXPECTED, &found)),
        }
    }
    match (scale, value) {
        (Some(scale), Some(value)) => Ok(DecimalValue { scale, value }),
        _ => Err(Malformed::takes(offset, subject, EXPECTED, "one without both")),
    }
}
