//! An eye on the frames that come in, for what lapin would not survive.
//!
//! lapin waits for a frame's end whatever size it claims, until its buffer is full and nothing is
//! read any more. And it recurses into tables: headers nested deeply enough, which anybody who may
//! publish can send, overflow the stack of its thread, and the process is gone. Both are refused
//! here, before lapin sees the end of such a frame. Of a frame too short to be nested so deeply, as
//! nearly all are, only the beginning is looked at: whether a message comes, why, and how large it
//! will be ([`crate::held`]).

use crate::envelope::MAX_DEPTH;
use crate::held::{Cause, Excess, Held};
use lapin::types::AMQPType;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The largest frame we agree to; RabbitMQ's default. A broker that answers 0, "no limit", must not
/// make lapin allocate for it.
pub(crate) const FRAME_MAX: u32 = 131_072;
/// The type byte, the channel and the size in front of a frame's payload.
pub(crate) const FRAME_HEADER: usize = 7;
/// Every frame's last byte comes on top (AMQP 0-9-1, section 4.2.3).
const FRAME_END: usize = 1;

/// The table of headers, and what may be inside one.
const LEVELS: usize = MAX_DEPTH + 1;
/// A frame with a payload shorter than this is harmless: a level takes at least a type and a length.
const HARMLESS: usize = 5 * LEVELS;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;

/// The class and method that have a broker introduce itself, with a table.
const CONNECTION_START: [u8; 4] = [0, 10, 0, 10];
/// The version of AMQP behind them.
const START_TABLE: usize = 6;
/// Class, weight, body size and flags in front of the properties of a content header.
const PROPERTIES: usize = 14;
/// The methods that a message follows, and its place in them: basic.return, basic.deliver (after the
/// consumer's tag), basic.get-ok.
const RETURN: [u8; 4] = [0, 60, 0, 50];
const ACK: [u8; 4] = [0, 60, 0, 80];
const DELIVER: [u8; 4] = [0, 60, 0, 60];
const GET_OK: [u8; 4] = [0, 60, 0, 71];
/// What a broker says seldom: connection.blocked and connection.unblocked, RabbitMQ's own, channel.flow
/// and basic.cancel; and how many of them may come in a second.
const BLOCKED: [u8; 4] = [0, 10, 0, 60];
const UNBLOCKED: [u8; 4] = [0, 10, 0, 61];
const FLOW: [u8; 4] = [0, 20, 0, 20];
const CANCEL: [u8; 4] = [0, 60, 0, 30];
const MOST_SELDOM: u32 = 1000;
const SECOND: Duration = Duration::from_secs(1);
/// What is looked at of a method: the longest consumer tag and the delivery's number.
const METHOD_START: usize = 4 + 256 + 8;

/// A frame that is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It claims this size.
    Oversized(u32),
    /// A method of a size that no method has.
    LongMethod(u32),
    /// Its tables and arrays are nested too deeply.
    Nested,
    /// A message is announced before the one before it has come.
    Unfinished,
    /// It blocks, unblocks, pauses or cancels again and again.
    Flood,
    /// A message that is too large, or more of them than were asked for.
    Excess(Excess),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Oversized(size) => write!(
                f,
                "the broker sent a frame of {size} bytes, where {FRAME_MAX} were agreed upon"
            ),
            Unreadable::LongMethod(size) => {
                write!(f, "the broker sent a method of {size} bytes, which AMQP does not know")
            }
            Unreadable::Nested => write!(
                f,
                "the broker sent tables nested more than {MAX_DEPTH} deep, which are not read; if \
                 they are a message's headers, another client has to take it from the queue"
            ),
            Unreadable::Unfinished => {
                f.write_str("the broker announced a message in the middle of another")
            }
            Unreadable::Flood => f.write_str(
                "the broker blocked, unblocked, paused or cancelled a thousand times within a second",
            ),
            Unreadable::Excess(Excess::Message { size, most, is_chosen: true }) => {
                write!(
                    f,
                    "a message of {size} bytes is larger than --max-size {most}; it stays there"
                )
            }
            Unreadable::Excess(Excess::Message { size, most, .. }) => {
                write!(f, "the broker sent a message of {size} bytes, more than {most}")
            }
            Unreadable::Excess(Excess::Unasked { count, bytes }) => write!(
                f,
                "the broker sent more than was asked for: {count} messages of {bytes} bytes wait"
            ),
            Unreadable::Excess(Excess::Large { bytes }) => write!(
                f,
                "messages of {bytes} bytes wait, more than --prefetch-bytes holds; fewer at once"
            ),
        }
    }
}

