//! What a message begins with, encoded once for all that go the same way.

use super::wire::{FRAME_END, HEADER, METHOD, begin};
use amq_protocol::frame::WriteContext;
use amq_protocol::protocol::basic::gen_properties;
use lapin::BasicProperties;

/// The frames of a publish before its body, ready for any number of messages that go the same way.
#[derive(Clone, Debug)]
pub struct Head {
    bytes: Vec<u8>,
    /// Where the eight bytes of the body's size are.
    size_at: usize,
}

impl Head {
    /// For messages to `exchange` with `routing_key` and `properties`. `None` where a name is longer
    /// than 255 bytes, or the properties cannot be encoded.
    pub fn new(
        channel: u16,
        exchange: &[u8],
        routing_key: &[u8],
        mandatory: bool,
        properties: &BasicProperties,
    ) -> Option<Self> {
        let mut bytes = Vec::with_capacity(128);
        frame(&mut bytes, METHOD, channel, |bytes| {
            // basic.publish, and two bytes that are reserved.
            bytes.extend([0, 60, 0, 40, 0, 0]);
            for name in [exchange, routing_key] {
                bytes.push(u8::try_from(name.len()).ok()?);
                bytes.extend_from_slice(name);
            }
            bytes.push(u8::from(mandatory));
            Some(())
        })?;
        let mut size_at = 0;
        frame(&mut bytes, HEADER, channel, |bytes| {
            // The class basic, a weight that is not used, and the body's size.
            bytes.extend([0, 60, 0, 0]);
            size_at = bytes.len();
            bytes.extend([0; 8]);
            let written = gen_properties(properties)(WriteContext::from(Vec::new())).ok()?;
            bytes.extend_from_slice(&written.into_inner().0);
            Some(())
        })?;
        Some(Head { bytes, size_at })
    }

    /// Writes it for a body of this size.
    pub(super) fn put(&self, size: u64, out: &mut Vec<u8>) {
        let begin = out.len() + self.size_at;
        out.extend_from_slice(&self.bytes);
        if let Some(place) = out.get_mut(begin..begin + 8) {
            place.copy_from_slice(&size.to_be_bytes());
        }
    }
}

fn frame(
    bytes: &mut Vec<u8>,
    kind: u8,
    channel: u16,
    payload: impl FnOnce(&mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    begin(bytes, kind, channel, 0);
    let begin = bytes.len();
    payload(bytes)?;
    let size = u32::try_from(bytes.len() - begin).ok()?;
    bytes.get_mut(begin - 4..begin)?.copy_from_slice(&size.to_be_bytes());
    bytes.push(FRAME_END);
    Some(())
}
