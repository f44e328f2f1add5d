//! A message that has partly arrived, and what it becomes.

use super::allowance::{Cause, Ticket};
use super::content::{Body, Bytes, Content};
use super::event::Event;
use super::method::ContentHeader;
use super::unreadable::Unreadable;
use super::wire::Span;
use std::sync::Arc;

/// Before the pieces of a body have arrived, room is reserved for at most this many.
const MOST_PIECES: u64 = 64;
/// If the pieces of a body are smaller than this on average, they are joined: they would take more
/// memory than their bytes, and keep buffers that are full of frame headers and ends.
const SMALL: usize = 1 << 10;

/// A message that has partly arrived.
#[derive(Debug)]
pub(super) struct Coming {
    head: Head,
    /// Whether anything wants it.
    wanted: bool,
    ticket: Option<Ticket>,
    places: Places,
    /// Its names and properties, unless they are in the buffer that is being filled.
    own: Option<Vec<u8>>,
    has_header: bool,
    /// The rest of the body, in bytes.
    left: u64,
    body: Vec<(Option<Bytes>, Span)>,
    /// The first piece, if it is the only one.
    first: Option<Span>,
}

/// What announced it.
#[derive(Debug)]
pub(super) enum Head {
    Delivered { tag: u64, redelivered: bool },
    Returned { reason: String },
}

/// Where its names and properties are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places {
    pub(super) consumer: Span,
    pub(super) exchange: Span,
    pub(super) routing_key: Span,
    pub(super) properties: Span,
}

/// An event whose message may be in the buffer that is being filled.
#[derive(Debug)]
pub(super) enum Fresh {
    Plain(Event),
    Message(Coming),
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
    pub(super) fn new(head: Head, wanted: bool, places: Places) -> Self {
        Coming {
            head,
            wanted,
            ticket: None,
            places,
            own: None,
            has_header: false,
            left: 0,
            body: Vec::new(),
            first: None,
        }
    }

    pub(super) fn cause(&self) -> Cause {
        self.head.cause()
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// The rest of its body; `None` while its size is unknown.
    pub(super) fn left(&self) -> Option<u64> {
        self.has_header.then_some(self.left)
    }

    pub(super) fn counts(&mut self, ticket: Ticket) {
        self.ticket = Some(ticket);
    }

    pub(super) fn part(&mut self, part: Span) -> Result<(), Unreadable> {
        let left = self.left().and_then(|left| left.checked_sub(part.len() as u64));
        self.left = left.ok_or(Unreadable::Malformed)?;
        if self.wanted {
            self.piece(part);
        }
        Ok(())
    }

    pub(super) fn header(&mut self, header: ContentHeader, buffer: &[u8]) {
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

    /// Whether it refers to the buffer that is being filled.
    pub(super) fn is_in_buffer(&self) -> bool {
        self.own.is_none()
            || self.first.is_some()
            || self.body.iter().any(|(bytes, _)| bytes.is_none())
    }

    /// Nothing wants it any longer.
    pub(super) fn forget(&mut self) {
        self.wanted = false;
        self.ticket = None;
        self.own = Some(Vec::new());
        self.places = Places::default();
        self.first = None;
        self.body.clear();
    }

    pub(super) fn given_away(&mut self, bytes: &Bytes) {
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
        let here = self.body.partition_point(|(place, _)| place.is_some());
        let length: usize = self.body.iter().skip(here).map(|(_, span)| span.len()).sum();
        if length < (self.body.len() - here) * SMALL {
            let mut own = Vec::with_capacity(length);
            self.body.drain(here..).for_each(|(_, span)| own.extend_from_slice(span.of(bytes)));
            self.body.push((Some(Arc::new(own)), Span { from: 0, to: length }));
        }
        for (place, _) in self.body.iter_mut().skip(here).filter(|(place, _)| place.is_none()) {
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
        let content =
            Content { bytes, consumer, exchange, routing_key, properties, body, _ticket: ticket };
        (head, content)
    }
}

impl Fresh {
    /// The event, with the message in `bytes` if that is where it is.
    pub(super) fn event(self, bytes: &Bytes) -> Event {
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