impl std::error::Error for Unreadable {}

/// Where one frame ends and the next begins.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// What has come of a frame's beginning.
    header: Vec<u8>,
    /// How much of a frame is to come that is passed by.
    passes: usize,
    /// What has come of the part of a payload that is looked into.
    payload: Vec<u8>,
    /// How long that part is; `None` where the next frame's beginning comes.
    wanted: Option<usize>,
    /// What comes is not AMQP, which lapin tells.
    is_foreign: bool,
    /// Messages that are announced and not begun, by their channel.
    announced: Vec<(u16, Cause)>,
    /// How often it was said since then what is said seldom.
    seldom: Option<(Instant, u32)>,
    held: Arc<Held>,
}

impl Frames {
    /// For a connection that leaves in `held` what comes.
    pub(crate) fn new(held: Arc<Held>) -> Self {
        Frames { held, ..Frames::default() }
    }

    /// Looks at what has come.
    pub(crate) fn look_at(&mut self, mut bytes: &[u8]) -> Result<(), Unreadable> {
        while !bytes.is_empty() && !self.is_foreign {
            if self.passes > 0 {
                let passed = self.passes.min(bytes.len());
                self.passes -= passed;
                bytes = bytes.get(passed..).unwrap_or_default();
            } else if let Some(wanted) = self.wanted {
                let missing = wanted.saturating_sub(self.payload.len());
                let (taken, rest) = bytes.split_at(bytes.len().min(missing));
                bytes = rest;
                if taken.len() < missing {
                    self.payload.extend_from_slice(taken);
                } else if self.payload.is_empty() {
                    self.whole_payload(taken)?;
                } else {
                    self.payload.extend_from_slice(taken);
                    let payload = std::mem::take(&mut self.payload);
                    self.whole_payload(&payload)?;
                }
            } else {
                let missing = FRAME_HEADER - self.header.len();
                let (taken, rest) = bytes.split_at(bytes.len().min(missing));
                self.header.extend_from_slice(taken);
                bytes = rest;
                if self.header.len() == FRAME_HEADER {
                    self.whole_header()?;
                }
            }
        }
        Ok(())
    }

    /// A frame begins: decides what is to be done with its payload.
    fn whole_header(&mut self) -> Result<(), Unreadable> {
        let Some((kind, _, size)) = self.frame() else { return Ok(()) };
        if !matches!(kind, METHOD | HEADER | BODY | HEARTBEAT) {
            self.is_foreign = true;
            return Ok(());
        }
        let length = usize::try_from(size).unwrap_or(usize::MAX);
        if size > FRAME_MAX {
            return Err(Unreadable::Oversized(size));
        }
        let wanted = match kind {
            METHOD | HEADER if length >= HARMLESS => length,
            METHOD => length.min(METHOD_START),
            HEADER => length.min(PROPERTIES),
            _ => 0,
        };
        if wanted > 0 {
            self.wanted = Some(wanted);
        } else {
            self.header.clear();
            self.passes = length + FRAME_END;
        }
        Ok(())
    }

    /// The kind, the channel and the size of the frame that has begun.
    fn frame(&self) -> Option<(u8, u16, u32)> {
        let [kind, c, d, size @ ..] = self.header.as_slice() else { return None };
        let size = size.try_into().map_or(u32::MAX, u32::from_be_bytes);
        Some((*kind, u16::from_be_bytes([*c, *d]), size))
    }

    fn whole_payload(&mut self, payload: &[u8]) -> Result<(), Unreadable> {
        let frame = self.frame();
        self.header.clear();
        self.wanted = None;
        let Some((kind, channel, size)) = frame else { return Ok(()) };
        let length = usize::try_from(size).unwrap_or(usize::MAX);
        self.passes = length.saturating_sub(payload.len()) + FRAME_END;
        if kind == HEADER {
            self.content(channel, size, payload)?;
        } else {
            self.method(channel, payload)?;
        }
        if length < HARMLESS {
            return Ok(());
        }
        let table = if kind == HEADER {
            headers(payload)
        } else if payload.starts_with(&CONNECTION_START) {
            payload.get(START_TABLE..)
        } else {
            // The longest that a broker sends besides is a returned message's method: three short
            // strings.
            return Err(Unreadable::LongMethod(size));
        };
        match table {
            Some(table) if is_nested_too_deeply(table) => Err(Unreadable::Nested),
            _ => Ok(()),
        }
    }

