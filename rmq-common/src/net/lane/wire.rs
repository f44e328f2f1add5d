//! Frames of AMQP 0-9-1, byte by byte: how they begin and end, the methods the lane reads, and the
//! frames it writes. Pure functions over bytes; amq-protocol's parser and serialiser are the judge
//! of them in the tests.

use crate::envelope::message::{self, Name};
use std::ops::Range;

/// The largest frame we agree to; RabbitMQ's default. A broker that answers 0, "no limit", must not
/// make us allocate for it.
pub(crate) const FRAME_MAX: u32 = 131_072;
/// The smallest that a broker may ask for (section 4.2.3).
const FRAME_MIN: u32 = 4096;
/// The type byte, the channel and the size before a frame's payload.
pub(crate) const FRAME_HEADER: usize = 7;
/// Every frame's last byte.
pub(super) const FRAME_END: u8 = 0xce;

/// The types of frames.
pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
pub(super) const BODY: u8 = 3;
pub(super) const HEARTBEAT: u8 = 8;

/// A heartbeat: its type, channel 0, no payload, the frame's end.
pub(crate) const HEARTBEAT_FRAME: [u8; 8] = [HEARTBEAT, 0, 0, 0, 0, 0, 0, FRAME_END];

/// Where bytes are in a buffer.
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

/// A frame's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    pub(super) kind: u8,
    pub(super) channel: u16,
    /// Of the payload, in bytes.
    pub(super) size: u32,
}

impl Beginning {
    /// Reads the first seven bytes; `None` while there are fewer.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let &[kind, c0, c1, s0, s1, s2, s3] = bytes.first_chunk()?;
        Some(Beginning {
            kind,
            channel: u16::from_be_bytes([c0, c1]),
            size: u32::from_be_bytes([s0, s1, s2, s3]),
        })
    }

    /// Whether AMQP knows its type. What begins otherwise is not AMQP.
    pub(super) fn is_amqp(self) -> bool {
        matches!(self.kind, METHOD | HEADER | BODY | HEARTBEAT)
    }

    /// The length of the whole frame, its end included.
    pub(super) fn length(self) -> usize {
        usize::try_from(self.size).unwrap_or(usize::MAX).saturating_add(FRAME_HEADER + 1)
    }
}

/// A method that the lane has to know of. The spans are places in the buffer that the frame is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Ack {
        tag: u64,
        multiple: bool,
    },
    Nack {
        tag: u64,
        multiple: bool,
    },
    Deliver {
        consumer: Span,
        tag: u64,
        redelivered: bool,
        exchange: Span,
        routing_key: Span,
    },
    Return {
        text: Span,
        exchange: Span,
        routing_key: Span,
    },
    GetOk {
        tag: u64,
        redelivered: bool,
        exchange: Span,
        routing_key: Span,
    },
    GetEmpty,
    ConsumeOk {
        consumer: Span,
    },
    /// The broker's own.
    Cancel {
        consumer: Span,
    },
    CancelOk {
        consumer: Span,
    },
    ChannelClose {
        code: u16,
        text: Span,
    },
    ChannelCloseOk,
    ConnectionClose {
        code: u16,
        text: Span,
    },
    ConnectionCloseOk,
    /// What a broker says seldom: connection.blocked and connection.unblocked, RabbitMQ's own, and
    /// channel.flow.
    Seldom,
    Other,
}

impl Method {
    /// Reads the method whose payload is at `payload` in `buffer`; `None` where it is malformed.
    pub(super) fn read(buffer: &[u8], payload: Span) -> Option<Self> {
        let mut read = Read { bytes: buffer, at: payload };
        let method = match (read.u16()?, read.u16()?) {
            (60, 80) => Method::Ack { tag: read.u64()?, multiple: read.bit()? },
            (60, 120) => Method::Nack { tag: read.u64()?, multiple: read.bit()? },
            (60, 60) => Method::Deliver {
                consumer: read.short()?,
                tag: read.u64()?,
                redelivered: read.bit()?,
                exchange: read.short()?,
                routing_key: read.short()?,
            },
            (60, 50) => {
                let _code = read.u16()?;
                let text = read.short()?;
                Method::Return { text, exchange: read.short()?, routing_key: read.short()? }
            }
            (60, 71) => {
                let (tag, redelivered) = (read.u64()?, read.bit()?);
                let method = Method::GetOk {
                    tag,
                    redelivered,
                    exchange: read.short()?,
                    routing_key: read.short()?,
                };
                let _message_count: [u8; 4] = read.take()?;
                method
            }
            (60, 72) => {
                let _cluster_id = read.short()?;
                Method::GetEmpty
            }
            (60, 21) => Method::ConsumeOk { consumer: read.short()? },
            (60, 30) => {
                let method = Method::Cancel { consumer: read.short()? };
                let _no_wait = read.bit()?;
                method
            }
            (60, 31) => Method::CancelOk { consumer: read.short()? },
            (20, 40) => {
                let method = Method::ChannelClose { code: read.u16()?, text: read.short()? };
                read.method_in_error()?;
                method
            }
            (20, 41) => Method::ChannelCloseOk,
            (10, 50) => {
                let method = Method::ConnectionClose { code: read.u16()?, text: read.short()? };
                read.method_in_error()?;
                method
            }
            (10, 51) => Method::ConnectionCloseOk,
            // The rest of these is lapin's to read.
            (10, 60 | 61) | (20, 20) => return Some(Method::Seldom),
            _ => return Some(Method::Other),
        };
        read.is_at_end().then_some(method)
    }
}

