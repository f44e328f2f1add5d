//! The beginning of a message, encoded once for all messages with the same route and properties.

use super::wire::{FRAME_END, HEADER, METHOD, begin};
use crate::envelope::message::{Name, Properties};

/// The frames of a publish before its body, for all messages with the same route and properties.
#[derive(Clone, Debug)]
pub struct Head {
    bytes: Vec<u8>,
    /// Where the eight bytes of the body size are.
    size_at: usize,
}

impl Head {
    /// For messages to `exchange` with `routing_key` and `properties`.
    pub fn new(
        channel: u16,
        exchange: &Name,
        routing_key: &Name,
        mandatory: bool,
        properties: &Properties,
    ) -> Self {
        let mut bytes = Vec::with_capacity(128);
        frame(&mut bytes, METHOD, channel, |bytes| {
            // basic.publish, and two reserved bytes.
            bytes.extend([0, 60, 0, 40, 0, 0]);
            exchange.put(bytes);
            routing_key.put(bytes);
            bytes.push(u8::from(mandatory));
        });
        let mut size_at = 0;
        frame(&mut bytes, HEADER, channel, |bytes| {
            // The class basic, an unused weight, and the body size.
            bytes.extend([0, 60, 0, 0]);
            size_at = bytes.len();
            bytes.extend([0; 8]);
            properties.put(bytes);
        });
        Head { bytes, size_at }
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

fn frame(bytes: &mut Vec<u8>, kind: u8, channel: u16, payload: impl FnOnce(&mut Vec<u8>)) {
    begin(bytes, kind, channel, 0);
    let begin = bytes.len();
    payload(bytes);
    // Anything larger than the negotiated frames is refused before.
    let size = u32::try_from(bytes.len() - begin).unwrap_or(u32::MAX);
    if let Some(place) = bytes.get_mut(begin - 4..begin) {
        place.copy_from_slice(&size.to_be_bytes());
    }
    bytes.push(FRAME_END);
}
