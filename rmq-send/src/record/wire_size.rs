//! How many bytes properties take on the wire.
//!
//! They must fit in one frame (AMQP 0-9-1, section 4.2.6.1); the broker closes the connection over
//! a larger one, without naming the message, and would again each time it is sent.

use rmq_common::message::Properties;

/// What surrounds the properties in a content header frame: type, channel, size and end of the
/// frame; class, weight, body size and property flags.
const AROUND: usize = 7 + 1 + 2 + 2 + 8 + 2;
/// Twelve properties that are not headers, each at its longest.
const OTHERS: usize = 12 * 256;

/// Whether a message with these properties fits frames of `frame_max` bytes (0: no limit); else its
/// headers' size.
pub fn fits(properties: &Properties, frame_max: u32) -> Result<(), usize> {
    let Some(headers) = &properties.headers else { return Ok(()) };
    // With the length field before them.
    let size = 4 + headers.as_bytes().len();
    let most = usize::try_from(frame_max).unwrap_or(usize::MAX);
    if most == 0 || size + AROUND + OTHERS <= most { Ok(()) } else { Err(size) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmq_common::message::{Name, Table, Value};

    fn headers(bytes: usize) -> Properties {
        let mut table = Table::default();
        table.push(&Name::new("h").unwrap(), &Value::String(&vec![0; bytes]).into());
        Properties::of_headers(Some(table))
    }

    #[test]
    fn headers_larger_than_a_frame_do_not_fit() {
        assert_eq!(fits(&Properties::default(), 4096), Ok(()));
        assert_eq!(fits(&headers(100_000), 131_072), Ok(()));
        assert_eq!(fits(&headers(131_072), 131_072), Err(131_072 + 4 + 1 + 1 + 1 + 4));
        assert_eq!(fits(&headers(1_000_000), 0), Ok(()));
    }
}
