//! What has come on one channel, from frames to events.

use super::allowance::{Allowance, Cause, Ticket, Waiting};
use super::content::{Body, Bytes, Content};
use super::event::Event;
use super::incoming::Frame;
use super::nesting;
use super::unreadable::Unreadable;
use super::wire::{self, ContentHeader, Method, Span};
use std::collections::VecDeque;
use std::sync::Arc;

/// So many confirms may wait to be taken: a window of 65,535 messages has as many at most.
const MOST_EVENTS: usize = 100_000;
/// Room is set aside for so many pieces of a body at most before they have come.
const MOST_PIECES: u64 = 64;

/// A channel that has a lane.
#[derive(Debug)]
pub(super) struct Line {
    /// What tells it from an earlier line of the same number.
    id: u64,
    pub(super) channel: u16,
    /// Nothing more may be written: what is acknowledged now is void.
    closed: bool,
    /// Nothing more comes; the number may be used again.
    finished: bool,
    /// Nothing wants what comes.
    dropped: bool,
    consumers: Vec<Vec<u8>>,
    /// How many messages the last two consumers ask for at once; those of the one before may be on
    /// their way still.
    asked: [usize; 2],
    coming: Option<Coming>,
    /// Events whose messages are in buffers that were given away.
    events: VecDeque<Event>,
    /// Later ones, whose messages may be in the buffer that is being filled.
    fresh: Vec<Fresh>,
    /// Some of them are.
    in_buffer: bool,
    waiting: Arc<Waiting>,
}

/// What is to become of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// It was for the lane.
    Lane,
    /// lapin gets it.
    Lapin,
}

/// A message of which more is to come.
#[derive(Debug)]
struct Coming {
    head: Head,
    /// Whether anything is to have it.
    wanted: bool,
    ticket: Option<Ticket>,
    places: Places,
    /// Its names and properties, where they are not in the buffer that is being filled.
    own: Option<Vec<u8>>,
    has_header: bool,
    /// What is to come of the body.
    left: u64,
    body: Vec<(Option<Bytes>, Span)>,
    /// The first piece, if there is no other.
    first: Option<Span>,
}

#[derive(Debug)]
enum Head {
    Delivered { tag: u64, redelivered: bool },
    Returned { reason: String },
}

#[derive(Clone, Copy, Debug, Default)]
struct Places {
    consumer: Span,
    exchange: Span,
    routing_key: Span,
    properties: Span,
}

#[derive(Debug)]
enum Fresh {
    Plain(Event),
    Message(Coming),
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

    /// Whether it is over for both sides.
    pub(super) fn is_over(&self) -> bool {
        self.finished && self.dropped
    }

    pub(super) fn asks_for(&mut self, count: usize) {
        self.asked = [count, self.asked[0]];
    }

    /// Nothing wants what comes from now on. What is on its way is still taken out of the stream.
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

    /// Nothing may be written any longer, and nothing that comes counts.
    pub(super) fn end(&mut self) {
        if !self.closed {
            self.closed = true;
            self.plain(Event::Ended);
        }
    }

    /// The connection is closed by the broker.
    pub(super) fn closed_by_broker(&mut self, code: u16, text: &[u8]) {
        match str::from_utf8(text) {
            Ok(text) if !self.closed => {
                self.closed = true;
                self.plain(Event::Closed { code, text: text.to_owned() });
            }
            // lapin does not read it either, and says so.
            _ => self.end(),
        }
    }

    /// The stream is at its end.
    pub(super) fn finish(&mut self) {
        self.end();
        self.finished = true;
    }

    fn plain(&mut self, event: Event) {
        if !self.dropped {
            self.fresh.push(Fresh::Plain(event));
        }
    }

    /// Whether a place in the buffer is remembered.
    pub(super) fn is_in_buffer(&self) -> bool {
        self.in_buffer || self.coming.as_ref().is_some_and(Coming::is_in_buffer)
    }

    /// Whether events of it are in the buffer.
    pub(super) fn has_events_in_buffer(&self) -> bool {
        self.in_buffer
    }

    /// The buffer that was being filled is given away.
    pub(super) fn given_away(&mut self, bytes: &Bytes) {
        self.in_buffer = false;
        if let Some(coming) = &mut self.coming {
            coming.given_away(bytes);
        }
        let fresh = self.fresh.drain(..);
        self.events.extend(fresh.map(|fresh| fresh.event(bytes)));
    }

    /// Takes the events. Those in the buffer only once that is given away.
    pub(super) fn take(&mut self, into: &mut VecDeque<Event>, empty: &Bytes) {
        into.append(&mut self.events);
        if !self.in_buffer {
            into.extend(self.fresh.drain(..).map(|fresh| fresh.event(empty)));
        }
    }

    /// Takes a frame, or leaves it to lapin.
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

    /// How much of a body is to come to it.
    pub(super) fn left(&self) -> Option<u64> {
        self.coming.as_ref().filter(|coming| coming.has_header).map(|coming| coming.left)
    }

