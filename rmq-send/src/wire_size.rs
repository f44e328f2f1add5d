//! How many bytes properties take on the wire.
//!
//! They go in one frame (specification, section 4.2.6.1); the broker closes the connection over a
//! larger one, without saying over which message, and would do so again each time it is sent.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

/// What stands around the properties in a content header frame: type, channel, size and end of the
/// frame; class, weight, body size and property flags.
const AROUND: usize = 7 + 1 + 2 + 2 + 8 + 2;
/// Twelve properties that are not headers, each at its longest.
const OTHERS: usize = 12 * 256;

/// Whether a message with these properties fits frames of `frame_max` bytes (0 is without limit);
/// else what its headers take.
pub fn fits(properties: &BasicProperties, frame_max: u32) -> Result<(), usize> {
    let Some(headers) = properties.headers() else { return Ok(()) };
    let size = table(headers);
    let most = usize::try_from(frame_max).unwrap_or(usize::MAX);
    if most == 0 || size + AROUND + OTHERS <= most { Ok(()) } else { Err(size) }
}

fn table(table: &FieldTable) -> usize {
    let entries = table.inner().iter();
    4 + entries.map(|(name, value)| 1 + name.as_str().len() + 1 + self::value(value)).sum::<usize>()
}

fn value(value: &AMQPValue) -> usize {
    match value {
        AMQPValue::Void => 0,
        AMQPValue::Boolean(_) | AMQPValue::ShortShortInt(_) | AMQPValue::ShortShortUInt(_) => 1,
        AMQPValue::ShortInt(_) | AMQPValue::ShortUInt(_) => 2,
        AMQPValue::LongInt(_) | AMQPValue::LongUInt(_) | AMQPValue::Float(_) => 4,
        AMQPValue::DecimalValue(_) => 5,
        AMQPValue::LongLongInt(_) | AMQPValue::Double(_) | AMQPValue::Timestamp(_) => 8,
        AMQPValue::ShortString(text) => 1 + text.as_str().len(),
        AMQPValue::LongString(text) => 4 + text.as_bytes().len(),
        AMQPValue::ByteArray(bytes) => 4 + bytes.as_slice().len(),
        AMQPValue::FieldArray(array) => {
            4 + array.as_slice().iter().map(|item| 1 + self::value(item)).sum::<usize>()
        }
        AMQPValue::FieldTable(nested) => table(nested),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::types::ShortString;

    fn headers(bytes: usize) -> BasicProperties {
        let mut table = FieldTable::default();
        let name = ShortString::try_new("h").unwrap();
        table.insert(name, AMQPValue::LongString(vec![0; bytes].into()));
        BasicProperties::default().with_headers(table)
    }

    #[test]
    fn headers_larger_than_a_frame_do_not_fit() {
        assert_eq!(fits(&BasicProperties::default(), 4096), Ok(()));
        assert_eq!(fits(&headers(100_000), 131_072), Ok(()));
        assert_eq!(fits(&headers(131_072), 131_072), Err(131_072 + 4 + 1 + 1 + 1 + 4));
        assert_eq!(fits(&headers(1_000_000), 0), Ok(()));
    }
}
