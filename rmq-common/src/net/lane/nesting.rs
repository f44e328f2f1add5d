//! How deeply tables and arrays are nested, determined without recursion.

use crate::envelope::message::MAX_DEPTH;
use lapin::types::AMQPType;

/// The table of headers, and the levels allowed inside it.
const LEVELS: usize = MAX_DEPTH + 1;
/// A frame with a payload shorter than this is harmless: a level takes at least a type and a length.
pub(super) const HARMLESS: usize = 5 * LEVELS;
/// Class, weight, body size and flags before the properties of a content header.
const PROPERTIES: usize = 14;

/// Whether the headers in this payload of a content header are nested too deeply.
pub(super) fn is_too_deep(payload: &[u8]) -> bool {
    payload.len() >= HARMLESS && headers(payload).is_some_and(is_table_too_deep)
}

/// The table of headers in a content header, with what comes after it; `None` if there is none.
fn headers(payload: &[u8]) -> Option<&[u8]> {
    /// Before the headers: content type and content encoding (section 4.2.6.1).
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

/// Whether the table that begins here, or anything in it, is nested more deeply than lapin may
/// handle. lapin itself refuses what is malformed: it goes no deeper there either.
pub(super) fn is_table_too_deep(table: &[u8]) -> bool {
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

/// A walk through a table that needs no stack for nesting.
struct Walk<'a> {
    rest: &'a [u8],
    open: Vec<Open>,
}

/// A table or an array that the walk is in.
#[derive(Clone, Copy)]
struct Open {
    /// How many bytes come after it.
    end: usize,
    is_table: bool,
}

impl<'a> Walk<'a> {
    fn enter(&mut self, is_table: bool) -> Option<()> {
        let length = self.long()?;
        let end = self.rest.len().checked_sub(length)?;
        // None extends beyond the one that contains it.
        if self.open.last().is_some_and(|outer| end < outer.end) {
            return None;
        }
        self.open.push(Open { end, is_table });
        Some(())
    }

    /// Steps over the next value, or into it; in a table, its name precedes it.
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

/// A table with this number of nested tables or arrays, and a long string beside them.
#[cfg(test)]
pub(super) fn nested(depth: usize, kind: u8) -> Vec<u8> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The payload of a content header, with a content type before these headers.
    fn content(table: &[u8]) -> Vec<u8> {
        let mut payload = vec![0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0xa0, 0];
        payload.extend(b"\x04text");
        payload.extend(table);
        payload
    }

    #[test]
    fn what_is_nested_as_deeply_as_we_send_passes_and_one_level_more_does_not() {
        for kind in [b'F', b'A'] {
            assert!(!is_too_deep(&content(&nested(MAX_DEPTH, kind))));
            assert!(is_too_deep(&content(&nested(LEVELS, kind))));
            assert!(is_too_deep(&content(&nested(10_000, kind))));
        }
    }

    #[test]
    fn what_is_too_short_to_be_looked_into_is_harmless() {
        // The shortest encoding per level: an array in an array.
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

    proptest! {
        /// amq-protocol's own parser is the judge: it parses what was allowed, or refuses it.
        /// Compiled into this test, it is optimised less than within lapin, with four times the
        /// stack.
        #[test]
        fn whatever_is_let_pass_its_reader_survives(
            depth in 0usize..1500, kind in prop_oneof![Just(b'F'), Just(b'A')],
            at in any::<prop::sample::Index>(), byte in any::<u8>(), garbled in any::<bool>(),
        ) {
            let mut bytes = content(&nested(depth, kind));
            if garbled {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if !is_too_deep(&bytes) {
                let properties = bytes.split_off(PROPERTIES - 2);
                let read = std::thread::Builder::new().stack_size(8 << 20).spawn(move || {
                    let _ = amq_protocol::protocol::basic::parse_properties(&properties[..]);
                });
                prop_assert!(read.unwrap().join().is_ok());
            }
        }

        #[test]
        fn bytes_of_any_kind_break_nothing(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
            let _ = is_too_deep(&bytes);
            let _ = is_too_deep(&content(&bytes));
            let _ = is_table_too_deep(&bytes);
        }
    }
}
