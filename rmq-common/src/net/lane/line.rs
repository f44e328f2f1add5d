//! What has arrived on one channel, from frames to events.

use super::allowance::{Allowance, Waiting};
use super::coming::{Coming, Fresh, Head, Places};
use super::content::Bytes;
use super::event::Event;
use super::incoming::Frame;
use super::method::{ContentHeader, Method};
use super::nesting;
use super::unreadable::Unreadable;
use super::wire::{self, Span};
use std::collections::VecDeque;
use std::sync::Arc;

/// A window of 65,535 messages has at most as many confirms.
const MOST_EVENTS: usize = 100_000;

/// A channel with a lane.
#[derive(Debug)]
pub(super) struct Line {
    /// Distinguishes it from an earlier line with the same number.
    id: u64,
    pub(super) channel: u16,
    /// Nothing more may be written: acknowledgements have no effect now.
    closed: bool,
    /// Nothing more arrives; the number may be reused.
    finished: bool,
    /// Nothing wants what arrives.
    dropped: bool,
    consumers: Vec<Vec<u8>>,
    /// How many messages the last consumer requests at once, and the one before it that requested
    /// the most: it may still exist, beside several that were to take over and did not.
    asked: [usize; 2],
    coming: Option<Coming>,
    /// Events whose messages are in buffers that were handed out.
    events: VecDeque<Event>,
    /// Later events, whose messages may be in the buffer that is being filled.
    fresh: Vec<Fresh>,
    /// Whether some of them are.
    in_buffer: bool,
    waiting: Arc<Waiting>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// It was for the lane.
    Lane,
    /// lapin gets it.
    Lapin,
}

