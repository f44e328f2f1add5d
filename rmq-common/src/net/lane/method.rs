//! Parsing AMQP 0-9-1: methods and content headers. Pure functions over bytes; the tests compare
//! them with amq-protocol's serialiser.

use super::wire::Span;
use crate::envelope::message;

/// A method that matters to the lane. The spans are places in the buffer that contains the frame.
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
    /// Sent by the broker on its own.
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
    /// Rare methods: connection.blocked and connection.unblocked, RabbitMQ's own, and channel.flow.
    Seldom,
    Other,
}

impl Method {
    /// Parses the method whose payload is at `payload` in `buffer`; `None` if it is malformed.
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
            // lapin parses the rest of these.
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

    /// Skips the properties without parsing their headers.
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

    /// The class and the method that caused a close.
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