    /// A method: whether a message follows it.
    fn method(&mut self, channel: u16, payload: &[u8]) -> Result<(), Unreadable> {
        let Some((method, arguments)) = payload.split_first_chunk() else { return Ok(()) };
        let cause = match *method {
            RETURN => Cause::Return,
            GET_OK => Cause::Get,
            DELIVER => Cause::Delivery(delivery_tag(arguments).unwrap_or(u64::MAX)),
            BLOCKED | UNBLOCKED | FLOW | CANCEL => return self.seldom(),
            ACK => {
                let tag = arguments.first_chunk().copied().map_or(0, u64::from_be_bytes);
                self.held.confirms(channel, tag);
                return Ok(());
            }
            _ => return Ok(()),
        };
        // lapin would keep them all.
        if self.announced.iter().any(|(announced, _)| *announced == channel) {
            return Err(Unreadable::Unfinished);
        }
        self.announced.push((channel, cause));
        Ok(())
    }

    /// lapin keeps each of these until it is asked for, or its answer until the broker reads, and who
    /// asks may be waiting for an answer.
    fn seldom(&mut self) -> Result<(), Unreadable> {
        let now = Instant::now();
        let (since, count) = self.seldom.unwrap_or((now, 0));
        let (since, count) = if now - since > SECOND { (now, 0) } else { (since, count + 1) };
        self.seldom = Some((since, count));
        if count < MOST_SELDOM { Ok(()) } else { Err(Unreadable::Flood) }
    }

    /// A content header of this length: how large a message is.
    fn content(&mut self, channel: u16, length: u32, payload: &[u8]) -> Result<(), Unreadable> {
        let at = self.announced.iter().position(|(announced, _)| *announced == channel);
        let size = payload.get(4..12).and_then(|size| size.try_into().ok());
        let (Some(at), Some(size)) = (at, size) else { return Ok(()) };
        let (_, cause) = self.announced.swap_remove(at);
        let come = self.held.comes(channel, cause, u64::from_be_bytes(size), length.into());
        come.map_err(Unreadable::Excess)
    }
}

/// The number of a delivery, behind its consumer's tag.
fn delivery_tag(arguments: &[u8]) -> Option<u64> {
    let (length, rest) = arguments.split_first()?;
    let tag = rest.get(usize::from(*length)..)?.first_chunk()?;
    Some(u64::from_be_bytes(*tag))
}

/// The table of headers in a content header, with what is behind it; `None` where there is none.
fn headers(payload: &[u8]) -> Option<&[u8]> {
    /// In front of the headers: content type and content encoding (section 4.2.6.1).
    const BEFORE: [u8; 2] = [0x80, 0x40];
    const HEADERS: u8 = 0x20;
    let flags = *payload.get(PROPERTIES - 2)?;
    let mut rest = payload.get(PROPERTIES..)?;
    for _ in BEFORE.iter().filter(|flag| flags & **flag != 0) {
        let (length, text) = rest.split_first()?;
        rest = text.get(usize::from(*length)..)?;
    }
    (flags & HEADERS != 0).then_some(rest)
}

/// Whether the table that begins here is inside more tables and arrays than lapin is let into, or
/// anything in it is. What is malformed is lapin's to refuse: it goes no deeper there either.
fn is_nested_too_deeply(table: &[u8]) -> bool {
    let mut walk = Walk { rest: table, open: Vec::new() };
    let mut entered = walk.enter(true);
    while entered.is_some() && walk.open.len() <= LEVELS {
        match walk.open.last().copied() {
            None => return false,
            Some(Open { end, .. }) if walk.rest.len() <= end => drop(walk.open.pop()),
            Some(Open { is_table, .. }) => entered = walk.value(is_table),
        }
    }
    walk.open.len() > LEVELS
}

/// A walk through a table that takes no stack for what is nested.
struct Walk<'a> {
    rest: &'a [u8],
    open: Vec<Open>,
}

/// A table or an array that the walk is in.
#[derive(Clone, Copy)]
struct Open {
    /// How many bytes there are behind it.
    end: usize,
    is_table: bool,
}

