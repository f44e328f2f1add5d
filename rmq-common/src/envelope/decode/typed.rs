//! Header values that JSON has no type for: `{"$int8":-1}`, after MongoDB's Extended JSON.

use super::malformed::{Malformed, quoted, suggestion};
use super::scanner::{Kind, Name, Scanner};
use super::values;
use crate::envelope::marks::{BOOLEAN, STRING, TABLE};
use crate::envelope::message::{Builder, Value};

/// Every name that the only member of a typed value can have.
const NAMES: [&str; 15] = [
    "$int8",
    "$uint8",
    "$int16",
    "$uint16",
    "$int32",
    "$uint32",
    "$int64",
    "$float",
    "$double",
    "$decimal",
    "$timestamp",
    "$bytes",
    STRING,
    BOOLEAN,
    TABLE,
];

pub(super) const UNSIGNED_8: &str = "from 0 to 255";
const UNSIGNED_32: &str = "from 0 to 4294967295";
pub(super) const UNSIGNED_64: &str = "from 0 to 18446744073709551615";

/// Parses the value of the member `name`, which gives the type.
pub(super) fn read(
    scanner: &mut Scanner<'_>,
    name: &Name<'_>,
    to: &mut Builder,
) -> Result<(), Malformed> {
    let subject = name.text.as_ref();
    let value = match subject {
        "$int8" => Value::Int8(values::integer(scanner, subject, "from -128 to 127")?),
        "$uint8" => Value::Uint8(values::integer(scanner, subject, UNSIGNED_8)?),
        "$int16" => Value::Int16(values::integer(scanner, subject, "from -32768 to 32767")?),
        "$uint16" => Value::Uint16(values::integer(scanner, subject, "from 0 to 65535")?),
        "$int32" => {
            let range = "from -2147483648 to 2147483647";
            Value::Int32(values::integer(scanner, subject, range)?)
        }
        "$int64" => {
            let range = "from -9223372036854775808 to 9223372036854775807";
            Value::Long(values::integer(scanner, subject, range)?)
        }
        "$uint32" => Value::Uint32(values::integer(scanner, subject, UNSIGNED_32)?),
        BOOLEAN => Value::Boolean(values::integer(scanner, subject, UNSIGNED_8)?),
        "$float" => Value::Float(float(scanner, subject, 32, |text| {
            let float = text.parse().ok().filter(|float: &f32| float.is_finite());
            float.map(f32::to_bits)
        })?),
        "$double" => Value::Double(float(scanner, subject, 64, |text| {
            let double = text.parse().ok().filter(|double: &f64| double.is_finite());
            double.map(f64::to_bits)
        })?),
        "$decimal" => decimal(scanner, subject)?,
        "$timestamp" => Value::Timestamp(values::integer(scanner, subject, UNSIGNED_64)?),
        "$bytes" => {
            to.value(Value::Bytes(&values::bytes(scanner, subject)?));
            return Ok(());
        }
        STRING => {
            to.value(Value::String(&values::bytes(scanner, subject)?));
            return Ok(());
        }
        _ => {
            let hint = match subject {
                "$uint64" => {
                    "; RabbitMQ's integers of 64 bits have a sign, and are written as numbers"
                        .into()
                }
                _ => suggestion(subject, NAMES.into_iter()),
            };
            let problem = format!("unknown type {}{hint}", quoted(subject));
            return Err(Malformed::at(name.offset, problem));
        }
    };
    to.value(value);
    Ok(())
}

/// A float of this number of bits: a number, or its bits as a string of hexadecimal digits.
fn float<T: FromHex>(
    scanner: &mut Scanner<'_>,
    subject: &str,
    bits: usize,
    of_number: impl Fn(&str) -> Option<T>,
) -> Result<T, Malformed> {
    let digits = bits / 4;
    let expected = format!("a number, or its bits as a string of {digits} hexadecimal digits");
    let kind = scanner.kind()?;
    let offset = scanner.offset();
    let (float, found) = match kind {
        Kind::Number => (of_number(scanner.number()?.text), format!("a number beyond {bits} bits")),
        Kind::String => {
            let text = scanner.string()?;
            let hexadecimal = text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
            (T::from_hex(&text).filter(|_| hexadecimal), "another string".into())
        }
        other => (None, other.name().into()),
    };
    float.ok_or_else(|| Malformed::takes(offset, subject, &expected, &found))
}

/// The bits of a float.
trait FromHex: Sized {
    fn from_hex(digits: &str) -> Option<Self>;
}

impl FromHex for u32 {
    fn from_hex(digits: &str) -> Option<Self> {
        u32::from_str_radix(digits, 16).ok()
    }
}

impl FromHex for u64 {
    fn from_hex(digits: &str) -> Option<Self> {
        u64::from_str_radix(digits, 16).ok()
    }
}

/// `{"scale":2,"value":314}`, which is 3.14.
fn decimal(scanner: &mut Scanner<'_>, subject: &str) -> Result<Value<'static>, Malformed> {
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
        (Some(scale), Some(value)) => Ok(Value::Decimal { scale, value }),
        _ => Err(Malformed::takes(offset, subject, EXPECTED, "one without both")),
    }
}
