//! What RabbitMQ does not carry in a header.
//!
//! Its connection's process crashes over it (541, `INTERNAL_ERROR`), and would again each time the
//! message is sent. Measured on 3.10.8, 4.0.5 and 4.3.6, with values of every type at their limits:
//! NaN and the infinities are refused by all three whatever the queue; a decimal of any scale by
//! streams alone, and from 4.0 on some names that AMQP 1.0 gives a meaning to, where a stream keeps
//! them. Whether a queue is a stream no method of AMQP says.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use rmq_common::failure::Failure;
use rmq_common::names;

/// What is wrong with a value that no queue takes.
const NOT_FINITE: &str = "a float that is NaN or infinite, which RabbitMQ does not carry";

/// Names of headers that a stream takes for parts of AMQP 1.0, from RabbitMQ 4.0 on.
const PARTS: [&str; 3] =
    ["x-stream-filter-value", "x-amqp-1.0-properties", "x-amqp-1.0-app-properties"];

/// Whether every queue carries these headers.
///
/// # Errors
/// The header that none does (65).
pub fn headers(properties: &BasicProperties) -> Result<(), Failure> {
    for (name, header) in properties.headers().iter().flatten() {
        let name = names::shown(name.as_str());
        value(header).map_err(|why| Failure::data(format!("header {name}: {why}")))?;
    }
    Ok(())
}

/// Whether every queue carries this value.
///
/// # Errors
/// Why none does.
pub fn value(value: &AMQPValue) -> Result<(), &'static str> {
    let finite = |value: &AMQPValue| match value {
        AMQPValue::Float(float) => float.is_finite(),
        AMQPValue::Double(double) => double.is_finite(),
        _ => true,
    };
    if all(value, finite) { Ok(()) } else { Err(NOT_FINITE) }
}

/// What of these headers a stream does not carry, to be named where the broker drops a connection
/// over a message.
pub fn not_by_streams(properties: &BasicProperties) -> Option<String> {
    let is_decimal = |value: &AMQPValue| matches!(value, AMQPValue::DecimalValue(_));
    let table: &FieldTable = properties.headers().as_ref()?;
    table.into_iter().find_map(|(name, value)| {
        let shown = names::shown(name.as_str());
        if !all(value, |value| !is_decimal(value)) {
            return Some(format!("header {shown} is a decimal, which no stream carries"));
        }
        let is_part = PARTS.contains(&name.as_str());
        is_part.then(|| format!("header {shown} means something to streams"))
    })
}

/// Whether a value and all within it are `good`. Without recursion: what comes in decides how deep
/// it is.
fn all(value: &AMQPValue, good: impl Fn(&AMQPValue) -> bool) -> bool {
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        if !good(value) {
            return false;
        }
        match value {
            AMQPValue::FieldArray(array) => rest.extend(array.as_slice()),
            AMQPValue::FieldTable(table) => rest.extend(table.inner().values()),
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::types::{DecimalValue, ShortString};

    fn with(name: &str, value: AMQPValue) -> BasicProperties {
        let mut table = FieldTable::default();
        table.insert(ShortString::try_new(name).unwrap(), value);
        BasicProperties::default().with_headers(table)
    }

    fn nested(value: AMQPValue, depth: usize) -> AMQPValue {
        (0..depth).fold(value, |value, _| AMQPValue::FieldArray(vec![value].into()))
    }

    #[test]
    fn a_float_that_is_no_number_is_found_however_deep_it_is() {
        for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for depth in [0, 1, 400] {
                let properties = with("h", nested(AMQPValue::Double(float), depth));
                let refused = headers(&properties).unwrap_err().to_string();
                assert_eq!(refused, format!("header h: {NOT_FINITE}"));
            }
            assert!(value(&AMQPValue::Float(float as f32)).is_err());
        }
        for good in [AMQPValue::Double(f64::MAX), AMQPValue::Float(-0.0), AMQPValue::Void] {
            assert_eq!(value(&nested(good, 2)), Ok(()));
        }
    }

    #[test]
    fn what_streams_alone_refuse_is_named_and_allowed() {
        let decimal = nested(AMQPValue::DecimalValue(DecimalValue { scale: 2, value: 314 }), 3);
        let properties = with("price", decimal);
        assert!(headers(&properties).is_ok());
        let told = "header price is a decimal, which no stream carries";
        assert_eq!(not_by_streams(&properties).as_deref(), Some(told));
        assert_eq!(not_by_streams(&with("n", AMQPValue::LongInt(1))), None);
        assert!(not_by_streams(&with(PARTS[0], AMQPValue::LongInt(1))).is_some());
    }
}