impl<'a> Walk<'a> {
    fn enter(&mut self, is_table: bool) -> Option<()> {
        let length = self.long()?;
        let end = self.rest.len().checked_sub(length)?;
        // None ends behind the one that it is in.
        if self.open.last().is_some_and(|outer| end < outer.end) {
            return None;
        }
        self.open.push(Open { end, is_table });
        Some(())
    }

    /// Walks over the next value, or into it; in a table its name stands before it.
    fn value(&mut self, is_named: bool) -> Option<()> {
        if is_named {
            self.short_string()?;
        }
        let kind = *self.take(1)?.first()?;
        let length = match AMQPType::from_id(char::from(kind))? {
            AMQPType::FieldTable => return self.enter(true),
            AMQPType::FieldArray => return self.enter(false),
            AMQPType::ShortString => return self.short_string(),
            AMQPType::LongString | AMQPType::ByteArray => self.long()?,
            AMQPType::Void => 0,
            AMQPType::Boolean | AMQPType::ShortShortInt | AMQPType::ShortShortUInt => 1,
            AMQPType::ShortInt | AMQPType::ShortUInt => 2,
            AMQPType::LongInt | AMQPType::LongUInt | AMQPType::Float => 4,
            AMQPType::DecimalValue => 5,
            AMQPType::LongLongInt
            | AMQPType::LongLongUInt
            | AMQPType::Double
            | AMQPType::Timestamp => 8,
        };
        self.take(length).map(drop)
    }

    fn short_string(&mut self) -> Option<()> {
        let length = usize::from(*self.take(1)?.first()?);
        self.take(length).map(drop)
    }