    /// A part of a body's frame.
    pub(super) fn body(&mut self, part: Span) -> Result<(), Unreadable> {
        let Some(coming) = self.coming.as_mut().filter(|coming| coming.has_header) else {
            return Err(Unreadable::Malformed);
        };
        let left = coming.left.checked_sub(part.len() as u64);
        coming.left = left.ok_or(Unreadable::Malformed)?;
        if coming.wanted {
            coming.piece(part);
        }
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
        let Some(coming) = self.coming.as_mut().filter(|coming| !coming.has_header) else {
            return Ok(For::Lapin);
        };
        let header = ContentHeader::read(buffer, payload).ok_or(Unreadable::Malformed)?;
        let cause = coming.head.cause();
        if coming.wanted {
            let properties = header.properties.len() as u64;
            let size = (header.size, properties);
            let ticket = allowance.comes(cause, size, asked, &self.waiting);
            coming.ticket = Some(ticket.map_err(Unreadable::Excess)?);
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
        if let Some(coming) = self.coming.take_if(|coming| coming.has_header && coming.left == 0)
            && coming.wanted
        {
            self.in_buffer |= coming.is_in_buffer();
            self.fresh.push(Fresh::Message(coming));
        }
    }

    fn method(&mut self, payload: Span, buffer: &[u8]) -> Result<For, Unreadable> {
        match Method::read(buffer, payload).ok_or(Unreadable::Malformed)? {
            Method::Ack { .. } | Method::Nack { .. }
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
        self.coming = Some(Coming {
            head,
            wanted,
            ticket: None,
            places,
            own: None,
            has_header: false,
            left: 0,
            body: Vec::new(),
            first: None,
        });
        Ok(())
    }

    fn cancelled(&mut self, consumer: &[u8], by_broker: bool) {
        if let Some(index) = self.consumers.iter().position(|known| known == consumer) {
            let consumer = self.consumers.swap_remove(index);
            self.plain(Event::Cancelled { consumer, by_broker });
        }
    }
}

impl Head {
    fn cause(&self) -> Cause {
        match self {
            Head::Delivered { .. } => Cause::Delivery,
            Head::Returned { .. } => Cause::Return,
        }
    }
}

impl Coming {
    fn header(&mut self, header: ContentHeader, buffer: &[u8]) {
        self.has_header = true;
        self.left = header.size;
        self.places.properties = match &mut self.own {
            None => header.properties,
            Some(own) => {
                let from = own.len();
                own.extend_from_slice(header.properties.of(buffer));
                Span { from, to: own.len() }
            }
        };
    }

    fn piece(&mut self, part: Span) {
        if part.len() == 0 {
            return;
        }
        match self.first.take() {
            None if self.body.is_empty() => self.first = Some(part),
            first => {
                if let Some(first) = first {
                    let rest = self.left / (128 << 10) + 2;
                    self.body.reserve(usize::try_from(rest.min(MOST_PIECES)).unwrap_or_default());
                    self.body.push((None, first));
                }
                self.body.push((None, part));
            }
        }
    }

    /// Whether a place in the buffer that is being filled is remembered.
    fn is_in_buffer(&self) -> bool {
        self.own.is_none()
            || self.first.is_some()
            || self.body.iter().any(|(bytes, _)| bytes.is_none())
    }

    /// Nothing wants it any longer.
    fn forget(&mut self) {
        self.wanted = false;
        self.ticket = None;
        self.own = Some(Vec::new());
        self.places = Places::default();
        self.first = None;
        self.body.clear();
    }

    fn given_away(&mut self, bytes: &Bytes) {
        if self.own.is_none() {
            let mut own = Vec::with_capacity(512);
            let Places { consumer, exchange, routing_key, properties } = &mut self.places;
            for place in [consumer, exchange, routing_key, properties] {
                let from = own.len();
                own.extend_from_slice(place.of(bytes));
                *place = Span { from, to: own.len() };
            }
            self.own = Some(own);
        }
        self.body.extend(self.first.take().map(|first| (None, first)));
        for (place, _) in self.body.iter_mut().filter(|(place, _)| place.is_none()) {
            *place = Some(bytes.clone());
        }
    }

    fn content(self, buffer: &Bytes) -> (Head, Content) {
        let Coming { head, ticket, places, own, body, first, .. } = self;
        let Places { consumer, exchange, routing_key, properties } = places;
        let here = own.is_none();
        let bytes = own.map_or_else(|| buffer.clone(), Arc::new);
        let body = match first {
            Some(first) if here => Body::Here(first),
            Some(first) => Body::Pieces(vec![(buffer.clone(), first)]),
            None if body.is_empty() => Body::Here(Span::default()),
            None => {
                let given = body.into_iter();
                let given =
                    given.map(|(bytes, span)| (bytes.unwrap_or_else(|| buffer.clone()), span));
                Body::Pieces(given.collect())
            }
        };
        let _ticket = ticket;
        (head, Content { bytes, consumer, exchange, routing_key, properties, body, _ticket })
    }
}

impl Fresh {
    /// With the message in `bytes`, if that is where it is.
    fn event(self, bytes: &Bytes) -> Event {
        match self {
            Fresh::Plain(event) => event,
            Fresh::Message(coming) => match coming.content(bytes) {
                (Head::Delivered { tag, redelivered }, content) => {
                    Event::Delivered { tag, redelivered, content }
                }
                (Head::Returned { reason }, content) => Event::Returned { reason, content },
            },
        }
    }
}
