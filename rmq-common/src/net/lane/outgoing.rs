//! What is sent: lapin's frames and the lanes', one after another, each complete. No I/O.

use super::head::Head;
use super::wire::{self, Beginning, FRAME_HEADER};
use crate::envelope::message::Name;
use bytes::Bytes;
use std::collections::VecDeque;
use std::io::IoSlice;

/// Pieces of a body from this size on are written from where they are; smaller ones are copied.
const LARGE: usize = 16 << 10;
/// Small pieces are gathered in chunks of this size.
const CHUNK: usize = 128 << 10;
/// The most chunks passed to one write; Linux accepts 1024.
const SLICES: usize = 64;
/// The protocol header, which lapin sends first (section 4.2.2).
const PROTOCOL: &[u8] = b"AMQP";
const PROTOCOL_HEADER: usize = 8;

/// Bytes that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    chunks: VecDeque<Chunk>,
    /// How much of the first chunk is written.
    written: usize,
    /// All that waits, in bytes.
    length: usize,
    /// An empty chunk for reuse.
    spare: Vec<u8>,
}

#[derive(Debug)]
enum Chunk {
    Own(Vec<u8>),
    Shared(Bytes),
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Chunk::Own(bytes) => bytes,
            Chunk::Shared(bytes) => bytes,
        }
    }
}

impl Outgoing {
    /// How much waits, in bytes.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// The chunk for small amounts of bytes.
    fn own(&mut self) -> &mut Vec<u8> {
        let has_room = matches!(self.chunks.back(), Some(Chunk::Own(own)) if own.len() < CHUNK);
        if !has_room {
            self.chunks.push_back(Chunk::Own(std::mem::take(&mut self.spare)));
        }
        match self.chunks.back_mut() {
            Some(Chunk::Own(own)) => own,
            // It was just added.
            _ => &mut self.spare,
        }
    }

    fn put(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let own = self.own();
        let before = own.len();
        put(own);
        let added = own.len() - before;
        self.length += added;
    }

    /// Adds whole frames.
    pub(super) fn frames(&mut self, frames: &[u8]) {
        self.put(|own| own.extend_from_slice(frames));
    }

    /// Adds a message: its head, then its body.
    pub(super) fn publish(&mut self, head: &Head, channel: u16, frame_max: u32, body: &Bytes) {
        let most = wire::body_max(frame_max);
        self.put(|own| head.put(body.len() as u64, own));
        for piece in body.chunks(most) {
            let size = u32::try_from(piece.len()).unwrap_or_default();
            if piece.len() < LARGE {
                self.put(|own| {
                    wire::begin(own, wire::BODY, channel, size);
                    own.extend_from_slice(piece);
                    own.push(wire::FRAME_END);
                });
            } else {
                self.put(|own| wire::begin(own, wire::BODY, channel, size));
                self.length += piece.len();
                self.chunks.push_back(Chunk::Shared(body.slice_ref(piece)));
                self.put(|own| own.push(wire::FRAME_END));
            }
        }
    }

    pub(super) fn ack(&mut self, channel: u16, tag: u64, multiple: bool) {
        self.put(|own| wire::put_ack(own, channel, tag, multiple));
    }

    pub(super) fn get(&mut self, channel: u16, queue: &Name) {
        self.put(|own| wire::put_get(own, channel, queue));
    }

    /// Adds basic.reject, which gives the message back to its queue.
    pub(super) fn give_back(&mut self, channel: u16, tag: u64) {
        self.put(|own| wire::put_return(own, channel, tag));
    }

    pub(super) fn nack(&mut self, channel: u16, tag: u64, requeue: bool) {
        self.put(|own| wire::put_nack(own, channel, tag, requeue));
    }

    /// Appends the content of another one, of which nothing is written yet.
    pub(super) fn append(&mut self, other: &mut Outgoing) {
        self.length += std::mem::take(&mut other.length);
        // A few bytes are not worth a chunk.
        if let (1, Some(Chunk::Own(few))) = (other.chunks.len(), other.chunks.front())
            && few.len() < CHUNK / 8
            && let Some(Chunk::Own(last)) = self.chunks.back_mut()
            // It may be half written, and would never be completed while there is always more.
            && last.len() < CHUNK
        {
            last.extend_from_slice(few);
            if let Some(Chunk::Own(mut few)) = other.chunks.pop_front() {
                few.clear();
                other.spare = few;
            }
            return;
        }
        self.chunks.append(&mut other.chunks);
        std::mem::swap(&mut other.spare, &mut self.spare);
    }