    fn long(&mut self) -> Option<usize> {
        let bytes = self.take(4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![kind, 0, 1];
        frame.extend((payload.len() as u32).to_be_bytes());
        frame.extend(payload);
        frame.push(0xce);
        frame
    }

    /// A content header, with a content type in front of these headers.
    fn content(table: &[u8]) -> Vec<u8> {
        let mut payload = vec![0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0xa0, 0];
        payload.extend(b"\x04text");
        payload.extend(table);
        frame(HEADER, &payload)
    }

    /// A table with so many tables or arrays in one another, and a long string beside them.
    fn nested(depth: usize, kind: u8) -> Vec<u8> {
        let mut inner = Vec::new();
        for _ in 0..depth {
            let mut outer = if kind == b'F' { b"\x01k".to_vec() } else { Vec::new() };
            outer.push(kind);
            outer.extend((inner.len() as u32).to_be_bytes());
            outer.extend(inner);
            inner = outer;
        }
        if kind == b'A' && !inner.is_empty() {
            inner.splice(..0, *b"\x01k");
        }
        let text = "x".repeat(HARMLESS);
        inner.extend(b"\x01lS");
        inner.extend((text.len() as u32).to_be_bytes());
        inner.extend(text.bytes());
        let mut table = (inner.len() as u32).to_be_bytes().to_vec();
        table.extend(inner);
        table
    }

    fn looked(bytes: &[u8], piece: usize) -> Result<(), Unreadable> {
        let mut frames = Frames::default();
        bytes.chunks(piece).try_for_each(|piece| frames.look_at(piece))
    }

    #[test]
    fn what_is_nested_as_deeply_as_we_send_passes_and_one_level_more_does_not() {
        let body = frame(BODY, &[7; 3]);
        for kind in [b'F', b'A'] {
            for piece in [1, 3, 7, 100_000] {
                let fits = [content(&nested(MAX_DEPTH, kind)), body.clone()].concat();
                assert_eq!(looked(&fits.repeat(2), piece), Ok(()));
                let deep = [body.clone(), content(&nested(LEVELS, kind))].concat();
                assert_eq!(looked(&deep, piece), Err(Unreadable::Nested));
                let deepest = content(&nested(10_000, kind));
                assert_eq!(looked(&deepest, piece), Err(Unreadable::Nested));
            }
        }
    }

    #[test]
    fn what_is_too_short_to_be_looked_into_is_harmless() {
        // The shortest way down: an array in an array.
        let mut table = Vec::new();
        let mut depth = 0;
        while 6 + PROPERTIES + table.len() < HARMLESS {
            let mut outer = vec![b'A'];
            outer.extend((table.len() as u32).to_be_bytes());
            outer.extend(table);
            table = outer;
            depth += 1;
        }
        assert!(depth <= LEVELS, "{depth}");
    }

    #[test]
    fn the_broker_s_own_table_is_looked_into_and_no_other_method_is_that_long() {
        let start = |depth| [&CONNECTION_START[..], &[0, 9], &nested(depth, b'F')].concat();
        assert_eq!(looked(&frame(METHOD, &start(3)), 5), Ok(()));
        assert_eq!(looked(&frame(METHOD, &start(9000)), 5), Err(Unreadable::Nested));
        let declare = [&[0, 50, 0, 10][..], &nested(9000, b'F')].concat();
        let long = Unreadable::LongMethod(declare.len() as u32);
        assert_eq!(looked(&frame(METHOD, &declare), 5), Err(long));
    }

    #[test]
    fn a_size_beyond_what_was_agreed_upon_is_refused_as_soon_as_it_is_claimed() {
        let claimed = |size: u32| [&[BODY, 0, 1][..], &size.to_be_bytes()].concat();
        assert_eq!(looked(&claimed(FRAME_MAX), 1), Ok(()));
        let size = FRAME_MAX + 1;
        assert_eq!(looked(&claimed(size), 1), Err(Unreadable::Oversized(size)));
        assert_eq!(looked(&claimed(u32::MAX), 9), Err(Unreadable::Oversized(u32::MAX)));
    }

    #[test]
    fn what_comes_is_counted_until_it_is_taken_however_it_is_cut() {
        let header = |channel: u8, size: u64| {
            let mut header =
                frame(HEADER, &[&[0, 60, 0, 0], &size.to_be_bytes()[..], &[0, 0]].concat());
            header[2] = channel;
            header
        };
        let deliver = |channel: u8, tag: u64| {
            let arguments = [b"\x03tag", &tag.to_be_bytes()[..], b"\0\0\x01q"].concat();
            let mut method = frame(METHOD, &[&DELIVER, &arguments[..]].concat());
            method[2] = channel;
            method
        };
        for piece in [1, 2, 5, 19, 1000] {
            let held = Arc::new(Held::default());
            let mut frames = Frames::new(held.clone());
            let mut look = |bytes: &[u8]| bytes.chunks(piece).try_for_each(|it| frames.look_at(it));
            for tag in 1..100 {
                let two =
                    [deliver(1, tag), deliver(2, tag), header(2, 10), header(1, 1 << 20)].concat();
                let bodies = frame(BODY, &[7; 10]);
                assert_eq!(look(&[two, bodies].concat()), Ok(()), "{piece}, {tag}");
                held.taken(1, tag);
                held.taken(2, tag);
            }
            assert_eq!(held.largest(), 1 << 20);
            let announced = [deliver(1, 1), header(1, 1 << 62)].concat();
            assert!(matches!(look(&announced), Err(Unreadable::Excess(Excess::Message { .. }))));
            let twice = [deliver(5, 1), deliver(5, 2)].concat();
            assert_eq!(looked(&twice, piece), Err(Unreadable::Unfinished));
        }
    }

    #[test]
    fn what_is_not_amqp_is_left_to_lapin() {
        assert_eq!(looked(b"HTTP/1.1 400 Bad Request\r\n\r\n", 4), Ok(()));
        assert_eq!(looked(b"AMQP\0\0\x09\x01AMQP", 4), Ok(()));
    }

    proptest! {
        /// lapin's own reader is the judge: it reads what was let pass, or refuses it, on the stack
        /// that its thread has.
        #[test]
        fn whatever_is_let_pass_lapin_survives(
            depth in 0usize..1500, kind in prop_oneof![Just(b'F'), Just(b'A')],
            at in any::<prop::sample::Index>(), byte in any::<u8>(), garbled in any::<bool>(),
            piece in 1usize..5000,
        ) {
            let mut bytes = content(&nested(depth, kind));
            if garbled {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if looked(&bytes, piece).is_ok() {
                let read = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
                    let _ = amq_protocol::frame::parse_frame(&bytes[..]);
                });
                prop_assert!(read.unwrap().join().is_ok());
            }
        }

        #[test]
        fn bytes_of_any_kind_break_nothing(
            bytes in prop::collection::vec(any::<u8>(), 0..3000), piece in 1usize..300,
        ) {
            let _ = looked(&bytes, piece);
            let _ = looked(&content(&bytes), piece);
        }
    }
}
