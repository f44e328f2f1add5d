//! Sorts what arrives: to the lanes, or to lapin. No I/O.

use super::allowance::{Allowance, Limits};
use super::content::Bytes;
use super::event::Event;
use super::guard::Guard;
use super::incoming::{Frame, Incoming, Next};
use super::line::{For, Line};
use super::method::Method;
use super::unreadable::Unreadable;
use super::wire::{self, FRAME_END, FRAME_HEADER};
use std::collections::VecDeque;
use std::sync::Arc;

/// What arrives on a connection, and where it goes.
#[derive(Debug)]
pub(super) struct Sorter {
    incoming: Incoming,
    /// A body frame that has partly arrived.
    begun: Option<Begun>,
    /// Whether the stream is not AMQP, which lapin reports.
    is_foreign: bool,
    allowance: Allowance,
    guard: Guard,
    lines: Vec<Line>,
    /// What lapin is to read.
    for_lapin: Vec<u8>,
    /// How much of that it has read.
    read: usize,
    empty: Bytes,
}

#[derive(Clone, Copy, Debug)]
struct Begun {
    channel: u16,
    /// The rest of its payload.
    left: usize,
}

impl Sorter {
    pub(super) fn new(limits: Limits) -> Self {
        Sorter {
            incoming: Incoming::default(),
            begun: None,
            is_foreign: false,
            allowance: Allowance::new(limits),
            guard: Guard::default(),
            lines: Vec::new(),
            for_lapin: Vec::new(),
            read: 0,
            empty: Arc::default(),
        }
    }

    pub(super) fn largest(&self) -> u64 {
        self.allowance.largest()
    }

    pub(super) fn lines(&mut self) -> &mut Vec<Line> {
        &mut self.lines
    }

    pub(super) fn line(&mut self, id: u64) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.id() == id)
    }

    /// Adds a channel's lane. lapin has opened the channel, so earlier lines of its number are
    /// over.
    pub(super) fn add(&mut self, line: Line) {
        for old in self.lines.iter_mut().filter(|old| old.channel == line.channel) {
            old.finish();
        }
        self.lines.push(line);
        self.lines.retain(|line| !line.is_over());
    }

    pub(super) fn drop_line(&mut self, id: u64) {
        if let Some(line) = self.line(id) {
            line.drop_it();
        }
        self.lines.retain(|line| !line.is_over());
    }

    /// Where the next bytes are read into.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.incoming.is_full() {
            if self.lines.iter().any(Line::is_in_buffer) {
                self.give_away();
            } else {
                self.incoming.move_up();
            }
        }
        self.incoming.room()
    }

    /// Notes that this many bytes were read into the room, and returns them.
    pub(super) fn filled(&mut self, count: usize) -> &[u8] {
        self.incoming.filled(count)
    }

    fn give_away(&mut self) {
        let bytes = self.incoming.give_away();
        self.lines.iter_mut().for_each(|line| line.given_away(&bytes));
    }

    /// Takes a lane's events; `false` if there is no such lane.
    pub(super) fn take(&mut self, id: u64, into: &mut VecDeque<Event>) -> bool {
        if self.line(id).is_some_and(|line| line.has_events_in_buffer()) {
            self.give_away();
        }
        let empty = self.empty.clone();
        let Some(line) = self.line(id) else { return false };
        line.take(into, &empty);
        true
    }

    /// What lapin is to read.
    pub(super) fn for_lapin(&self) -> &[u8] {
        self.for_lapin.get(self.read..).unwrap_or_default()
    }

    pub(super) fn read_by_lapin(&mut self, count: usize) {
        self.read += count;
        if self.read >= self.for_lapin.len() {
            self.for_lapin.clear();
            self.read = 0;
        }
    }

    /// Gives lapin a heartbeat, because what arrived was a sign of life.
    pub(super) fn sign_of_life(&mut self) {
        self.for_lapin.extend_from_slice(&wire::HEARTBEAT_FRAME);
    }

    /// Sorts what has arrived.
    ///
    /// # Errors
    /// The stream must not be read any further.
    pub(super) fn sort(&mut self) -> Result<(), Unreadable> {
        loop {
            if let Some(begun) = self.begun {
                if !self.go_on(begun)? {
                    return Ok(());
                }
            } else if self.is_foreign {
                let rest = self.incoming.part(usize::MAX);
                self.for_lapin.extend_from_slice(rest.of(self.incoming.buffer()));
                return Ok(());
            }
            match self.incoming.next() {
                Next::Frame(frame) => self.frame(frame)?,
                Next::Begun(beginning) => {
                    let (channel, left) =
                        (beginning.channel, beginning.length() - FRAME_HEADER - 1);
                    match line_of(&mut self.lines, channel).and_then(|line| line.left()) {
                        None => return Ok(()),
                        Some(due) if due < left as u64 => return Err(Unreadable::Malformed),
                        Some(_) => {}
                    }
                    self.incoming.part(FRAME_HEADER);
                    self.begun = Some(Begun { channel, left });
                }
                Next::Nothing => return Ok(()),
                Next::Foreign => self.is_foreign = true,
                Next::Oversized(size) => return Err(Unreadable::Oversized(size)),
            }
        }
    }

    /// More of a body frame; returns whether it is complete now. Its last byte is taken with its
    /// end, so that a message is complete only when its frame is.
    fn go_on(&mut self, begun: Begun) -> Result<bool, Unreadable> {
        let Begun { channel, left } = begun;
        let there = self.incoming.waiting().len();
        let is_whole = there > left;
        let part = match is_whole {
            true if self.incoming.waiting().get(left) != Some(&FRAME_END) => {
                return Err(Unreadable::Malformed);
            }
            true => left,
            false => there.min(left.saturating_sub(1)),
        };
        let part = self.incoming.part(part);
        // If its lane was dropped meanwhile, the line stays until the channel is closed.
        if part.len() > 0
            && let Some(line) = line_of(&mut self.lines, channel)
        {
            line.body(part)?;
        }
        self.begun = (!is_whole).then_some(Begun { channel, left: left - part.len() });
        if is_whole {
            self.incoming.part(1);
        }
        Ok(is_whole)
    }

    fn frame(&mut self, frame: Frame) -> Result<(), Unreadable> {
        let buffer = self.incoming.buffer();
        let payload = frame.payload.of(buffer);
        if let Some(line) = line_of(&mut self.lines, frame.channel) {
            if frame.whole.of(buffer).last() != Some(&FRAME_END) {
                return Err(Unreadable::Malformed);
            }
            if line.frame(frame, buffer, &mut self.allowance)? == For::Lane {
                return Ok(());
            }
        } else if frame.channel == 0
            && frame.kind == wire::METHOD
            && let Some(Method::ConnectionClose { code, text }) =
                Method::read(buffer, frame.payload)
        {
            // Nothing may follow lapin's answer to that.
            self.lines.iter_mut().for_each(|line| line.closed_by_broker(code, text.of(buffer)));
        }
        self.guard.look_at(frame.kind, frame.channel, payload, &mut self.allowance)?;
        self.for_lapin.extend_from_slice(frame.whole.of(buffer));
        self.lines.retain(|line| !line.is_over());
        Ok(())
    }
}

/// The line for frames on a channel. Its number may have been used before.
fn line_of(lines: &mut [Line], channel: u16) -> Option<&mut Line> {
    lines.iter_mut().find(|line| line.channel == channel && !line.is_finished())
}