    /// Discards everything.
    pub(super) fn clear(&mut self) {
        self.chunks.clear();
        (self.written, self.length) = (0, 0);
    }

    /// What is to be written next.
    pub(super) fn slices(&self) -> ([IoSlice<'_>; SLICES], usize) {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut skip = self.written;
        let mut count = 0;
        for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
            *slice = IoSlice::new(chunk.bytes().get(skip..).unwrap_or_default());
            skip = 0;
            count += 1;
        }
        (slices, count)
    }

    /// This many bytes are written.
    pub(super) fn wrote(&mut self, count: usize) {
        self.length = self.length.saturating_sub(count);
        self.written += count;
        while let Some(first) = self.chunks.front() {
            let length = first.bytes().len();
            if self.written < length {
                break;
            }
            self.written -= length;
            if let Some(Chunk::Own(mut own)) = self.chunks.pop_front()
                && own.capacity() > self.spare.capacity()
            {
                own.clear();
                self.spare = own;
            }
        }
    }
}

/// lapin's own frames, however it writes them: complete or in pieces.
#[derive(Debug, Default)]
pub(super) struct FromLapin {
    /// The beginning of a frame.
    partial: Vec<u8>,
}

/// What lapin ends with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// A channel, by closing it or by agreeing to the broker's close.
    Channel(u16),
    /// The connection, likewise.
    Connection,
}

impl FromLapin {
    /// Takes what lapin has written: complete frames are appended to `to`, in order, and what they
    /// end is reported.
    pub(super) fn take(&mut self, bytes: &[u8], to: &mut Outgoing, mut ends: impl FnMut(Ends)) {
        if !self.partial.is_empty() {
            self.partial.extend_from_slice(bytes);
            let whole = std::mem::take(&mut self.partial);
            let passed = pass(&whole, to, &mut ends);
            self.partial = whole.get(passed..).unwrap_or_default().to_vec();
            return;
        }
        let passed = pass(bytes, to, &mut ends);
        self.partial.extend_from_slice(bytes.get(passed..).unwrap_or_default());
    }
}

/// Passes on the complete frames at the beginning of `bytes`; returns their length.
fn pass(bytes: &[u8], to: &mut Outgoing, ends: &mut impl FnMut(Ends)) -> usize {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = if rest.starts_with(PROTOCOL) {
            Some(PROTOCOL_HEADER)
        } else {
            Beginning::read(rest).map(Beginning::length)
        };
        let Some(frame) = length.and_then(|length| rest.get(..length)) else { break };
        at += frame.len();
        if let Some(beginning) = Beginning::read(frame).filter(|it| it.kind == wire::METHOD) {
            match frame.get(FRAME_HEADER..FRAME_HEADER + 4) {
                // connection.close and close-ok
                Some([0, 10, 0, 50 | 51]) => ends(Ends::Connection),
                // channel.close and close-ok
                Some([0, 20, 0, 40 | 41]) => ends(Ends::Channel(beginning.channel)),
                _ => {}
            }
        }
    }
    if at > 0 {
        to.frames(bytes.get(..at).unwrap_or_default());
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A socket that accepts a little at a time, and a lane that always has a few more frames.
    #[test]
    fn what_is_written_is_let_go_even_if_something_always_waits() {
        let (mut out, mut lane) = (Outgoing::default(), Outgoing::default());
        let mut largest = 0;
        for tag in 0..100_000 {
            lane.ack(1, tag, false);
            lane.ack(1, tag, false);
            let length = lane.len();
            out.append(&mut lane);
            // All but the last frame.
            out.wrote(if tag == 0 { length / 2 } else { length });
            assert_eq!(out.len(), length / 2);
            largest = largest.max(out.chunks.iter().map(|chunk| chunk.bytes().len()).sum());
        }
        assert!(largest <= 2 * CHUNK, "{largest}");
    }
}