impl Line {
    pub(super) fn new(id: u64, channel: u16) -> Self {
        Line {
            id,
            channel,
            closed: false,
            finished: false,
            dropped: false,
            consumers: Vec::new(),
            asked: [0; 2],
            coming: None,
            events: VecDeque::new(),
            fresh: Vec::new(),
            in_buffer: false,
            waiting: Arc::default(),
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn waiting(&self) -> &Arc<Waiting> {
        &self.waiting
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether both sides have finished with it.
    pub(super) fn is_over(&self) -> bool {
        self.finished && self.dropped
    }

    pub(super) fn asks_for(&mut self, count: usize) {
        let [last, most] = self.asked;
        self.asked = [count, last.max(most)];
    }

    /// Nothing wants what arrives from now on. What is on its way is still removed from the stream.
    pub(super) fn drop_it(&mut self) {
        self.dropped = true;
        self.closed = true;
        self.events.clear();
        self.fresh.clear();
        self.in_buffer = false;
        if let Some(coming) = &mut self.coming {
            coming.forget();
        }
    }

    /// Nothing may be written any longer, and nothing that arrives counts.
    pub(super) fn end(&mut self) {
        if !self.closed {
            self.closed = true;
            self.plain(Event::Ended);
        }
    }

    pub(super) fn closed_by_broker(&mut self, code: u16, text: &[u8]) {
        match str::from_utf8(text) {
            Ok(text) if !self.closed => {
                self.closed = true;
                self.plain(Event::Closed { code, text: text.to_owned() });
            }
            // lapin cannot parse it either, and reports that.
            _ => self.end(),
        }
    }

    pub(super) fn finish(&mut self) {
        self.end();
        self.finished = true;
    }

    fn plain(&mut self, event: Event) {
        if !self.dropped {
            self.fresh.push(Fresh::Plain(event));
        }
    }

    /// Whether it refers to the buffer that is being filled.
    pub(super) fn is_in_buffer(&self) -> bool {
        self.in_buffer || self.coming.as_ref().is_some_and(Coming::is_in_buffer)
    }

    pub(super) fn has_events_in_buffer(&self) -> bool {
        self.in_buffer
    }

    /// The buffer that was being filled is handed out.
    pub(super) fn given_away(&mut self, bytes: &Bytes) {
        self.in_buffer = false;
        if let Some(coming) = &mut self.coming {
            coming.given_away(bytes);
        }
        let fresh = self.fresh.drain(..);
        self.events.extend(fresh.map(|fresh| fresh.event(bytes)));
    }

    /// Takes the events. Those in the buffer are taken only once it is handed out.
    pub(super) fn take(&mut self, into: &mut VecDeque<Event>, empty: &Bytes) {
        into.append(&mut self.events);
        if !self.in_buffer {
            into.extend(self.fresh.drain(..).map(|fresh| fresh.event(empty)));
        }
    }

    pub(super) fn frame(
        &mut self,
        frame: Frame,
        buffer: &[u8],
        allowance: &mut Allowance,
    ) -> Result<For, Unreadable> {
        match frame.kind {
            wire::METHOD => self.method(frame.payload, buffer),
            wire::HEADER => self.header(frame.payload, buffer, allowance),
            wire::BODY if self.coming.is_some() => {
                self.body(frame.payload)?;
                Ok(For::Lane)
            }
            _ => Ok(For::Lapin),
        }
    }

    /// The rest of a body on its way to it.
    pub(super) fn left(&self) -> Option<u64> {
        self.coming.as_ref().and_then(Coming::left)
    }

    /// A part of a body frame.
    pub(super) fn body(&mut self, part: Span) -> Result<(), Unreadable> {
        self.coming.as_mut().ok_or(Unreadable::Malformed)?.part(part)?;
        self.complete();
        Ok(())
    }

    fn header(
        &mut self,
        payload: Span,
        buffer: &[u8],
        allowance: &mut Allowance,
    ) -> Result<For, Unreadable> {
        let asked = self.asked.iter().sum();
        let Some(coming) = self.coming.as_mut().filter(|coming| coming.left().is_none()) else {
            return Ok(For::Lapin);
        };
        let header = ContentHeader::read(buffer, payload).ok_or(Unreadable::Malformed)?;
        let cause = coming.cause();
        if coming.is_wanted() {
            let properties = header.properties.len() as u64;
            let size = (header.size, properties);
            let ticket = allowance.comes(cause, size, asked, &self.waiting);
            coming.counts(ticket.map_err(Unreadable::Excess)?);
        } else if !self.dropped {
            allowance.stray(header.size).map_err(Unreadable::Excess)?;
        }
        if nesting::is_too_deep(payload.of(buffer)) {
            return Err(Unreadable::Nested);
        }
        coming.header(header, buffer);
        self.complete();
        Ok(For::Lane)
    }

    fn complete(&mut self) {
        if let Some(coming) = self.coming.take_if(|coming| coming.left() == Some(0))
            && coming.is_wanted()
        {
            self.in_buffer |= coming.is_in_buffer();
            self.fresh.push(Fresh::Message(coming));
        }
    }

    fn method(&mut self, payload: Span, buffer: &[u8]) -> Result<For, Unreadable> {
        match Method::read(buffer, payload).ok_or(Unreadable::Malformed)? {
            Method::Ack { .. } | Method::Nack { .. } | Method::GetEmpty
                if self.events.len() + self.fresh.len() > MOST_EVENTS =>
            {
                return Err(Unreadable::Confirms);
            }
            Method::Ack { tag, multiple } => self.plain(Event::Ack { tag, multiple }),
            Method::Nack { tag, multiple } => self.plain(Event::Nack { tag, multiple }),
            Method::Deliver { consumer, tag, redelivered, exchange, routing_key } => {
                let known = self.consumers.iter().any(|known| known == consumer.of(buffer));
                let places = Places { consumer, exchange, routing_key, ..Places::default() };
                self.announced(Head::Delivered { tag, redelivered }, known, places)?;
            }
            Method::GetOk { tag, redelivered, exchange, routing_key } => {
                let places = Places { exchange, routing_key, ..Places::default() };
                self.announced(Head::Delivered { tag, redelivered }, true, places)?;
            }
            Method::GetEmpty => self.plain(Event::Empty),
            Method::Return { text, exchange, routing_key } => {
                let reason = String::from_utf8_lossy(text.of(buffer)).into_owned();
                let places = Places { exchange, routing_key, ..Places::default() };
                self.announced(Head::Returned { reason }, true, places)?;
            }
            Method::ConsumeOk { consumer } => {
                self.consumers.push(consumer.of(buffer).to_vec());
                return Ok(For::Lapin);
            }
            Method::Cancel { consumer } => {
                self.cancelled(consumer.of(buffer), true);
                return Ok(For::Lapin);
            }
            Method::CancelOk { consumer } => {
                self.cancelled(consumer.of(buffer), false);
                return Ok(For::Lapin);
            }
            Method::ChannelClose { code, text } => {
                self.closed_by_broker(code, text.of(buffer));
                self.finished = true;
                return Ok(For::Lapin);
            }
            Method::ChannelCloseOk => {
                self.finish();
                return Ok(For::Lapin);
            }
            _ => return Ok(For::Lapin),
        }
        Ok(For::Lane)
    }

    fn announced(&mut self, head: Head, known: bool, places: Places) -> Result<(), Unreadable> {
        if self.coming.is_some() {
            return Err(Unreadable::Unfinished);
        }
        let wanted = known && !self.dropped;
        self.coming = Some(Coming::new(head, wanted, places));
        Ok(())
    }

    fn cancelled(&mut self, consumer: &[u8], by_broker: bool) {
        if let Some(index) = self.consumers.iter().position(|known| known == consumer) {
            let consumer = self.consumers.swap_remove(index);
            self.plain(Event::Cancelled { consumer, by_broker });
        }
    }
}
