//! Header values that RabbitMQ cannot carry.
//!
//! The process of the connection crashes on them (541, `INTERNAL_ERROR`), and would again each time
//! the message is sent. Measured on 3.10.8, 4.0.5 and 4.3.6, with values of every type at their
//! limits: all three refuse NaN and the infinities, whatever the queue; streams alone refuse a
//! decimal of any scale, and from 4.0 on some names that have a meaning in AMQP 1.0; 4.3 refuses
//! some texts of properties that are not UTF-8. No method of AMQP says whether a queue is a stream.

use rmq_common::failure::Failure;
use rmq_common::message::{PROPERTIES, Properties, Property, Table, Value};
use rmq_common::names;

/// Why no queue takes a value.
const NOT_FINITE: &str = "a float that is NaN or infinite, which RabbitMQ cannot carry";

/// Names of headers that a stream treats as parts of AMQP 1.0, from RabbitMQ 4.0 on.
const PARTS: [&str; 3] =
    ["x-stream-filter-value", "x-amqp-1.0-properties", "x-amqp-1.0-app-properties"];

/// Checks that every queue carries these headers.
///
/// # Errors
/// A header that no queue carries (65).
pub fn headers(properties: &Properties) -> Result<(), Failure> {
    for field in properties.headers.iter().flat_map(Table::fields) {
        let name = names::shown_bytes(field.name);
        value(field.value).map_err(|why| Failure::data(format!("header {name}: {why}")))?;
    }
    Ok(())
}

/// Checks that every queue carries this value.
pub fn value(value: Value<'_>) -> Result<(), &'static str> {
    let finite = |value: &Value<'_>| match *value {
        Value::Float(bits) => f32::from_bits(bits).is_finite(),
        Value::Double(bits) => f64::from_bits(bits).is_finite(),
        _ => true,
    };
    if value.all(finite) { Ok(()) } else { Err(NOT_FINITE) }
}

/// Which of these headers a stream does not carry, for the report of a dropped connection.
pub fn not_by_streams(properties: &Properties) -> Option<String> {
    let is_decimal = |value: &Value<'_>| matches!(value, Value::Decimal { .. });
    let odd = PROPERTIES.iter().find_map(|(name, property)| match property {
        Property::Text(text) if properties.get(*text)?.text().is_none() => Some(*name),
        _ => None,
    });
    if let Some(name) = odd {
        return Some(format!("its {name} is not UTF-8, which a stream may not carry"));
    }
    properties.headers.as_ref()?.fields().find_map(|field| {
        let shown = names::shown_bytes(field.name);
        if !field.value.all(|value| !is_decimal(value)) {
            return Some(format!("header {shown} is a decimal, which no stream carries"));
        }
        let is_part = PARTS.iter().any(|part| part.as_bytes() == field.name);
        is_part.then(|| format!("header {shown} has a meaning in streams"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmq_common::message::{Builder, Encoded, Name, Text};

    fn with(name: &str, value: &Encoded) -> Properties {
        let mut table = Table::default();
        table.push(&Name::new(name).unwrap(), value);
        Properties::of_headers(Some(table))
    }

    fn nested(value: Value<'_>, depth: usize) -> Encoded {
        let mut builder = Builder::default();
        (0..depth).for_each(|_| builder.begin_array());
        builder.value(value);
        (0..depth).for_each(|_| builder.end());
        builder.encoded()
    }

    #[test]
    fn a_float_that_is_no_number_is_found_however_deep_it_is() {
        for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for depth in [0, 1, 400] {
                let properties = with("h", &nested(Value::Double(float.to_bits()), depth));
                let refused = headers(&properties).unwrap_err().to_string();
                assert_eq!(refused, format!("header h: {NOT_FINITE}"));
            }
            assert!(value(Value::Float((float as f32).to_bits())).is_err());
        }
        for good in [Value::Double(f64::MAX.to_bits()), Value::Float(0x8000_0000), Value::Void] {
            assert_eq!(value(nested(good, 2).value()), Ok(()));
        }
    }

    #[test]
    fn what_streams_alone_refuse_is_named_and_allowed() {
        let decimal = nested(Value::Decimal { scale: 2, value: 314 }, 3);
        let properties = with("price", &decimal);
        assert!(headers(&properties).is_ok());
        let told = "header price is a decimal, which no stream carries";
        assert_eq!(not_by_streams(&properties).as_deref(), Some(told));
        let mut odd = Properties::default();
        odd.set(Text::ReplyTo, Name::new(b"\xff").unwrap());
        let told = "its reply_to is not UTF-8, which a stream may not carry";
        assert_eq!(not_by_streams(&odd).as_deref(), Some(told));
        assert_eq!(not_by_streams(&with("n", &Value::Int32(1).into())), None);
        assert!(not_by_streams(&with(PARTS[0], &Value::Int32(1).into())).is_some());
    }
}
