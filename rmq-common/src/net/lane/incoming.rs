//! The buffer that the socket is read into, and the frames in it.
//!
//! The content of a complete frame stays in place: a buffer of which a part was handed out is
//! replaced with a fresh one, and reused once nothing refers to it.

use super::content::Bytes;
use super::wire::{BODY, Beginning, FRAME_HEADER, FRAME_MAX, Span};
use std::sync::Arc;

/// The size of a buffer; two of the largest frames.
const BUFFER: usize = 256 << 10;
/// A buffer with less room than this is replaced.
const LEAST_ROOM: usize = 64 << 10;
/// The number of buffers that are kept for reuse.
const SPARES: usize = 4;

/// What has arrived and is not sorted.
#[derive(Debug)]
pub(super) struct Incoming {
    buffer: Vec<u8>,
    /// The buffer is filled up to here.
    filled: usize,
    /// The buffer is sorted up to here.
    sorted: usize,
    /// Buffers that were handed out.
    lent: Vec<Bytes>,
    spares: Vec<Vec<u8>>,
}

/// A complete frame. The spans are places in the buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) channel: u16,
    pub(super) payload: Span,
    pub(super) whole: Span,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    Frame(Frame),
    /// The beginning of a body frame that has partly arrived.
    Begun(Beginning),
    /// Less than a frame.
    Nothing,
    /// Something that is not AMQP, and all after it.
    Foreign,
    /// A frame that announces this size.
    Oversized(u32),
}

impl Default for Incoming {
    fn default() -> Self {
        Incoming {
            buffer: vec![0; BUFFER],
            filled: 0,
            sorted: 0,
            lent: Vec::new(),
            spares: Vec::new(),
        }
    }
}

impl Incoming {
    /// Whether the buffer has to be replaced, or its content moved up, before the next read.
    pub(super) fn is_full(&self) -> bool {
        self.buffer.len() - self.filled < LEAST_ROOM
    }

    /// Where the next bytes are read into.
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.filled..).unwrap_or_default()
    }

    /// Notes that this many bytes were read into the room, and returns them.
    pub(super) fn filled(&mut self, count: usize) -> &[u8] {
        let begin = self.filled;
        self.filled = begin.saturating_add(count).min(self.buffer.len());
        self.buffer.get(begin..self.filled).unwrap_or_default()
    }

    /// The buffer that spans are places in.
    pub(super) fn buffer(&self) -> &[u8] {
        &self.buffer
    }

    /// Takes the next frame.
    pub(super) fn next(&mut self) -> Next {
        let bytes = self.waiting();
        let Some(first) = bytes.first() else { return Next::Nothing };
        if !(Beginning { kind: *first, channel: 0, size: 0 }).is_amqp() {
            return Next::Foreign;
        }
        let Some(beginning) = Beginning::read(bytes) else { return Next::Nothing };
        if beginning.size > FRAME_MAX {
            return Next::Oversized(beginning.size);
        }
        if bytes.len() < beginning.length() {
            let begun = beginning.kind == BODY;
            return if begun { Next::Begun(beginning) } else { Next::Nothing };
        }
        let whole = Span { from: self.sorted, to: self.sorted + beginning.length() };
        self.sorted = whole.to;
        Next::Frame(Frame {
            kind: beginning.kind,
            channel: beginning.channel,
            payload: Span { from: whole.from + FRAME_HEADER, to: whole.to - 1 },
            whole,
        })
    }

    pub(super) fn waiting(&self) -> &[u8] {
        Span { from: self.sorted, to: self.filled }.of(&self.buffer)
    }

    /// Takes what has arrived, at most this many bytes.
    pub(super) fn part(&mut self, most: usize) -> Span {
        let part =
            Span { from: self.sorted, to: self.filled.min(self.sorted.saturating_add(most)) };
        self.sorted = part.to;
        part
    }

    /// Moves what is not sorted to the beginning. Only if nothing holds a span.
    pub(super) fn move_up(&mut self) {
        self.buffer.copy_within(self.sorted..self.filled, 0);
        self.filled -= self.sorted;
        self.sorted = 0;
    }

    /// Hands out the buffer, and continues in another one with what is not sorted.
    pub(super) fn give_away(&mut self) -> Bytes {
        self.take_back();
        let mut fresh = self.spares.pop().unwrap_or_else(|| vec![0; BUFFER]);
        let rest = Span { from: self.sorted, to: self.filled };
        if let Some(place) = fresh.get_mut(..rest.len()) {
            place.copy_from_slice(rest.of(&self.buffer));
        }
        (self.filled, self.sorted) = (rest.len(), 0);
        let given = Arc::new(std::mem::replace(&mut self.buffer, fresh));
        self.lent.push(given.clone());
        given
    }

    /// Takes back the buffers that nothing refers to any longer.
    fn take_back(&mut self) {
        let mut index = 0;
        while let Some(lent) = self.lent.get(index) {
            if Arc::strong_count(lent) > 1 {
                index += 1;
            } else if let Ok(spare) = Arc::try_unwrap(self.lent.swap_remove(index))
                && self.spares.len() < SPARES
            {
                self.spares.push(spare);
            }
        }
    }
}