/// A content header: the size of the body, and where its properties are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContentHeader {
    pub(super) size: u64,
    pub(super) properties: Span,
}

impl ContentHeader {
    pub(super) fn read(buffer: &[u8], payload: Span) -> Option<Self> {
        let mut read = Read { bytes: buffer, at: payload };
        // The class basic, and a weight that is always 0 (section 4.2.6.1).
        let is_basic = (read.u16()?, read.u16()?) == (60, 0);
        let header = ContentHeader { size: read.u64()?, properties: read.at };
        read.properties()?;
        (is_basic && read.is_at_end()).then_some(header)
    }
}

struct Read<'a> {
    bytes: &'a [u8],
    at: Span,
}

impl Read<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = *self.at.of(self.bytes).first_chunk()?;
        self.at.from += N;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn bit(&mut self) -> Option<bool> {
        self.u8().map(|bits| bits & 1 == 1)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    /// Passes the properties, and does not look into their headers.
    fn properties(&mut self) -> Option<()> {
        let (length, _) = message::pass(self.at.of(self.bytes))?;
        self.pass(length)
    }

    fn pass(&mut self, length: usize) -> Option<()> {
        self.at.from = self.at.from.checked_add(length)?;
        (self.at.from <= self.at.to).then_some(())
    }

    fn is_at_end(&self) -> bool {
        self.at.from == self.at.to
    }

    /// The class and the method that a close is about.
    fn method_in_error(&mut self) -> Option<[u8; 4]> {
        self.take()
    }

    /// A short string: its length in one byte, then its bytes.
    fn short(&mut self) -> Option<Span> {
        let length = usize::from(self.u8()?);
        let span = Span { from: self.at.from, to: self.at.from + length };
        self.at.from = span.to;
        (span.to <= self.at.to).then_some(span)
    }
}

/// Writes the beginning of a frame.
pub(super) fn begin(out: &mut Vec<u8>, kind: u8, channel: u16, size: u32) {
    let ([c0, c1], [s0, s1, s2, s3]) = (channel.to_be_bytes(), size.to_be_bytes());
    out.extend_from_slice(&[kind, c0, c1, s0, s1, s2, s3]);
}

/// The most bytes of a body that one frame holds where frames of `frame_max` bytes were agreed upon
/// (0 is without limit).
pub(super) fn body_max(frame_max: u32) -> usize {
    let most = if frame_max == 0 { FRAME_MAX } else { frame_max.clamp(FRAME_MIN, FRAME_MAX) };
    usize::try_from(most).map_or(0, |most| most - FRAME_HEADER - 1)
}

/// Writes basic.ack.
pub(super) fn put_ack(out: &mut Vec<u8>, channel: u16, tag: u64, multiple: bool) {
    begin(out, METHOD, channel, 13);
    out.extend_from_slice(&[0, 60, 0, 80]);
    out.extend_from_slice(&tag.to_be_bytes());
    out.extend_from_slice(&[u8::from(multiple), FRAME_END]);
}

/// Writes basic.get, with acknowledgement.
pub(super) fn put_get(out: &mut Vec<u8>, channel: u16, queue: &Name) {
    let length = u32::try_from(queue.as_bytes().len()).unwrap_or_default();
    begin(out, METHOD, channel, length + 8);
    // Two bytes are reserved.
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

/// Writes basic.nack of one message.
pub(super) fn put_nack(out: &mut Vec<u8>, channel: u16, tag: u64, requeue: bool) {
    begin(out, METHOD, channel, 13);
    out.extend_from_slice(&[0, 60, 0, 120]);
    out.extend_from_slice(&tag.to_be_bytes());
    out.extend_from_slice(&[u8::from(requeue) << 1, FRAME_END]);
}
