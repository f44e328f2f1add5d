//! Frames of AMQP 0-9-1, byte by byte: how they begin and end, and those that the lane writes. Pure
//! functions over bytes; the tests compare them with amq-protocol's parser and serialiser.

use crate::envelope::message::Name;
use std::ops::Range;

/// The largest frame that we accept; RabbitMQ's default. A broker that answers 0, "no limit", must
/// not make us allocate memory for it.
pub(crate) const FRAME_MAX: u32 = 131_072;
/// The smallest that a broker may request (section 4.2.3).
const FRAME_MIN: u32 = 4096;
/// The type byte, the channel and the size before a frame's payload.
pub(crate) const FRAME_HEADER: usize = 7;
pub(super) const FRAME_END: u8 = 0xce;

pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
pub(super) const BODY: u8 = 3;
pub(super) const HEARTBEAT: u8 = 8;

/// A heartbeat: its type, channel 0, no payload, the frame end.
pub(crate) const HEARTBEAT_FRAME: [u8; 8] = [HEARTBEAT, 0, 0, 0, 0, 0, 0, FRAME_END];

/// A range of bytes in a buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Span {
    pub(super) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.range()).unwrap_or_default()
    }

    pub(super) fn range(self) -> Range<usize> {
        self.from..self.to
    }

    pub(super) fn len(self) -> usize {
        self.to - self.from
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    pub(super) kind: u8,
    pub(super) channel: u16,
    /// The size of the payload, in bytes.
    pub(super) size: u32,
}

impl Beginning {
    /// Parses the first seven bytes; `None` while there are fewer.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let &[kind, c0, c1, s0, s1, s2, s3] = bytes.first_chunk()?;
        Some(Beginning {
            kind,
            channel: u16::from_be_bytes([c0, c1]),
            size: u32::from_be_bytes([s0, s1, s2, s3]),
        })
    }

    /// Whether AMQP defines its type. Anything else is not AMQP.
    pub(super) fn is_amqp(self) -> bool {
        matches!(self.kind, METHOD | HEADER | BODY | HEARTBEAT)
    }

    /// The length of the whole frame, its end included.
    pub(super) fn length(self) -> usize {
        usize::try_from(self.size).unwrap_or(usize::MAX).saturating_add(FRAME_HEADER + 1)
    }
}

pub(super) fn begin(out: &mut Vec<u8>, kind: u8, channel: u16, size: u32) {
    let ([c0, c1], [s0, s1, s2, s3]) = (channel.to_be_bytes(), size.to_be_bytes());
    out.extend_from_slice(&[kind, c0, c1, s0, s1, s2, s3]);
}

/// The most bytes of a body in one frame, if `frame_max` bytes were negotiated (0 means no limit).
pub(super) fn body_max(frame_max: u32) -> usize {
    let most = if frame_max == 0 { FRAME_MAX } else { frame_max.clamp(FRAME_MIN, FRAME_MAX) };
    usize::try_from(most).map_or(0, |most| most - FRAME_HEADER - 1)
}

pub(super) fn put_ack(out: &mut Vec<u8>, channel: u16, tag: u64, multiple: bool) {
    begin(out, METHOD, channel, 13);
    out.extend_from_slice(&[0, 60, 0, 80]);
    out.extend_from_slice(&tag.to_be_bytes());
    out.extend_from_slice(&[u8::from(multiple), FRAME_END]);
}

/// Writes basic.get, with acknowledgements.
pub(super) fn put_get(out: &mut Vec<u8>, channel: u16, queue: &Name) {
    let length = u32::try_from(queue.as_bytes().len()).unwrap_or_default();
    begin(out, METHOD, channel, length + 8);
    // Two reserved bytes.
    out.extend_from_slice(&[0, 60, 0, 70, 0, 0]);
    queue.put(out);
    out.extend_from_slice(&[0, FRAME_END]);
}

/// Writes basic.reject, which gives the message back to its queue.
pub(super) fn put_return(out: &mut Vec<u8>, channel: u16, tag: u64) {
    begin(out, METHOD, channel, 13);
    out.extend_from_slice(&[0, 60, 0, 90]);
    out.extend_from_slice(&tag.to_be_bytes());
    out.extend_from_slice(&[1, FRAME_END]);
}

pub(super) fn put_nack(out: &mut Vec<u8>, channel: u16, tag: u64, requeue: bool) {
    begin(out, METHOD, channel, 13);
    out.extend_from_slice(&[0, 60, 0, 120]);
    out.extend_from_slice(&tag.to_be_bytes());
    out.extend_from_slice(&[u8::from(requeue) << 1, FRAME_END]);
}
